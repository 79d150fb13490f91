//! Checks: programs in the convention of Nagios' plugins, run by schedule.
//!
//! A check is off until it is listed in the configuration. It is run with its arguments as they
//! are, by no shell; who runs it is handed in by the program ([`RunProgram`]), since that depends
//! on the system. Its exit code becomes `check_status`, its performance data series, its text is
//! kept for the interface.

mod config;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use barograph_model::{Clock, Labels, METRIC_NAME, STALE, chain};
use barograph_wire::nagios::{self, Output};
use serde::Serialize;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tracing_mutex::stdsync::Mutex;

use crate::ingest::{Door, Ingest, Intake, Source, TooManySamples};
use crate::page::{Stored, put};
use crate::timestamp::iso;

pub use config::{Check, CheckConfig};

/// A program to be run, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments; never empty.
    pub argv: Vec<String>,
    /// Who it runs as; without it as the server does.
    pub user: Option<String>,
    pub timeout: Duration,
    /// What is read of its output; the rest is thrown away.
    pub max_output_bytes: usize,
    /// Whether its complaints are read, too; they come after what it printed.
    pub with_stderr: bool,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exit { code: i32, printed: Vec<u8> },
    /// By a signal, or in a way that has no code.
    Killed,
    /// At its deadline: it and everything that it started was ended.
    TimedOut,
    /// It could not be started.
    NotStarted(String),
}

/// Runs a program to its end.
pub type RunProgram =
    Arc<dyn Fn(Program) -> Pin<Box<dyn Future<Output = Ended> + Send>> + Send + Sync>;

/// Runs checks until it is stopped.
#[derive(Debug)]
pub struct Checks {
    listed: Vec<Arc<OneCheck>>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct OneCheck {
    check: Check,
    host: String,
    source: Arc<Source>,
    ingest: Arc<Ingest>,
    clock: Arc<dyn Clock>,
    run: RunProgram,
    /// Programs at once.
    places: Arc<Semaphore>,
    last: Mutex<Option<Last>>,
}

impl std::fmt::Debug for OneCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OneCheck").field("check", &self.check).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
struct Last {
    time_ms: i64,
    took: Duration,
    status: Status,
    output: Output,
}

/// The exit codes of the convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

/// One check, as `/api/checks` shows it.
#[derive(Debug, Serialize)]
pub struct CheckAnswer {
    name: String,
    command: Vec<String>,
    /// Nothing before its first run.
    status: Option<&'static str>,
    text: String,
    long_text: String,
    last_run: Option<String>,
    duration_seconds: Option<f64>,
    interval_seconds: f64,
    values: Vec<ValueAnswer>,
    unreadable_values: usize,
}

#[derive(Debug, Serialize)]
struct ValueAnswer {
    label: String,
    value: f64,
    unit: String,
    warning: Option<f64>,
    critical: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
}

impl Checks {
    /// More programs at once would be a load of their own.
    const AT_ONCE: usize = 4;

    /// Must be called where tokio runs.
    pub fn start(
        checks: Vec<Check>,
        host: &str,
        ingest: &Arc<Ingest>,
        clock: &Arc<dyn Clock>,
        run: &RunProgram,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let places = Arc::new(Semaphore::new(Self::AT_ONCE));
        let one = |check: Check| {
            Arc::new(OneCheck {
                source: ingest.source(Door::Check, &check.name),
                check,
                host: host.to_owned(),
                ingest: Arc::clone(ingest),
                clock: Arc::clone(clock),
                run: Arc::clone(run),
                places: Arc::clone(&places),
                last: Mutex::default(),
            })
        };
        let listed: Vec<_> = checks.into_iter().map(one).collect();
        let task = |one: &Arc<OneCheck>| tokio::spawn(Arc::clone(one).work(stopping.clone()));
        let tasks = Mutex::new(listed.iter().map(task).collect());
        Self { listed, stop, tasks }
    }

    /// Ends the tasks, and the programs that run.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if task.await.is_err() {
                tracing::error!("a check's task panicked");
            }
        }
    }

    pub fn answer(&self) -> Vec<CheckAnswer> {
        self.listed.iter().map(|one| one.answer()).collect()
    }
}

impl OneCheck {
    async fn work(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let interval_ms = i64::try_from(self.check.interval.as_millis()).unwrap_or(i64::MAX);
        let mut series = BTreeSet::new();
        loop {
            let at_work = self.turn(&mut series);
            let stop = stopping.wait_for(|stop| *stop);
            tokio::select! {
                () = at_work => {}
                _ = stop => return,
            }
            let wait_ms = interval_ms - self.clock.now_ms().rem_euclid(interval_ms);
            let wait = Duration::from_millis(wait_ms.unsigned_abs());
            if tokio::time::timeout(wait, stopping.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
        }
    }

    /// One run. `series` holds those of the run before, which end if this one lacks them.
    async fn turn(&self, series: &mut BTreeSet<Labels>) {
        let Ok(_place) = self.places.acquire().await else { return };
        let time_ms = self.clock.now_ms();
        let started = self.clock.monotonic();
        let ended = (self.run)(self.check.program.clone()).await;
        let took = self.clock.monotonic().saturating_sub(started);
        let (status, output) = judged(ended, self.check.program.timeout);
        let samples = self.samples(status, took, &output);
        let now: BTreeSet<Labels> = samples.iter().map(|one| one.labels.clone()).collect();
        let ends = series.difference(&now).map(|labels| Stored {
            labels: labels.clone(),
            value: STALE,
            time_ms: None,
        });
        let all: Vec<_> = samples.into_iter().chain(ends).collect();
        *series = now;
        self.tell(Last { time_ms, took, status, output });
        let gather = move |intake: &mut Intake<'_>| {
            all.iter().try_for_each(|sample| put(intake, sample, time_ms))
        };
        let source = Arc::clone(&self.source);
        if let Err(error) = self.ingest.write::<TooManySamples, _>(source, gather).await {
            tracing::warn!(check = self.check.name, error = chain(&error), "check not stored");
        }
    }

    fn samples(&self, status: Status, took: Duration, output: &Output) -> Vec<Stored> {
        let mut samples = Vec::new();
        let mut add = |name: &str, more: &[(&str, &str)], value: Option<f64>| {
            let own = [(METRIC_NAME, name), ("check", &self.check.name), ("host", &self.host)];
            let given = self.check.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()));
            let pairs = own.into_iter().chain(more.iter().copied()).chain(given);
            if let (Some(value), Ok(labels)) = (value, Labels::new(pairs)) {
                samples.push(Stored { labels, value, time_ms: None });
            }
        };
        add("check_status", &[], Some(f64::from(status as u8)));
        add("check_duration_seconds", &[], Some(took.as_secs_f64()));
        for one in &output.values {
            let more = [("perf", one.label.as_str()), ("unit", one.unit.as_str())];
            add("check_value", &more, Some(one.value));
            add("check_warning", &more, one.warning);
            add("check_critical", &more, one.critical);
            add("check_min", &more, one.min);
            add("check_max", &more, one.max);
        }
        samples
    }

    /// Keeps the newest answer, and logs when the status changes.
    fn tell(&self, last: Last) {
        let mut kept = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.as_ref().map_or(Status::Ok, |last| last.status);
        if before != last.status {
            let (check, status) = (&self.check.name, last.status.as_str());
            tracing::info!(check, status, text = last.output.text, "check has another status");
        }
        *kept = Some(last);
    }

    fn answer(&self) -> CheckAnswer {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let output = last.as_ref().map(|last| last.output.clone()).unwrap_or_default();
        CheckAnswer {
            name: self.check.name.clone(),
            command: self.check.program.argv.clone(),
            status: last.as_ref().map(|last| last.status.as_str()),
            text: output.text,
            long_text: output.long_text,
            last_run: last.as_ref().map(|last| iso(last.time_ms)),
            duration_seconds: last.as_ref().map(|last| last.took.as_secs_f64()),
            interval_seconds: self.check.interval.as_secs_f64(),
            values: output
                .values
                .into_iter()
                .map(|one| ValueAnswer {
                    label: one.label,
                    value: one.value,
                    unit: one.unit,
                    warning: one.warning,
                    critical: one.critical,
                    min: one.min,
                    max: one.max,
                })
                .collect(),
            unreadable_values: output.unreadable,
        }
    }
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// What an end means. Who ends by a signal or not at all has said nothing: unknown.
fn judged(ended: Ended, timeout: Duration) -> (Status, Output) {
    let unknown = |text: String| (Status::Unknown, Output { text, ..Output::default() });
    match ended {
        Ended::Exit { code, printed } => {
            let status = match code {
                0 => Status::Ok,
                1 => Status::Warning,
                2 => Status::Critical,
                _ => Status::Unknown,
            };
            (status, nagios::parse(&printed))
        }
        Ended::Killed => unknown("the program was ended by a signal".to_owned()),
        Ended::TimedOut => {
            unknown(format!("the program was ended after {} ms (`timeout`)", timeout.as_millis()))
        }
        Ended::NotStarted(why) => unknown(format!("the program could not be started: {why}")),
    }
}

#[cfg(test)]
mod tests;
