//! Which counters of the catalog can be read on this machine, and of which instances.

use std::sync::Arc;

use barograph_model::{Clock, CounterPath};

use super::beyond::{Beyond, Open};
use super::cook::cook;
use super::row::Row;
use super::snapshot::{Reader, Snapshot};
use crate::{Roots, SystemCounters};

/// A counter, and what this machine has of it.
#[derive(Debug, Clone)]
pub struct Offer {
    pub row: &'static Row,
    /// As they are written in a path; nothing for counters that exist once.
    pub instances: Vec<String>,
    /// Set when it cannot be read here.
    pub why_not: Option<String>,
}

/// Asks the machine for counters: those that the catalog cannot serve here, the system itself is
/// asked for, as a [`super::Session`] does. What hangs, hangs the caller.
pub fn offers(roots: &Roots, clock: Arc<dyn Clock>, rows: &[&'static Row]) -> Vec<Offer> {
    let now = Reader::of_rows(roots, clock, rows).take();
    offers_asking(rows, &now, SystemCounters::open)
}

pub(crate) fn offers_asking(rows: &[&'static Row], now: &Snapshot, open: Open) -> Vec<Offer> {
    let mut beyond = Beyond::asking(open);
    let asked: Vec<_> = rows.iter().map(|row| ask_system(row, now, &mut beyond)).collect();
    if asked.iter().any(Option::is_some) {
        beyond.collect();
    }
    rows.iter()
        .zip(asked)
        .map(|(row, system)| Offer {
            row,
            instances: match &system {
                Some((number, path)) => of_system(*number, path, &beyond),
                None => of_row(row, now),
            },
            why_not: (system.is_none() && !now.serves(row)).then(|| now.why_not(row)),
        })
        .collect()
}

/// The counter's number in the system's own counters, if they have to serve it and do.
fn ask_system(row: &Row, now: &Snapshot, beyond: &mut Beyond) -> Option<(usize, CounterPath)> {
    if now.serves(row) {
        return None;
    }
    let path = CounterPath::parse(&row.path()).ok()?;
    let number = beyond.add(&path)?;
    Some((number, path))
}

fn of_row(row: &Row, now: &Snapshot) -> Vec<String> {
    let cooked = cook(row, None, None, now).into_iter();
    cooked.filter_map(|cooked| Some(numbered(cooked.instance?, cooked.index))).collect()
}

/// A counter that is there and has nothing to say just now has no instances.
fn of_system(number: usize, path: &CounterPath, beyond: &Beyond) -> Vec<String> {
    let values = beyond.values(number, path.instance.as_ref()).unwrap_or_default().into_iter();
    let names = values.filter(|(name, _, _)| !name.is_empty());
    names.map(|(name, index, _)| numbered(name, index)).collect()
}

fn numbered(name: String, index: u32) -> String {
    match index {
        0 => name,
        index => format!("{name}#{index}"),
    }
}
