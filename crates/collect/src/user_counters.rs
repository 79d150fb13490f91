//! Counters that the user names in the configuration, beyond those that are collected anyway.

use std::collections::HashMap;
use std::time::Duration;

use barograph_model::{CounterPath, Desc, Instance, Kind, Pattern, Unit};

use crate::catalog::{self, Row, Value};
use crate::system_counters::{CounterValue, SystemCounters};
use crate::{Collector, Error, Sink, chain};

/// Why a path cannot be collected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserCounterError {
    #[error("`{path}`: {problem}")]
    Path { path: String, problem: String },
    #[error("`{path}`: only the instance may be a wildcard")]
    Wildcard { path: String },
    #[error("`{path}` names a computer: only this one's counters are collected")]
    Machine { path: String },
    #[error("`{path}` is not known here: {why}; only Windows has counters of other programs")]
    Unknown { path: String, why: String },
    #[error("`{path}` is not told by this system: {why}")]
    OnlyWindows { path: String, why: &'static str },
    #[error("`{path}` and `{other}` would both be stored as `{name}`")]
    SameName { path: String, other: String, name: String },
    #[error("{count} paths are given, at most {} are allowed", UserCounters::MAX_PATHS)]
    TooMany { count: usize },
}

/// Paths that can be collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserCounters {
    paths: Vec<CounterPath>,
}

impl UserCounters {
    pub const MAX_PATHS: usize = 500;

    /// Checks paths as they are written in the configuration.
    ///
    /// # Errors
    /// All that cannot be collected.
    pub fn new(paths: &[String]) -> Result<Self, Vec<UserCounterError>> {
        Self::on(paths, SystemCounters::open().is_ok())
    }

    fn on(paths: &[String], has_system_counters: bool) -> Result<Self, Vec<UserCounterError>> {
        if paths.len() > Self::MAX_PATHS {
            return Err(vec![UserCounterError::TooMany { count: paths.len() }]);
        }
        let mut errors = Vec::new();
        let mut known: HashMap<String, CounterPath> = HashMap::new();
        let mut checked = Self::default();
        for text in paths {
            match check(text, has_system_counters) {
                Ok(path) => {
                    let name = counter_metric_name(&path);
                    match known.get(&name) {
                        Some(other) if !is_same_counter(other, &path) => {
                            let (path, other) = (text.clone(), other.to_string());
                            errors.push(UserCounterError::SameName { path, other, name });
                        }
                        _ => {
                            known.insert(name, path.clone());
                            checked.paths.push(path);
                        }
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(checked) } else { Err(errors) }
    }

    /// Those that are collected anyway, as what; the rest goes to the collector.
    pub fn collected_anyway(&self) -> Vec<(String, Vec<&'static str>)> {
        let own = self.paths.iter().filter_map(|path| Some((path, own_rows(path)?)));
        own.map(|(path, rows)| {
            let mut names: Vec<_> =
                rows.iter().flat_map(|row| row.formula.descs()).map(|desc| desc.name).collect();
            names.sort_unstable();
            names.dedup();
            (path.to_string(), names)
        })
        .collect()
    }

    /// The collector of the others; nothing if there are none.
    pub fn collector(&self) -> Option<Box<dyn Collector>> {
        let others: Vec<_> =
            self.paths.iter().filter(|path| own_rows(path).is_none()).cloned().collect();
        (!others.is_empty()).then(|| collector_over(others, None))
    }
}

/// The catalog's rows that a path names, if their metrics come from this system's own sources.
fn own_rows(path: &CounterPath) -> Option<Vec<&'static Row>> {
    let rows = catalog::find(path).ok()?;
    let is_own = |row: &&Row| !matches!(row.formula.value, Value::OnlyWindows { .. });
    rows.iter().all(is_own).then_some(rows)
}

fn check(text: &str, has_system_counters: bool) -> Result<CounterPath, UserCounterError> {
    let path = || text.to_owned();
    let parsed = CounterPath::parse(text).map_err(|error| UserCounterError::Path {
        path: path(),
        problem: format!("{}, at character {}", error.problem, error.position),
    })?;
    if parsed.machine.is_some() {
        return Err(UserCounterError::Machine { path: path() });
    }
    if parsed.object.has_wildcard() || parsed.counter.has_wildcard() {
        return Err(UserCounterError::Wildcard { path: path() });
    }
    if has_system_counters {
        return Ok(parsed);
    }
    match catalog::find(&parsed) {
        Err(error) => Err(UserCounterError::Unknown { path: path(), why: error.to_string() }),
        Ok(rows) => match rows.iter().find_map(|row| match row.formula.value {
            Value::OnlyWindows { why } => Some(why),
            _ => None,
        }) {
            Some(why) => Err(UserCounterError::OnlyWindows { path: path(), why }),
            None => Ok(parsed),
        },
    }
}

fn is_same_counter(a: &CounterPath, b: &CounterPath) -> bool {
    let same = |a: &Pattern, b: &Pattern| a.as_str().eq_ignore_ascii_case(b.as_str());
    same(&a.object, &b.object) && same(&a.counter, &b.counter)
}

/// What a counter is stored as: `counter_`, the object and the counter in lower case, where `%`
/// becomes `percent`, `/` becomes `per`, and everything else that is no Latin letter or digit one
/// underscore.
pub fn counter_metric_name(path: &CounterPath) -> String {
    let text = format!("counter {} {}", path.object, path.counter)
        .to_lowercase()
        .replace('%', " percent ")
        .replace('/', " per ");
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// Asks the system for the counters, all in one question.
#[derive(Debug)]
struct UserCollector {
    watched: Vec<Watched>,
    descs: &'static [&'static Desc],
    counters: Option<SystemCounters>,
    readings_until_retry: u32,
    values: Vec<CounterValue>,
}

#[derive(Debug)]
struct Watched {
    path: CounterPath,
    desc: &'static Desc,
    /// Absent while the system does not have it.
    number: Option<usize>,
}

impl UserCollector {
    /// Programs are installed and updated while we run.
    const READINGS_PER_RETRY: u32 = 60;

    /// The metrics' descriptions live as long as the program: there is one list of them, made
    /// once from the configuration.
    fn new(paths: Vec<CounterPath>) -> Self {
        let mut descs: Vec<&'static Desc> = Vec::new();
        let watched = paths
            .into_iter()
            .map(|path| {
                let name = counter_metric_name(&path);
                let known = descs.iter().copied().find(|desc| desc.name == name);
                let desc = known.unwrap_or_else(|| describe(name, &path));
                if known.is_none() {
                    descs.push(desc);
                }
                Watched { path, desc, number: None }
            })
            .collect();
        Self {
            watched,
            descs: descs.leak(),
            counters: None,
            readings_until_retry: 0,
            values: Vec::new(),
        }
    }

    fn add_missing(&mut self, counters: &mut SystemCounters) {
        if self.readings_until_retry > 0 {
            self.readings_until_retry -= 1;
            return;
        }
        self.readings_until_retry = Self::READINGS_PER_RETRY;
        for watched in self.watched.iter_mut().filter(|watched| watched.number.is_none()) {
            match counters.add(&of_all(&watched.path)) {
                Ok(number) => watched.number = Some(number),
                Err(error) => {
                    let path = watched.path.to_string();
                    tracing::debug!(path, error = chain(&error), "counter not there");
                }
            }
        }
    }

    fn push_all(&mut self, counters: &SystemCounters, out: &mut dyn Sink) -> Result<(), Error> {
        let Self { watched, values, .. } = self;
        for Watched { path, desc, number } in watched {
            let Some(number) = *number else { continue };
            counters.values(number, values)?;
            for (i, CounterValue { instance, value }) in values.iter().enumerate() {
                let is_same = |other: &&CounterValue| other.instance.eq_ignore_ascii_case(instance);
                let index = u32::try_from(values[..i].iter().filter(is_same).count());
                let index = index.unwrap_or(u32::MAX);
                if !catalog::fits(path.instance.as_ref(), instance, index) {
                    continue;
                }
                let label = match (instance.as_str(), index) {
                    (name, 0) => name.to_owned(),
                    (name, index) => format!("{name}#{index}"),
                };
                let labels = [label.as_str()];
                let labels = if label.is_empty() { &labels[..0] } else { &labels[..] };
                out.push_some(desc, labels, *value);
            }
        }
        Ok(())
    }
}

fn describe(name: String, path: &CounterPath) -> &'static Desc {
    let help = format!("`{path}`, named in the configuration.");
    Box::leak(Box::new(Desc {
        name: name.leak(),
        kind: Kind::Gauge,
        unit: Unit::Count,
        help: help.leak(),
        labels: &["instance"],
    }))
}

/// The system is asked for all instances, and those that are wanted are picked.
fn of_all(path: &CounterPath) -> String {
    let all = Instance { name: Pattern::new("*"), index: None };
    CounterPath { instance: path.instance.as_ref().map(|_| all), ..path.clone() }.to_string()
}

impl Collector for UserCollector {
    fn name(&self) -> &'static str {
        "user_counters"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        self.descs
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Other programs answer, in their own time.
    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let mut counters = match self.counters.take() {
            Some(counters) => counters,
            None => SystemCounters::open()?,
        };
        self.add_missing(&mut counters);
        let result = match counters.collect() {
            Ok(()) => self.push_all(&counters, out),
            Err(error) => Err(error),
        };
        self.counters = Some(counters);
        result
    }
}

/// Over a source that is open already, or one to be opened.
pub(crate) fn collector_over(
    paths: Vec<CounterPath>,
    counters: Option<SystemCounters>,
) -> Box<dyn Collector> {
    Box::new(UserCollector { counters, ..UserCollector::new(paths) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> String {
        counter_metric_name(&CounterPath::parse(path).unwrap())
    }

    fn on(paths: &[&str], has_system_counters: bool) -> Result<UserCounters, Vec<String>> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        UserCounters::on(&paths, has_system_counters)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_metrics_name_comes_from_object_and_counter() {
        assert_eq!(
            name(r"\SQLServer:Buffer Manager\Buffer cache hit ratio"),
            "counter_sqlserver_buffer_manager_buffer_cache_hit_ratio"
        );
        assert_eq!(
            name(r"\.NET CLR Memory(*)\% Time in GC"),
            "counter_net_clr_memory_percent_time_in_gc"
        );
        assert_eq!(
            name(r"\Web Service(_Total)\Bytes Total/sec"),
            "counter_web_service_bytes_total_per_sec"
        );
    }

    #[test]
    fn a_system_without_counters_of_its_own_knows_the_catalog_only() {
        let errors = on(
            &[
                r"\SQLServer:Locks(*)\Lock Waits/sec",
                r"\Memory\Available Bytes",
                r"\Memory\Write Copies/sec",
                r"Memory\x",
                r"\\other\Memory\Available Bytes",
                r"\Memory\*",
            ],
            false,
        )
        .unwrap_err();
        assert_eq!(
            errors,
            [
                r"`\SQLServer:Locks(*)\Lock Waits/sec` is not known here: no object is called `SQLServer:Locks`; only Windows has counters of other programs",
                r"`\Memory\Write Copies/sec` is not told by this system: Linux counts no copies on write for the whole system",
                r"`Memory\x`: a counter path starts with a backslash, at character 1",
                r"`\\other\Memory\Available Bytes` names a computer: only this one's counters are collected",
                r"`\Memory\*`: only the instance may be a wildcard",
            ]
        );
        let counters = on(&[r"\Memory\Available Bytes"], false).unwrap();
        assert_eq!(
            counters.collected_anyway(),
            [(r"\Memory\Available Bytes".to_owned(), vec!["memory_available_bytes"])]
        );
        assert!(counters.collector().is_none());
    }

    #[test]
    fn counters_of_one_name_are_refused_and_instances_of_one_counter_share_a_metric() {
        let errors = on(&[r"\A B\C", r"\A-B\C"], true).unwrap_err();
        assert_eq!(errors, [r"`\A-B\C` and `\A B\C` would both be stored as `counter_a_b_c`"]);
        let counters = on(&[r"\Web Service(a)\X", r"\web service(b)\x"], true).unwrap();
        assert_eq!(counters.collector().unwrap().descs().len(), 1);
        let many: Vec<_> = (0..=UserCounters::MAX_PATHS).map(|i| format!(r"\A\{i}")).collect();
        let error = UserCounters::on(&many, true).unwrap_err();
        assert_eq!(error, [UserCounterError::TooMany { count: UserCounters::MAX_PATHS + 1 }]);
    }

    /// Samples by metric and labels.
    #[derive(Default)]
    struct Samples(Vec<(String, f64)>);

    impl Sink for Samples {
        fn push(&mut self, desc: &'static Desc, values: &[&str], value: f64) {
            self.0.push((format!("{}{values:?}", desc.name), value));
        }
    }

    #[test]
    fn what_the_system_has_is_collected_and_what_it_lacks_is_left_out() {
        let paths = [r"\System\System Up Time", r"\Barograph Knows No Such Object\X"];
        let parsed = paths.map(|path| CounterPath::parse(path).unwrap()).into();
        let mut collector = UserCollector::new(parsed);
        let mut samples = Samples::default();
        match collector.collect(&mut samples) {
            Ok(()) => {
                assert_eq!(samples.0.len(), 1, "{:?}", samples.0);
                assert_eq!(samples.0[0].0, "counter_system_system_up_time[]");
                assert!(samples.0[0].1 > 0.0);
            }
            Err(error) => assert!(error.is_absent() && SystemCounters::open().is_err(), "{error}"),
        }
    }
}
