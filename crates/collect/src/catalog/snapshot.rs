//! The machine at one moment, read without the runner.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Desc};

use super::formula::Value;
use super::row::{Instances, Row};
use crate::cpu_details::NODE;
use crate::process::{CountedProcess, LiveProcesses};
use crate::{Collector, Roots, Sink, chain, registry};

/// What the collectors said at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Monotonic.
    pub(super) at: Duration,
    pub(super) samples: Vec<Taken>,
    pub(super) failures: Vec<Failure>,
    pub(super) processes: Processes,
}

/// The processes by number, where some counter shows them.
#[derive(Debug, Clone, Default)]
pub(super) enum Processes {
    #[default]
    NotAsked,
    Failed(String),
    Read(Vec<CountedProcess>),
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taken {
    pub(super) desc: &'static Desc,
    /// In the order of `desc.labels`.
    pub(super) values: Vec<Box<str>>,
    pub(super) value: f64,
}

/// A collector that said nothing, or not all.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) descs: &'static [&'static Desc],
    pub(super) why: String,
}

impl Snapshot {
    pub(super) fn of(&self, desc: &'static Desc) -> impl Iterator<Item = &Taken> {
        self.samples.iter().filter(move |taken| std::ptr::eq(taken.desc, desc))
    }

    pub(super) fn processes(&self) -> &[CountedProcess] {
        match &self.processes {
            Processes::Read(processes) => processes,
            Processes::NotAsked | Processes::Failed(_) => &[],
        }
    }

    /// Whether this system tells what a counter is made of.
    pub fn serves(&self, row: &Row) -> bool {
        if let Value::OfProcess(counter) = row.formula.value {
            return self.processes().iter().any(|process| counter.is_told_of(process));
        }
        let has = |desc| self.of(desc).next().is_some();
        let mut needed = row.formula.value.sums().flatten().filter(|term| !term.optional);
        let has_names = !matches!(row.instances, Instances::OfNodes { .. }) || has(&NODE);
        !matches!(row.formula.value, Value::OnlyWindows { .. })
            && has_names
            && needed.all(|term| has(term.desc))
    }

    /// Why a counter is not served.
    pub fn why_not(&self, row: &Row) -> String {
        if let Value::OnlyWindows { why } = row.formula.value {
            return why.to_owned();
        }
        if let Value::OfProcess(_) = row.formula.value {
            return match &self.processes {
                Processes::Failed(why) => why.clone(),
                _ => "this system tells it of no process".to_owned(),
            };
        }
        let lacks = |desc: &&'static Desc| self.of(desc).next().is_none();
        match row.descs().find(lacks) {
            None => String::new(),
            Some(desc) => self.why_missing(desc).map_or_else(
                || format!("this system does not tell `{}`", desc.name),
                str::to_owned,
            ),
        }
    }

    /// The node of a processor and its index there; where nodes are not told, there is but one.
    pub(super) fn place_of<'a>(&'a self, cpu: &'a str) -> (f64, &'a str) {
        let place = self.of(&NODE).find(|taken| taken.label("cpu") == Some(cpu));
        place.map_or((0.0, cpu), |taken| (taken.value, taken.label("index").unwrap_or(cpu)))
    }

    /// Why a metric is missing, if its collector said so.
    pub(super) fn why_missing(&self, desc: &'static Desc) -> Option<&str> {
        let failed = |failure: &&Failure| failure.descs.iter().any(|d| std::ptr::eq(*d, desc));
        self.failures.iter().find(failed).map(|failure| failure.why.as_str())
    }
}

impl Taken {
    /// The value of a label, if the metric and the sample have it.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        let at = self.desc.labels.iter().position(|label| *label == name)?;
        self.values.get(at).map(AsRef::as_ref)
    }
}

impl Sink for Snapshot {
    fn push(&mut self, desc: &'static Desc, values: &[&str], value: f64) {
        let values = values.iter().map(|value| (*value).into()).collect();
        self.samples.push(Taken { desc, values, value });
    }
}

/// Reads the machine directly. What hangs, hangs the caller.
pub struct Reader {
    collectors: Vec<Box<dyn Collector>>,
    processes: Option<LiveProcesses>,
    clock: Arc<dyn Clock>,
}

impl Reader {
    /// With the collectors that the given metrics come from.
    pub fn new(roots: &Roots, clock: Arc<dyn Clock>, descs: &[&'static Desc]) -> Self {
        let is_wanted = |desc: &&Desc| descs.iter().any(|wanted| std::ptr::eq(*wanted, *desc));
        let mut collectors = registry::all(roots, &clock);
        collectors.retain(|collector| collector.descs().iter().any(is_wanted));
        Self { collectors, processes: None, clock }
    }

    /// With all that these counters are made of.
    pub fn of_rows(roots: &Roots, clock: Arc<dyn Clock>, rows: &[&Row]) -> Self {
        let descs: Vec<&'static Desc> = rows.iter().flat_map(|row| row.descs()).collect();
        let is_of_process = |row: &&Row| matches!(row.formula.value, Value::OfProcess(_));
        let needs_processes = rows.iter().any(is_of_process);
        let processes = needs_processes.then(|| LiveProcesses::new(roots, Arc::clone(&clock)));
        Self { processes, ..Self::new(roots, clock, &descs) }
    }

    /// All that the collectors say now.
    pub fn take(&mut self) -> Snapshot {
        let mut snapshot = Snapshot { at: self.clock.monotonic(), ..Snapshot::default() };
        for collector in &mut self.collectors {
            if let Err(error) = collector.collect(&mut snapshot) {
                let failure = Failure { descs: collector.descs(), why: chain(&error) };
                snapshot.failures.push(failure);
            }
        }
        if let Some(processes) = &mut self.processes {
            snapshot.processes = match processes.count() {
                Ok(processes) => Processes::Read(processes),
                Err(error) => Processes::Failed(chain(&error)),
            };
        }
        snapshot
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.collectors.iter().map(|collector| collector.name());
        f.debug_list().entries(names).finish()
    }
}
