//! How Barograph itself is doing: for people, for load balancers, for Prometheus.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use barograph_collect::{CollectorStatus, RunnerStatus};
use barograph_model::Kind;
use barograph_store::Stats;
use serde::Serialize;
use serde_json::json;

use crate::app::{App, Context};
use crate::exposition::Exposition;
use crate::feed::FeedStatus;

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
fn trouble(app: &App) -> Option<String> {
    if let Some(failure) = app.feed.status().failure {
        return Some(format!("samples are not being stored: {failure}"));
    }
    let newest_ms = app.latest.read().time_ms();
    let silent_ms = app.clock.now_ms() - newest_ms;
    if newest_ms == 0 {
        Some("nothing has been collected yet".into())
    } else if silent_ms > MAX_SILENCE_MS.max(3 * app.interval_ms) {
        Some(format!("nothing has been collected for {} s", silent_ms / 1000))
    } else {
        None
    }
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
    collectors: Vec<CollectorAnswer>,
    store: StoreAnswer,
}

#[derive(Debug, Serialize)]
struct CollectorAnswer {
    name: &'static str,
    state: &'static str,
    interval_ms: u128,
    duration_ms: Option<f64>,
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
    damaged_parts: u64,
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
        store: store(&context),
        collectors: runner
            .map_or_else(Vec::new, |status| status.collectors.into_iter().map(collector).collect()),
    })
}

fn collector(status: CollectorStatus) -> CollectorAnswer {
    CollectorAnswer {
        name: status.name,
        state: status.state.as_str(),
        interval_ms: status.interval.as_millis(),
        duration_ms: status.last_duration.map(|duration| duration.as_secs_f64() * 1000.0),
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
        refused_samples: refused(&stats),
        damaged_parts: damaged(&stats),
    }
}

fn refused(stats: &Stats) -> u64 {
    stats.refused_samples + stats.late_samples + stats.future_samples
}

fn damaged(stats: &Stats) -> u64 {
    stats.damaged_chunks + stats.damaged_blocks + stats.damaged_batches + stats.damaged_partitions
}

fn open_connections(app: &App) -> usize {
    app.limits.max_live.saturating_sub(app.limits.live.available_permits())
}

pub(crate) async fn metrics(State(context): State<Context>) -> Response {
    let mut page = Exposition::default();
    if let Some(status) = (context.runner.0)() {
        runner_metrics(&mut page, &status);
    }
    live_metrics(&mut page, &context);
    store_metrics(&mut page, &context.store.stats(), &context.feed.status());
    ([(header::CONTENT_TYPE, Exposition::CONTENT_TYPE)], page.finish()).into_response()
}

fn runner_metrics(page: &mut Exposition, status: &RunnerStatus) {
    let mut counter =
        |name, help, value: u64| page.metric(name, Kind::Counter, help).value(value as f64);
    counter("barograph_ticks_total", "Readings of the machine.", status.ticks);
    counter("barograph_missed_ticks_total", "Readings left out.", status.missed_ticks);
    counter("barograph_clock_jumps_total", "Steps of the wall clock.", status.clock_jumps);
    collector_gauges(page, &status.collectors);
    collector_counters(page, &status.collectors);
}

type Column = (&'static str, &'static str, fn(&CollectorStatus) -> f64);

fn collector_gauges(page: &mut Exposition, collectors: &[CollectorStatus]) {
    const COLUMNS: [Column; 3] = [
        ("barograph_collector_up", "Whether the newest reading succeeded.", |status| {
            f64::from(u8::from(status.last_error.is_none()))
        }),
        ("barograph_collector_duration_seconds", "How long the newest reading took.", |status| {
            status.last_duration.unwrap_or_default().as_secs_f64()
        }),
        ("barograph_collector_samples", "Samples of the newest reading.", |status| {
            status.samples as f64
        }),
    ];
    columns(page, Kind::Gauge, &COLUMNS, collectors);
}

fn collector_counters(page: &mut Exposition, collectors: &[CollectorStatus]) {
    const COLUMNS: [Column; 6] = [
        ("barograph_collector_runs_total", "Readings.", |status| status.runs as f64),
        ("barograph_collector_seconds_total", "Time spent reading.", |status| {
            status.total_duration.as_secs_f64()
        }),
        ("barograph_collector_failures_total", "Readings that gave an error.", |status| {
            status.failures as f64
        }),
        ("barograph_collector_timeouts_total", "Readings given up at their deadline.", |status| {
            status.timeouts as f64
        }),
        ("barograph_collector_slow_total", "Readings past their soft deadline.", |status| {
            status.slow as f64
        }),
        ("barograph_collector_panics_total", "Readings that panicked.", |status| {
            status.panics as f64
        }),
    ];
    columns(page, Kind::Counter, &COLUMNS, collectors);
}

fn columns(page: &mut Exposition, kind: Kind, columns: &[Column], collectors: &[CollectorStatus]) {
    for (name, help, value) in columns {
        let mut metric = page.metric(name, kind, help);
        for status in collectors {
            metric.labelled("collector", status.name, value(status));
        }
    }
}

fn live_metrics(page: &mut Exposition, app: &App) {
    let table = app.latest.read();
    let (live_series, newest_ms) = (table.series_count(), table.time_ms());
    drop(table);
    let mut gauge = |name, help, value: f64| page.metric(name, Kind::Gauge, help).value(value);
    gauge("barograph_live_series", "Series that are reported now.", live_series as f64);
    gauge(
        "barograph_newest_reading_timestamp_seconds",
        "When the newest reading was taken.",
        newest_ms as f64 / 1000.0,
    );
    gauge(
        "barograph_live_connections",
        "Pages and consumers that follow live.",
        open_connections(app) as f64,
    );
}

fn store_metrics(page: &mut Exposition, stats: &Stats, feed: &FeedStatus) {
    let gauges = [
        ("barograph_store_samples", "Samples on disk and in the head.", stats.samples as f64),
        ("barograph_store_series", "Series in the newest partition.", stats.series as f64),
        ("barograph_store_disk_bytes", "Size of the data folder.", stats.disk_bytes as f64),
        ("barograph_store_partitions", "Partitions on disk.", stats.partitions as f64),
        ("barograph_store_head_bytes", "Memory that the head takes.", stats.head_bytes as f64),
        ("barograph_feed_waiting_batches", "Batches not stored yet.", feed.waiting as f64),
    ];
    for (name, help, value) in gauges {
        page.metric(name, Kind::Gauge, help).value(value);
    }
    let counters = [
        ("barograph_store_commits_total", "Transactions.", stats.commits as f64),
        ("barograph_store_commit_seconds_total", "Time in transactions.", stats.commit_seconds_sum),
        ("barograph_store_failed_commits_total", "Failed ones.", stats.failed_commits as f64),
        ("barograph_store_seals_total", "Heads turned into chunks.", stats.seals as f64),
        ("barograph_store_refused_samples_total", "Over a limit.", refused(stats) as f64),
        ("barograph_store_damaged_total", "Skipped for their checksum.", damaged(stats) as f64),
        ("barograph_feed_lost_batches_total", "Batches given up.", feed.lost as f64),
        ("barograph_feed_failures_total", "Attempts to store that failed.", feed.failures as f64),
    ];
    for (name, help, value) in counters {
        page.metric(name, Kind::Counter, help).value(value);
    }
}
