//! How Barograph itself is doing: for people and for load balancers.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use barograph_collect::{CollectorStatus, RunnerStatus};
use barograph_store::Stats;
use serde::Serialize;
use serde_json::json;

use crate::alerting::AlertingStatus;
use crate::app::{App, Context};

use super::storage::Storage;

/// Readings may be this late before the host counts as unwatched.
const MAX_SILENCE_MS: i64 = 10_000;

pub(crate) async fn healthz(State(context): State<Context>) -> Response {
    match trouble(&context) {
        None => Json(json!({ "status": "ok" })).into_response(),
        Some(reason) => {
            let body = Json(json!({ "status": "failing", "reason": reason }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

/// Why this server is not doing its job, if it is not.
pub(super) fn trouble(app: &App) -> Option<String> {
    if let Some(failure) = app.feed.status().failure {
        return Some(format!("samples are not being stored: {failure}"));
    }
    let newest_ms = app.latest.read().time_ms();
    let silent_ms = app.clock.now_ms() - newest_ms;
    if newest_ms == 0 {
        Some("nothing has been collected yet".into())
    } else if silent_ms > MAX_SILENCE_MS.max(3 * app.interval_ms * pace(app)) {
        Some(format!("nothing has been collected for {} s", silent_ms / 1000))
    } else {
        None
    }
}

/// Intervals between two readings; more than one while collecting is over its budget.
fn pace(app: &App) -> i64 {
    (app.runner.0)().map_or(1, |status| i64::from(status.pace))
}

#[derive(Debug, Serialize)]
pub(crate) struct StatusAnswer {
    version: &'static str,
    trouble: Option<String>,
    newest_ms: i64,
    live_series: usize,
    live_connections: usize,
    ticks: u64,
    missed_ticks: u64,
    clock_jumps: u64,
    pace: u32,
    own: OwnAnswer,
    collectors: Vec<CollectorAnswer>,
    store: StoreAnswer,
    alerting: AlertingStatus,
}

/// What Barograph itself takes; absent where the system does not tell.
#[derive(Debug, Serialize)]
struct OwnAnswer {
    cpu_percent: Option<f64>,
    resident_bytes: Option<f64>,
    threads: Option<f64>,
    handles: Option<f64>,
    memory_limit_bytes: Option<f64>,
    handles_limit: Option<f64>,
    /// What is over its limit: `memory`, `handles`.
    over: Vec<&'static str>,
}

fn own(app: &App) -> OwnAnswer {
    let thrift = app.thrift.status();
    let measures = [("memory", thrift.memory), ("handles", thrift.handles)];
    let table = app.latest.read();
    let newest = |metric, rate| table.entries(metric).first()?.value_at(table.time_ms(), rate);
    OwnAnswer {
        cpu_percent: newest("barograph_cpu_seconds_total", true).map(|share| 100.0 * share),
        resident_bytes: newest("barograph_memory_resident_bytes", false),
        threads: newest("barograph_threads", false),
        handles: newest("barograph_open_handles", false),
        memory_limit_bytes: thrift.memory.limit,
        handles_limit: thrift.handles.limit,
        over: measures.iter().filter(|(_, it)| it.is_over).map(|(what, _)| *what).collect(),
    }
}

#[derive(Debug, Serialize)]
struct CollectorAnswer {
    name: &'static str,
    state: &'static str,
    interval_ms: u128,
    stretch: u32,
    duration_ms: Option<f64>,
    total_seconds: f64,
    samples: usize,
    runs: u64,
    failures: u64,
    timeouts: u64,
    panics: u64,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct StoreAnswer {
    partitions: u64,
    series: u64,
    samples: u64,
    disk_bytes: u64,
    head_bytes: u64,
    oldest_ms: Option<i64>,
    newest_ms: Option<i64>,
    waiting_batches: usize,
    lost_batches: u64,
    refused_samples: u64,
    refused_by_reason: BTreeMap<&'static str, u64>,
    failed_commits: u64,
    failed_seals: u64,
    failed_imports: u64,
    damaged_parts: u64,
    problems: Vec<String>,
    storage: Storage,
}

pub(crate) async fn status(State(context): State<Context>) -> Json<StatusAnswer> {
    let table = context.latest.read();
    let (newest_ms, live_series) = (table.time_ms(), table.series_count());
    drop(table);
    let runner = (context.runner.0)();
    let count = |value: fn(&RunnerStatus) -> u64| runner.as_ref().map_or(0, value);
    Json(StatusAnswer {
        version: env!("CARGO_PKG_VERSION"),
        trouble: trouble(&context),
        newest_ms,
        live_series,
        live_connections: open_connections(&context),
        ticks: count(|status| status.ticks),
        missed_ticks: count(|status| status.missed_ticks),
        clock_jumps: count(|status| status.clock_jumps),
        pace: runner.as_ref().map_or(1, |status| status.pace),
        own: own(&context),
        store: store(&context),
        alerting: context.alerting.status(),
        collectors: runner
            .map_or_else(Vec::new, |status| status.collectors.into_iter().map(collector).collect()),
    })
}

fn collector(status: CollectorStatus) -> CollectorAnswer {
    CollectorAnswer {
        name: status.name,
        state: status.state.as_str(),
        interval_ms: status.interval.as_millis(),
        stretch: status.stretch,
        duration_ms: status.last_duration.map(|duration| duration.as_secs_f64() * 1000.0),
        total_seconds: status.total_duration.as_secs_f64(),
        samples: status.samples,
        runs: status.runs,
        failures: status.failures,
        timeouts: status.timeouts,
        panics: status.panics,
        error: status.last_error,
    }
}

fn store(app: &App) -> StoreAnswer {
    let (stats, feed) = (app.store.stats(), app.feed.status());
    StoreAnswer {
        partitions: stats.partitions,
        series: stats.series,
        samples: stats.samples,
        disk_bytes: stats.disk_bytes,
        head_bytes: stats.head_bytes,
        oldest_ms: stats.oldest_ms,
        newest_ms: stats.newest_ms,
        waiting_batches: feed.waiting,
        lost_batches: feed.lost,
        refused_samples: refused(&stats).iter().map(|(_, count)| count).sum(),
        refused_by_reason: refused(&stats).into(),
        failed_commits: stats.failed_commits,
        failed_seals: stats.failed_seals,
        failed_imports: stats.failed_imports,
        damaged_parts: damaged(&stats),
        problems: app.store.problems(),
        storage: Storage::of(app, &stats),
    }
}

/// Samples that were not stored, by reason.
pub(super) fn refused(stats: &Stats) -> [(&'static str, u64); 4] {
    [
        ("too_many_series", stats.refused_samples),
        ("late", stats.late_samples),
        ("too_old", stats.too_old_samples),
        ("future", stats.future_samples),
    ]
}

pub(super) fn damaged(stats: &Stats) -> u64 {
    stats.damaged_chunks + stats.damaged_blocks + stats.damaged_batches + stats.damaged_partitions
}

pub(super) fn open_connections(app: &App) -> usize {
    app.limits.max_live.saturating_sub(app.limits.live.available_permits())
}
