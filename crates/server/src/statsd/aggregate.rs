//! What has come together of each metric.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;
use std::time::Duration;

use barograph_model::{Labels, METRIC_NAME, STALE};

use barograph_wire::statsd::{self, Kind, Line, Metric, Values};

use crate::ingest::Reason;

use super::distribution::{Distribution, Random};
use super::settings::StatsdSettings;

#[derive(Debug)]
pub(super) struct Aggregate {
    settings: StatsdSettings,
    host: String,
    cells: HashMap<Labels, Cell>,
    max_cells: usize,
    random: Random,
    refused: BTreeMap<&'static str, (Reason, u64, String)>,
    own: Own,
}

/// Counts of what came, written as Barograph's own series.
#[derive(Debug, Default, PartialEq)]
struct Own {
    lines: u64,
    events: u64,
    service_checks: u64,
}

/// One metric with its labels.
#[derive(Debug)]
struct Cell {
    state: State,
    /// When its last measurement came, by the monotonic clock.
    touched: Duration,
}

#[derive(Debug)]
enum State {
    Counter(f64),
    Gauge(f64),
    /// Hashes of what came in this interval.
    Set(HashSet<u64>),
    Distribution(Box<Distribution>),
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Flushed {
    pub(super) samples: Vec<(Labels, f64)>,
    pub(super) refused: Vec<(Reason, u64, String)>,
}

impl Flushed {
    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.refused.is_empty()
    }
}

/// Different members of a set that are told apart in one interval.
const MAX_SET_MEMBERS: usize = 100_000;

impl Aggregate {
    pub(super) fn new(settings: StatsdSettings, host: &str, max_cells: usize) -> Self {
        Self {
            settings,
            host: host.to_owned(),
            cells: HashMap::new(),
            max_cells,
            random: Random::new(),
            refused: BTreeMap::new(),
            own: Own::default(),
        }
    }

    /// Takes in a line; what is wrong with it is told at the next flush.
    pub(super) fn take(&mut self, line: &[u8], now: Duration) {
        self.own.lines += 1;
        match statsd::parse(line) {
            Ok(Line::Metric(metric)) => self.add(&metric, now),
            Ok(Line::Event) => self.own.events += 1,
            Ok(Line::ServiceCheck) => self.own.service_checks += 1,
            Err(error) => {
                let start: String = String::from_utf8_lossy(line).chars().take(80).collect();
                self.refuse(Reason::Malformed, format!("{error}, in `{start}`"));
            }
        }
    }

    fn refuse(&mut self, reason: Reason, example: String) {
        self.refused.entry(reason.as_str()).or_insert((reason, 0, example)).1 += 1;
    }

    fn add(&mut self, metric: &Metric<'_>, now: Duration) {
        let labels = match self.labels(metric) {
            Ok(labels) => labels,
            Err(error) => return self.refuse(Reason::Labels, error.to_string()),
        };
        if !self.cells.contains_key(&labels) {
            if self.cells.len() >= self.max_cells {
                let max = self.max_cells;
                return self.refuse(
                    Reason::SeriesBudget,
                    format!("{labels}; `ingest.max_series_per_source` is {max}"),
                );
            }
            match State::new(metric.kind, &labels, &self.settings) {
                Ok(state) => drop(self.cells.insert(labels.clone(), Cell { state, touched: now })),
                Err(error) => return self.refuse(Reason::Labels, error.to_string()),
            }
        }
        let Some(cell) = self.cells.get_mut(&labels) else { return };
        cell.touched = now;
        if !cell.state.add(metric, &self.settings, &mut self.random) {
            self.refuse(
                Reason::Malformed,
                format!("{labels} is sent as two types; each needs a name of its own"),
            );
        }
    }

    fn labels(&self, metric: &Metric<'_>) -> Result<Labels, barograph_model::LabelsError> {
        let mut pairs = BTreeMap::from([("host".into(), &*self.host)]);
        for (name, value) in &metric.tags {
            // A tag without a value is a flag; of a tag given twice the last one counts.
            pairs.insert(statsd::label_name(name), if value.is_empty() { "true" } else { value });
        }
        let name = statsd::metric_name(metric.name);
        pairs.insert(METRIC_NAME.into(), &name);
        Labels::new(pairs)
    }

    /// What is to be written now; a new interval begins.
    pub(super) fn flush(&mut self, now: Duration) -> Flushed {
        let mut samples = Vec::new();
        let expiry = self.settings.expiry;
        self.cells.retain(|labels, cell| {
            let is_over = now.saturating_sub(cell.touched) >= expiry;
            if is_over {
                cell.state.end(labels, &mut samples);
            } else {
                cell.state.flush(labels, &self.settings, &mut samples);
            }
            !is_over
        });
        if self.own != Own::default() {
            self.flush_own(&mut samples);
        }
        let refused = std::mem::take(&mut self.refused).into_values().collect();
        Flushed { samples, refused }
    }

    fn flush_own(&self, samples: &mut Vec<(Labels, f64)>) {
        let Own { lines, events, service_checks } = self.own;
        let own = [
            ("barograph_statsd_lines_total", lines),
            ("barograph_statsd_events_total", events),
            ("barograph_statsd_service_checks_total", service_checks),
        ];
        for (name, count) in own {
            if let Ok(labels) = Labels::new([(METRIC_NAME, name), ("host", &self.host)]) {
                samples.push((labels, count as f64));
            }
        }
    }
}

impl State {
    fn new(
        kind: Kind,
        labels: &Labels,
        settings: &StatsdSettings,
    ) -> Result<Self, barograph_model::LabelsError> {
        Ok(match kind {
            Kind::Counter => Self::Counter(0.0),
            Kind::Gauge => Self::Gauge(0.0),
            Kind::Set => Self::Set(HashSet::new()),
            Kind::Timer | Kind::Histogram => {
                Self::Distribution(Box::new(Distribution::new(labels, settings)?))
            }
        })
    }

    /// Whether the metric is of this type.
    fn add(&mut self, metric: &Metric<'_>, settings: &StatsdSettings, random: &mut Random) -> bool {
        let weight = 1.0 / metric.rate;
        match (self, metric.kind, &metric.values) {
            (Self::Counter(total), Kind::Counter, Values::Numbers(numbers)) => {
                *total += numbers.iter().sum::<f64>() * weight;
            }
            (Self::Gauge(value), Kind::Gauge, Values::Numbers(numbers)) => {
                *value = numbers.last().copied().unwrap_or(*value);
            }
            (Self::Gauge(value), Kind::Gauge, Values::Change(change)) => *value += change,
            (Self::Set(members), Kind::Set, Values::Texts(texts)) => {
                let hasher = foldhash::quality::FixedState::default();
                let room = MAX_SET_MEMBERS.saturating_sub(members.len());
                members.extend(texts.iter().take(room).map(|text| hasher.hash_one(text)));
            }
            (
                Self::Distribution(values),
                Kind::Timer | Kind::Histogram,
                Values::Numbers(numbers),
            ) => {
                // Timers come in milliseconds, and are kept in the base unit.
                let scale = if metric.kind == Kind::Timer { 1e-3 } else { 1.0 };
                for number in numbers {
                    values.add(number * scale, weight, &settings.buckets, random);
                }
            }
            _ => return false,
        }
        true
    }

    fn flush(&mut self, labels: &Labels, settings: &StatsdSettings, out: &mut Vec<(Labels, f64)>) {
        match self {
            Self::Counter(value) | Self::Gauge(value) => out.push((labels.clone(), *value)),
            Self::Set(members) => {
                out.push((labels.clone(), members.len() as f64));
                members.clear();
            }
            Self::Distribution(values) => values.flush(settings, out),
        }
    }

    /// Says of each series that it has ended.
    fn end(&self, labels: &Labels, out: &mut Vec<(Labels, f64)>) {
        match self {
            Self::Distribution(values) => {
                out.extend(values.series().map(|labels| (labels.clone(), STALE)));
            }
            _ => out.push((labels.clone(), STALE)),
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected numbers are exact")]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn aggregate() -> Aggregate {
        Aggregate::new(StatsdSettings::default(), "web-1", 100)
    }

    fn flush(aggregate: &mut Aggregate, now: Duration) -> BTreeMap<String, f64> {
        let samples = aggregate.flush(now).samples;
        let shown = samples.into_iter().map(|(labels, value)| (labels.to_string(), value));
        shown.filter(|(name, _)| !name.starts_with("barograph_")).collect()
    }

    #[test]
    fn counters_grow_and_gauges_move() {
        let mut aggregate = aggregate();
        for line in ["hits:1|c|@0.1", "hits:2|c", "level:10|g", "level:-3|g", "who:a|s", "who:b|s"]
        {
            aggregate.take(line.as_bytes(), S(0));
        }
        aggregate.take(b"who:a|s", S(1));
        let first = flush(&mut aggregate, S(10));
        let value = |name: &str| first[&format!("{name}{{host=\"web-1\"}}")];
        assert_eq!((value("hits"), value("level"), value("who")), (12.0, 7.0, 2.0));
        aggregate.take(b"hits:1|c", S(11));
        let second = flush(&mut aggregate, S(20));
        assert_eq!(second[r#"hits{host="web-1"}"#], 13.0);
        assert_eq!(second[r#"level{host="web-1"}"#], 7.0);
        assert_eq!(second[r#"who{host="web-1"}"#], 0.0);
    }

    #[test]
    fn timers_are_kept_in_seconds_and_weighed_by_their_rate() {
        let mut aggregate = aggregate();
        aggregate.take(b"req.time:100:300|ms|@0.5|#path:/a", S(0));
        let samples = flush(&mut aggregate, S(10));
        assert_eq!(samples[r#"req_time_count{host="web-1",path="/a"}"#], 4.0);
        assert_eq!(samples[r#"req_time_sum{host="web-1",path="/a"}"#], 0.8);
        assert_eq!(samples[r#"req_time{host="web-1",path="/a",quantile="0.5"}"#], 0.2);
        let idle = flush(&mut aggregate, S(20));
        assert_eq!(idle.len(), 2, "{idle:?}");
    }

    #[test]
    fn what_is_silent_ends_with_a_stale_marker() {
        let mut aggregate = aggregate();
        aggregate.take(b"hits:1|c", S(0));
        aggregate.take(b"t:1|h", S(0));
        assert_eq!(flush(&mut aggregate, S(299)).len(), 7);
        let ended = flush(&mut aggregate, S(300));
        assert_eq!(ended.len(), 7);
        assert!(ended.values().all(|value| value.to_bits() == STALE.to_bits()));
        assert!(flush(&mut aggregate, S(301)).is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_with_the_line() {
        let mut aggregate = aggregate();
        for line in ["a:1|c|@0", "b:x|g", "m:1|c", "m:1|g", "_e{1,1}:a|b", "_sc|x|0"] {
            aggregate.take(line.as_bytes(), S(0));
        }
        let flushed = aggregate.flush(S(1));
        let (reason, count, example) = &flushed.refused[0];
        assert_eq!((*reason, *count), (Reason::Malformed, 3));
        assert!(example.ends_with("at most 1, in `a:1|c|@0`"), "{example}");
        let own = flushed.samples.iter().map(|(labels, value)| (labels.name(), *value));
        let own: BTreeMap<_, _> = own.collect();
        assert_eq!(own["barograph_statsd_lines_total"], 6.0);
        assert_eq!(own["barograph_statsd_events_total"], 1.0);
        assert_eq!(own["barograph_statsd_service_checks_total"], 1.0);
    }

    #[test]
    fn senders_cannot_fill_the_memory() {
        let mut aggregate = aggregate();
        for number in 0..300 {
            aggregate.take(format!("m:1|c|#i:{number}").as_bytes(), S(0));
        }
        let flushed = aggregate.flush(S(1));
        let (reason, count, example) = &flushed.refused[0];
        assert_eq!((*reason, *count), (Reason::SeriesBudget, 200));
        assert!(example.contains("is 100"), "{example}");
        assert_eq!(flushed.samples.len(), 103);
    }

    #[test]
    fn tags_may_name_the_host_and_come_twice() {
        let mut aggregate = aggregate();
        aggregate.take(b"m:1|c|#host:db-1,role:a,role:b,flag", S(0));
        let samples = flush(&mut aggregate, S(1));
        let expected = r#"m{flag="true",host="db-1",role="b"}"#;
        assert_eq!(samples.keys().collect::<Vec<_>>(), [expected]);
    }
}
