//! Reading some counters again and again.

use std::sync::Arc;

use barograph_model::{Clock, CounterPath, Instance, Pattern, Unit};

use super::beyond::Beyond;
use super::cook::{Cooked, Missing, cook};
use super::find::{FindError, find};
use super::formula::Value;
use super::row::{Instances, Row};
use super::snapshot::{Reader, Snapshot};
use crate::{Roots, host_facts};

/// Some counters of this machine, and their last reading. What the catalog does not know, or
/// cannot serve here, the system itself is asked for: Windows has counters of its own.
#[derive(Debug)]
pub struct Session {
    reader: Reader,
    beyond: Beyond,
    watched: Vec<Watched>,
    before: Option<Snapshot>,
}

/// One counter of one path.
#[derive(Debug)]
struct Watched {
    path: CounterPath,
    /// Absent for a counter that the catalog does not know.
    row: Option<&'static Row>,
    system: InSystem,
}

/// Whether the system's own counters are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InSystem {
    NotAsked,
    Refused,
    Number(usize),
}

/// A counter's value now.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// With the instance that was found in place of a wildcard.
    pub path: String,
    /// Never NaN.
    pub value: Option<f64>,
    /// A plain number for counters that the catalog does not know: Windows tells no unit.
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
        "`{path}` names the computer `{machine}`, and this one is `{host}`: \
         only its own counters can be read"
    )]
    Machine { path: String, machine: String, host: String },
    #[error("{count} counter paths are given, at most {} are allowed", Session::MAX_PATHS)]
    TooMany { count: usize },
}

const ONE_READING: &str = "it takes two readings";

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
        let mut beyond = Beyond::default();
        let mut watched = Vec::with_capacity(paths.len());
        for path in paths {
            check_machine(&path, roots)?;
            match find(&path) {
                Ok(rows) => watched.extend(rows.into_iter().map(|row| Watched {
                    path: CounterPath {
                        object: Pattern::new(row.object),
                        counter: Pattern::new(row.counter),
                        ..path.clone()
                    },
                    row: Some(row),
                    system: InSystem::NotAsked,
                })),
                Err(source) => match beyond.add(&path) {
                    Some(number) => {
                        let system = InSystem::Number(number);
                        watched.push(Watched { path, row: None, system });
                    }
                    None => {
                        return Err(SessionError::Find { path: path.to_string(), source });
                    }
                },
            }
        }
        let rows: Vec<&Row> = watched.iter().filter_map(|watched| watched.row).collect();
        let reader = Reader::of_rows(roots, clock, &rows);
        Ok(Self { reader, beyond, watched, before: None })
    }

    /// Whether some counter takes two readings, so that the first one shows no value for it.
    pub fn needs_two(&self) -> bool {
        let needs = |watched: &Watched| watched.row.is_none_or(|r| r.formula.value.needs_two());
        self.watched.iter().any(needs)
    }

    /// Reads the machine. At least one reading per path, in their order; a wildcard gives one for
    /// each instance that there is now.
    pub fn sample(&mut self) -> Vec<Reading> {
        let now = self.reader.take();
        for watched in &mut self.watched {
            watched.ask_system(&now, &mut self.beyond);
        }
        self.beyond.collect();
        let before = self.before.as_ref();
        let readings = self
            .watched
            .iter()
            .flat_map(|watched| match (watched.system, watched.row) {
                (InSystem::Number(number), _) => watched.of_system(number, &self.beyond),
                (_, Some(row)) => watched.of_row(row, before, &now),
                (_, None) => Vec::new(),
            })
            .collect();
        self.before = Some(now);
        readings
    }
}

fn check_machine(path: &CounterPath, roots: &Roots) -> Result<(), SessionError> {
    let Some(machine) = &path.machine else { return Ok(()) };
    let host = host_facts(roots).host;
    if [host.as_str(), "localhost", "."].iter().any(|name| name.eq_ignore_ascii_case(machine)) {
        return Ok(());
    }
    Err(SessionError::Machine { path: path.to_string(), machine: machine.clone(), host })
}

impl Watched {
    fn ask_system(&mut self, now: &Snapshot, beyond: &mut Beyond) {
        if self.system == InSystem::NotAsked && self.row.is_some_and(|row| !now.serves(row)) {
            self.system = beyond.add(&self.path).map_or(InSystem::Refused, InSystem::Number);
        }
    }

    fn of_system(&self, number: usize, beyond: &Beyond) -> Vec<Reading> {
        let values = match beyond.values(number, self.path.instance.as_ref()) {
            Ok(values) => values,
            Err(why) => return vec![self.absent(why)],
        };
        if values.is_empty() {
            return vec![self.absent("no such instance is there now".to_owned())];
        }
        values
            .into_iter()
            .map(|(instance, index, value)| Reading {
                value,
                why_absent: value.is_none().then(|| ONE_READING.to_owned()),
                ..self.reading(Some(instance).filter(|name| !name.is_empty()), index)
            })
            .collect()
    }

    fn of_row(&self, row: &Row, before: Option<&Snapshot>, now: &Snapshot) -> Vec<Reading> {
        let cooked = cook(row, self.path.instance.as_ref(), before, now);
        if cooked.is_empty() {
            return vec![self.absent(why_no_instance(row, now))];
        }
        cooked
            .into_iter()
            .map(|Cooked { instance, index, value }| Reading {
                value: value.ok(),
                why_absent: value.err().map(|missing| why_missing(missing, now)),
                ..self.reading(instance, index)
            })
            .collect()
    }

    /// Without value, under the path as it was asked for.
    fn absent(&self, why: String) -> Reading {
        Reading {
            path: self.path.to_string(),
            value: None,
            unit: self.unit(),
            why_absent: Some(why),
        }
    }

    /// Of one instance; the value is filled in by the caller.
    fn reading(&self, instance: Option<String>, index: u32) -> Reading {
        let instance = instance.map(|name| Instance {
            name: Pattern::new(name),
            index: Some(index).filter(|index| *index > 0),
        });
        let path = CounterPath { instance, ..self.path.clone() };
        Reading { path: path.to_string(), value: None, unit: self.unit(), why_absent: None }
    }

    fn unit(&self) -> Unit {
        self.row.map_or(Unit::Count, |row| row.unit)
    }
}

fn why_missing(missing: Missing, now: &Snapshot) -> String {
    match missing {
        Missing::FirstReading => ONE_READING.to_owned(),
        Missing::NoEvents => "there were no events to take an average or share of".to_owned(),
        Missing::NotOfProcess => "the system does not tell it of this process".to_owned(),
        Missing::OnlyWindows(why) => format!("only Windows tells it: {why}"),
        Missing::NotTold(desc) => now
            .why_missing(desc)
            .map_or_else(|| format!("this system does not tell `{}`", desc.name), str::to_owned),
    }
}

fn why_no_instance(row: &Row, now: &Snapshot) -> String {
    if let Value::OnlyWindows { why } = row.formula.value {
        return why_missing(Missing::OnlyWindows(why), now);
    }
    let failed = row.formula.descs().find_map(|desc| now.why_missing(desc));
    let why = failed.unwrap_or(match row.instances {
        Instances::OnlyTotal => "the system counts this only for all instances together, `_Total`",
        _ => "no such instance is there now",
    });
    why.to_owned()
}
