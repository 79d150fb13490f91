//! What it looked like: charts, processes and events around an alert.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use barograph_alerts::incident::{Incident, Member};
use barograph_alerts::machine::Phase;
use barograph_collect::event::{Event, EventValue};
use barograph_collect::process::{ProcessSnapshot, ProcessSort};
use barograph_model::{Desc, METRIC_NAME, Unit};
use barograph_notify::{Chart, Evidence, HostEvent, Process};
use barograph_promql::{Engine, Options, Query, Series, Value};
use barograph_store::Store;

use crate::events::EventLog;
use crate::processes::Processes;

/// How far back charts and events go.
const BACK_MS: i64 = 3_600_000;
/// Two points for each pixel of a small chart would be seen by nobody.
const STEP_MS: i64 = 15_000;
const MAX_CHARTS: usize = 3;
/// Lines of one alert; more are a carpet.
const MAX_LINES: usize = 2;
const MAX_PROCESSES: usize = 5;
const MAX_EVENTS: usize = 10;
/// An older list of processes says nothing of that moment.
const PROCESSES_WITHIN_MS: i64 = 5 * 60_000;

/// Where evidence is found.
#[derive(Debug)]
pub struct Gatherer {
    pub store: Arc<Store>,
    pub engine: Engine,
    pub processes: Arc<Processes>,
    pub events: Arc<EventLog>,
    /// This host: processes and events are known of it only.
    pub host: String,
    /// Of metrics by their names.
    pub units: BTreeMap<&'static str, Unit>,
}

impl Gatherer {
    /// Longer than this nobody waits for a picture.
    const PATIENCE: Duration = Duration::from_secs(5);
    const MAX_SAMPLES: usize = 5_000_000;

    pub fn units(descs: &[&'static Desc]) -> BTreeMap<&'static str, Unit> {
        descs.iter().map(|desc| (desc.name, desc.unit)).collect()
    }

    /// The evidence of an incident as of a time. What cannot be found is left out.
    pub(crate) fn gather(&self, incident: &Incident, at_ms: i64) -> Evidence {
        let mut members: Vec<&Member> = incident.alerts.values().collect();
        members.sort_by_key(|it| (it.phase != Phase::Firing, std::cmp::Reverse(it.fired_ms)));
        let mut evidence = Evidence { charts: self.charts(&members, at_ms), ..Evidence::default() };
        let host = members.iter().find_map(|it| it.labels.get("host"));
        if host.is_none_or(|host| *host == self.host) {
            evidence.processes = self.processes(at_ms);
            evidence.events = self.events(at_ms);
        }
        evidence
    }

    fn charts(&self, members: &[&Member], at_ms: i64) -> Vec<Chart> {
        let mut charts = Vec::new();
        let mut drawn = BTreeSet::new();
        for member in members {
            let about = &member.about;
            let measured = about.measured.as_ref().map(|text| (text, about.threshold));
            let more = about.evidence.iter().map(|text| (text, None));
            for (text, threshold) in measured.into_iter().chain(more) {
                for series in self.lines(text, member, at_ms) {
                    let title = title(text, &series);
                    if charts.len() < MAX_CHARTS && drawn.insert(title.clone()) {
                        charts.push(self.chart(title, text, threshold, &series));
                    }
                }
            }
            if charts.len() >= MAX_CHARTS {
                break;
            }
        }
        charts
    }

    /// The series of an expression that belong to an alert.
    fn lines(&self, text: &str, member: &Member, at_ms: i64) -> Vec<Series> {
        let Ok(query) = Query::parse(text) else { return Vec::new() };
        let options = Options {
            timeout: Some(Self::PATIENCE),
            max_samples: Some(Self::MAX_SAMPLES),
            threads: Some(1),
            ..Options::default()
        };
        // The last point is the moment itself.
        let (from_ms, to_ms) = (at_ms - BACK_MS, at_ms);
        let answered = self.engine.range(&*self.store, &query, from_ms, to_ms, STEP_MS, &options);
        let Ok(Value::Matrix(series)) = answered.map(|it| it.value) else { return Vec::new() };
        let belongs = |series: &Series| {
            series.labels.iter().all(|(name, value)| {
                name == METRIC_NAME || member.labels.get(name).is_none_or(|it| it == value)
            })
        };
        series.into_iter().filter(belongs).take(MAX_LINES).collect()
    }

    fn chart(&self, title: String, text: &str, threshold: Option<f64>, series: &Series) -> Chart {
        let metric = text.split(['{', '[', ' ']).next().unwrap_or_default();
        let times = series.samples.times.iter().copied();
        let points = times.zip(series.samples.values.iter().copied());
        Chart {
            title,
            unit: self.units.get(metric).map_or("", |unit| unit.symbol()).to_owned(),
            points: points.filter(|(_, value)| value.is_finite()).collect(),
            threshold,
            step_ms: STEP_MS,
        }
    }

    fn processes(&self, at_ms: i64) -> Vec<Process> {
        // The list that is written when an alert fires comes a moment after it.
        let stored = self.processes.at(at_ms.saturating_add(2000)).ok().flatten();
        let newest = || self.processes.now().map(|it| ProcessSnapshot::clone(&it));
        let is_near =
            |it: &ProcessSnapshot| it.time_ms.abs_diff(at_ms) <= PROCESSES_WITHIN_MS.unsigned_abs();
        let Some(mut snapshot) = stored.filter(is_near).or_else(newest).filter(is_near) else {
            return Vec::new();
        };
        // Where nobody uses the processor, or it is not known yet, memory tells more than numbers.
        snapshot.processes.sort_by(|a, b| {
            let cpu = |it: &barograph_collect::process::Process| it.cpu_percent().unwrap_or(0.0);
            let by_cpu = cpu(b).total_cmp(&cpu(a));
            by_cpu.then_with(|| ProcessSort::Memory.compare(a, b))
        });
        let busiest = snapshot.processes.into_iter().take(MAX_PROCESSES).map(|it| Process {
            pid: it.id.pid,
            name: it.facts.name.clone(),
            user: it.facts.user.clone().unwrap_or_default(),
            cpu_percent: it.cpu_percent().unwrap_or_default(),
            memory_bytes: it.working_set_bytes as f64,
            io_bytes_per_second: it.io_bytes_per_second().unwrap_or_default(),
        });
        busiest.collect()
    }

    /// What happened before, but for the starts and ends of processes, of which there are many.
    fn events(&self, at_ms: i64) -> Vec<HostEvent> {
        const LOOKED_AT: usize = 2000;
        let Ok(found) = self.events.read((at_ms - BACK_MS, at_ms), &[], LOOKED_AT) else {
            return Vec::new();
        };
        let is_told = |it: &&Event| !matches!(&*it.kind, "process_started" | "process_ended");
        let newest = found.events.iter().rev().filter(is_told).take(MAX_EVENTS);
        newest.map(|it| HostEvent { at_ms: it.time_ms, text: told(it) }).collect()
    }
}

/// An event on one line.
fn told(event: &Event) -> String {
    const MAX_CHARS: usize = 200;
    let fields = event.fields.iter().map(|(name, value)| match value {
        EventValue::Text(text) => format!("{name}={text}"),
        EventValue::Integer(number) => format!("{name}={number}"),
    });
    let fields: Vec<String> = fields.collect();
    let line = format!("{} {} {}", event.kind.replace('_', " "), event.subject, fields.join(" "));
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_CHARS).collect()
}

/// An expression with the labels that tell this series from its neighbours.
fn title(text: &str, series: &Series) -> String {
    const MAX_CHARS: usize = 120;
    let labels = series.labels.iter().filter(|(name, _)| *name != METRIC_NAME && *name != "host");
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
    let expression = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = match labels.as_slice() {
        [] => expression,
        labels => format!("{expression} {}", labels.join(" ")),
    };
    title.chars().take(MAX_CHARS).collect()
}
