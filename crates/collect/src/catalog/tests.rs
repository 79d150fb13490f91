//! The catalog: what is found, what comes out, and how it is asked of history.

mod cooked;
mod found;
mod history;
mod session;

use std::time::Duration;

use barograph_model::{CounterPath, Desc};

use super::*;
use crate::Sink;

type Pushed<'a> = (&'static Desc, &'a [&'a str], f64);

fn snapshot(seconds: u64, samples: &[Pushed<'_>]) -> Snapshot {
    let mut snapshot = Snapshot { at: Duration::from_secs(seconds), ..Snapshot::default() };
    for (desc, values, value) in samples {
        snapshot.push(desc, values, *value);
    }
    snapshot
}

fn row(path: &str) -> (&'static Row, CounterPath) {
    let path = CounterPath::parse(path).unwrap();
    (find(&path).unwrap()[0], path)
}

/// Values by instance, or why there is none.
fn cooked(path: &str, before: Option<&Snapshot>, now: &Snapshot) -> Vec<(String, String)> {
    let (row, path) = row(path);
    cook(row, path.instance.as_ref(), before, now)
        .into_iter()
        .map(|cooked| {
            let value = match cooked.value {
                Ok(value) => format!("{value:.3}"),
                Err(Missing::NotTold(desc)) => format!("no {}", desc.name),
                Err(missing) => format!("{missing:?}"),
            };
            (cooked.instance.unwrap_or_default(), value)
        })
        .collect()
}

#[track_caller]
fn check(path: &str, before: &Snapshot, now: &Snapshot, expect: &[(&str, &str)]) {
    let found = cooked(path, Some(before), now);
    let found: Vec<_> = found.iter().map(|(i, v)| (i.as_str(), v.as_str())).collect();
    assert_eq!(found, expect, "{path}");
}
