//! Reading some counters again and again.

use std::sync::Arc;

use barograph_model::{Clock, CounterPath, Desc, Instance, Pattern, Unit};

use super::cook::{Cooked, Missing, cook};
use super::find::{FindError, find};
use super::row::{Instances, Row};
use super::snapshot::{Reader, Snapshot};
use crate::{Roots, host_facts};

/// Some counters of this machine, and their last reading.
#[derive(Debug)]
pub struct Session {
    reader: Reader,
    watched: Vec<Watched>,
    before: Option<Snapshot>,
}

#[derive(Debug)]
struct Watched {
    path: CounterPath,
    rows: Vec<&'static Row>,
}

/// A counter's value now.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// With the instance that was found in place of a wildcard.
    pub path: String,
    /// Never NaN.
    pub value: Option<f64>,
    pub unit: Unit,
    /// Set when there is no value.
    pub why_absent: Option<String>,
}

/// Why the counters cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    #[error("`{path}` names no counter")]
    Find { path: String, source: FindError },
    #[error(
        "`{path}` names the computer `{machine}`, and this one is `{host}`: only its own counters can be read"
    )]
    Machine { path: String, machine: String, host: String },
    #[error("{count} counter paths are given, at most {} are allowed", Session::MAX_PATHS)]
    TooMany { count: usize },
}

impl Session {
    pub const MAX_PATHS: usize = 1000;

    /// Finds the counters; nothing is read before [`Session::sample`].
    ///
    /// # Errors
    /// The first path that names no counter, or another computer.
    pub fn new(
        roots: &Roots,
        clock: Arc<dyn Clock>,
        paths: Vec<CounterPath>,
    ) -> Result<Self, SessionError> {
        if paths.len() > Self::MAX_PATHS {
            return Err(SessionError::TooMany { count: paths.len() });
        }
        let mut watched = Vec::with_capacity(paths.len());
        for path in paths {
            check_machine(&path, roots)?;
            let rows = find(&path)
                .map_err(|source| SessionError::Find { path: path.to_string(), source })?;
            watched.push(Watched { path, rows });
        }
        let descs: Vec<&'static Desc> =
            watched.iter().flat_map(|w| &w.rows).flat_map(|row| row.formula.descs()).collect();
        Ok(Self { reader: Reader::new(roots, clock, &descs), watched, before: None })
    }

    /// Whether some counter takes two readings, so that the first one shows no value for it.
    pub fn needs_two(&self) -> bool {
        self.watched.iter().flat_map(|w| &w.rows).any(|row| row.formula.value.needs_two())
    }

    /// Reads the machine. At least one reading per path, in their order; a wildcard gives one for
    /// each instance that there is now.
    pub fn sample(&mut self) -> Vec<Reading> {
        let now = self.reader.take();
        let before = self.before.as_ref();
        let readings =
            self.watched.iter().flat_map(|watched| watched.readings(before, &now)).collect();
        self.before = Some(now);
        readings
    }
}

fn check_machine(path: &CounterPath, roots: &Roots) -> Result<(), SessionError> {
    let Some(machine) = &path.machine else { return Ok(()) };
    let host = host_facts(roots).host;
    let is_this = [host.as_str(), "localhost", "."].iter().any(|n| n.eq_ignore_ascii_case(machine));
    if is_this {
        return Ok(());
    }
    Err(SessionError::Machine { path: path.to_string(), machine: machine.clone(), host })
}

impl Watched {
    fn readings(&self, before: Option<&Snapshot>, now: &Snapshot) -> Vec<Reading> {
        let mut readings = Vec::new();
        for row in &self.rows {
            let cooked = cook(row, self.path.instance.as_ref(), before, now);
            if cooked.is_empty() {
                readings.push(self.no_instance(row, now));
            }
            readings.extend(cooked.into_iter().map(|cooked| self.reading(row, cooked, now)));
        }
        readings
    }

    fn reading(&self, row: &Row, cooked: Cooked, now: &Snapshot) -> Reading {
        let path = CounterPath {
            machine: self.path.machine.clone(),
            object: Pattern::new(row.object),
            instance: cooked.instance.map(|name| Instance {
                name: Pattern::new(name),
                index: Some(cooked.index).filter(|index| *index > 0),
            }),
            counter: Pattern::new(row.counter),
        };
        let why = |missing: Missing| match missing {
            Missing::FirstReading => "it takes two readings".to_owned(),
            Missing::NoEvents => "there were no events to take an average or share of".to_owned(),
            Missing::NotTold(desc) => now.why_missing(desc).map_or_else(
                || format!("this system does not tell `{}`", desc.name),
                str::to_owned,
            ),
        };
        Reading {
            path: path.to_string(),
            value: cooked.value.ok(),
            unit: row.unit,
            why_absent: cooked.value.err().map(why),
        }
    }

    fn no_instance(&self, row: &Row, now: &Snapshot) -> Reading {
        let path = CounterPath {
            object: Pattern::new(row.object),
            counter: Pattern::new(row.counter),
            ..self.path.clone()
        };
        let failed = row.formula.descs().find_map(|desc| now.why_missing(desc));
        let why = failed.map_or_else(
            || match row.instances {
                Instances::OnlyTotal => {
                    "the system counts this only for all instances together, `_Total`".to_owned()
                }
                _ => "no such instance is there now".to_owned(),
            },
            str::to_owned,
        );
        Reading { path: path.to_string(), value: None, unit: row.unit, why_absent: Some(why) }
    }
}
