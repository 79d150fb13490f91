//! Barograph's own metrics, in the Prometheus text format.

mod rules;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use barograph_collect::{CollectorStatus, RunnerStatus};
use barograph_model::Kind;
use barograph_store::Stats;

use crate::app::{App, Context};
use crate::dispatch::{ChannelCounts, DispatchStatus};
use crate::exposition::Exposition;
use crate::feed::FeedStatus;
use crate::forward::ForwardAnswer;
use crate::ingest::{IngestAnswer, SourceAnswer};
use crate::scrape::ScrapeStats;
use crate::thrift::ThriftStatus;

use super::health::{damaged, open_connections, refused};
use super::storage::{Storage, TierAnswer};

pub(crate) async fn metrics(State(context): State<Context>) -> Response {
    let mut page = Exposition::default();
    if let Some(status) = (context.runner.0)() {
        runner_metrics(&mut page, &status);
    }
    own_metrics(&mut page, &context);
    thrift_metrics(&mut page, &context.thrift.status());
    live_metrics(&mut page, &context);
    let stats = context.store.stats();
    store_metrics(&mut page, &stats, &context.feed.status());
    tier_metrics(&mut page, &Storage::of(&context, &stats));
    ingest_metrics(&mut page, &context.ingest.answer());
    scrape_metrics(&mut page, &context.doors.scraper.stats());
    forward_metrics(&mut page, &context.doors.forward.answer());
    rules::rule_metrics(&mut page, &context.alerting.status());
    let now_ms = context.clock.now_ms();
    let for_reading = context.clone();
    let read = tokio::task::spawn_blocking(move || for_reading.dispatch.postman().status());
    if let Ok(Ok(status)) = read.await {
        notification_metrics(&mut page, &status, now_ms);
    }
    ([(header::CONTENT_TYPE, Exposition::CONTENT_TYPE)], page.finish()).into_response()
}

fn notification_metrics(page: &mut Exposition, status: &DispatchStatus, now_ms: i64) {
    type Column = (&'static str, &'static str, fn(&ChannelCounts) -> u64);
    const COLUMNS: [Column; 3] = [
        ("barograph_notifications_total", "Notifications that were delivered.", |it| it.delivered),
        (
            "barograph_notifications_failed_total",
            "Attempts that failed and are tried again.",
            |it| it.failed,
        ),
        ("barograph_notifications_dead_total", "Notifications that were given up.", |it| it.dead),
    ];
    for (name, help, value) in COLUMNS {
        let mut metric = page.metric(name, Kind::Counter, help);
        for (channel, counts) in &status.channels {
            metric.labelled("channel", channel, value(counts) as f64);
        }
    }
    let mut gauge = |name, help, value: f64| page.metric(name, Kind::Gauge, help).value(value);
    gauge("barograph_notifications_waiting", "Notifications that wait.", status.waiting as f64);
    gauge(
        "barograph_notifications_dead",
        "Notifications that were given up and are kept.",
        status.dead as f64,
    );
    let age_ms = status.oldest_waiting_ms.map_or(0, |at_ms| now_ms.saturating_sub(at_ms).max(0));
    gauge(
        "barograph_notifications_oldest_seconds",
        "Age of the oldest notification that waits.",
        age_ms as f64 / 1000.0,
    );
}

fn runner_metrics(page: &mut Exposition, status: &RunnerStatus) {
    let mut counter =
        |name, help, value: u64| page.metric(name, Kind::Counter, help).value(value as f64);
    counter("barograph_ticks_total", "Readings of the machine.", status.ticks);
    counter("barograph_missed_ticks_total", "Readings left out.", status.missed_ticks);
    counter("barograph_clock_jumps_total", "Steps of the wall clock.", status.clock_jumps);
    page.metric(
        "barograph_collect_cpu_seconds_total",
        Kind::Counter,
        "Processor time of the collectors.",
    )
    .value(status.cpu.as_secs_f64());
    page.metric(
        "barograph_collect_pace",
        Kind::Gauge,
        "Intervals between two readings; above 1 collecting is over its budget.",
    )
    .value(f64::from(status.pace));
    collector_gauges(page, &status.collectors);
    collector_counters(page, &status.collectors);
}

type Column = (&'static str, &'static str, fn(&CollectorStatus) -> f64);

fn collector_gauges(page: &mut Exposition, collectors: &[CollectorStatus]) {
    const COLUMNS: [Column; 4] = [
        ("barograph_collector_up", "Whether the newest reading succeeded.", |status| {
            f64::from(u8::from(status.last_error.is_none()))
        }),
        ("barograph_collector_duration_seconds", "How long the newest reading took.", |status| {
            status.last_duration.unwrap_or_default().as_secs_f64()
        }),
        ("barograph_collector_samples", "Samples of the newest reading.", |status| {
            status.samples as f64
        }),
        (
            "barograph_collector_stretch",
            "How many times its interval it waits, since it takes too much processor time.",
            |status| f64::from(status.stretch),
        ),
    ];
    columns(page, Kind::Gauge, &COLUMNS, collectors);
}

fn collector_counters(page: &mut Exposition, collectors: &[CollectorStatus]) {
    const COLUMNS: [Column; 7] = [
        ("barograph_collector_cpu_seconds_total", "Processor time spent reading.", |status| {
            status.total_cpu.as_secs_f64()
        }),
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

/// What is stored as series of Barograph itself, under the same names.
fn own_metrics(page: &mut Exposition, app: &App) {
    let table = app.latest.read();
    for desc in app.descs.iter().filter(|desc| desc.name.starts_with("barograph_")) {
        if let Some(entry) = table.entries(desc.name).first() {
            page.metric(desc.name, desc.kind, desc.help).value(entry.now.value);
        }
    }
}

fn thrift_metrics(page: &mut Exposition, status: &ThriftStatus) {
    let measures = [("memory", status.memory), ("handles", status.handles)];
    let mut limits = page.metric(
        "barograph_own_limit",
        Kind::Gauge,
        "What this program may take: bytes of memory, handles.",
    );
    for (what, measure) in measures {
        if let Some(limit) = measure.limit {
            limits.labelled("what", what, limit);
        }
    }
    let help = "Whether it takes more, so that nothing is kept only to be quicker.";
    let mut over = page.metric("barograph_over_own_limit", Kind::Gauge, help);
    for (what, measure) in measures {
        over.labelled("what", what, f64::from(u8::from(measure.is_over)));
    }
    page.metric("barograph_own_limits_exceeded_total", Kind::Counter, "How often it came to that.")
        .value(status.exceeded as f64);
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
        (
            "barograph_store_decoded_bytes",
            "Memory that samples take which were asked for lately.",
            stats.decoded_bytes as f64,
        ),
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
        ("barograph_store_failed_seals_total", "Failed ones.", stats.failed_seals as f64),
        (
            "barograph_store_failed_imports_total",
            "Imports that cannot be taken up.",
            stats.failed_imports as f64,
        ),
        (
            "barograph_store_expired_files_total",
            "Over their age or size.",
            stats.expired_files as f64,
        ),
        ("barograph_store_busy_total", "Appends told to come back.", stats.busy as f64),
        ("barograph_store_damaged_total", "Skipped for their checksum.", damaged(stats) as f64),
        ("barograph_feed_lost_batches_total", "Batches given up.", feed.lost as f64),
        ("barograph_feed_failures_total", "Attempts to store that failed.", feed.failures as f64),
    ];
    for (name, help, value) in counters {
        page.metric(name, Kind::Counter, help).value(value);
    }
    let mut metric = page.metric(
        "barograph_store_refused_samples_total",
        Kind::Counter,
        "Samples that were not stored, by reason.",
    );
    for (reason, count) in refused(stats) {
        metric.labelled("reason", reason, count as f64);
    }
}

/// What is shown of each tier: name, help, value.
type TierColumn = (&'static str, &'static str, fn(&TierAnswer) -> Option<f64>);

fn tier_metrics(page: &mut Exposition, storage: &Storage) {
    let columns: [TierColumn; 6] = [
        ("barograph_store_tier_bytes", "Size of a tier.", |one| Some(one.bytes as f64)),
        ("barograph_store_tier_samples", "Samples or buckets.", |one| Some(one.samples as f64)),
        ("barograph_store_tier_files", "Files of a tier.", |one| Some(one.files as f64)),
        ("barograph_store_tier_growth_bytes_per_day", "What a day adds.", |one| one.bytes_per_day),
        ("barograph_store_tier_max_bytes", "Largest size, if set.", |one| {
            one.max_bytes.map(|bytes| bytes as f64)
        }),
        ("barograph_store_tier_oldest_timestamp_seconds", "Oldest of a tier.", |one| {
            one.oldest_ms.map(|ms| ms as f64 / 1000.0)
        }),
    ];
    for (name, help, value) in columns {
        let mut metric = page.metric(name, Kind::Gauge, help);
        for one in &storage.tiers {
            if let Some(value) = value(one) {
                metric.labelled("tier", one.tier, value);
            }
        }
    }
    if let Some(days) = storage.disk_full_days {
        let help = "When the disk is full if it goes on like this; absent when that is never.";
        page.metric("barograph_store_disk_full_seconds", Kind::Gauge, help).value(days * 86_400.0);
    }
}

/// What is shown of each source: name, kind, help, value.
type SourceColumn = (&'static str, Kind, &'static str, fn(&SourceAnswer) -> f64);

fn ingest_metrics(page: &mut Exposition, ingest: &IngestAnswer) {
    page.metric("barograph_ingest_in_flight_bytes", Kind::Gauge, "Bodies under way.")
        .value(ingest.bytes_in_flight as f64);
    page.metric("barograph_ingest_busy_total", Kind::Counter, "Writes told to come back.")
        .value(ingest.busy as f64);
    let columns: [SourceColumn; 4] = [
        ("barograph_ingest_series", Kind::Gauge, "Series of a source.", |one| one.series as f64),
        ("barograph_ingest_new_series_today", Kind::Gauge, "Series begun since midnight.", |one| {
            one.new_series_today as f64
        }),
        ("barograph_ingest_writes_total", Kind::Counter, "Writes of a source.", |one| {
            one.writes as f64
        }),
        ("barograph_ingest_samples_total", Kind::Counter, "Samples stored.", |one| {
            one.samples as f64
        }),
    ];
    for (name, kind, help, value) in columns {
        let mut metric = page.metric(name, kind, help);
        for one in &ingest.sources {
            metric.with_labels(&[("door", one.door), ("source", &one.source)], value(one));
        }
    }
    let mut refused = page.metric(
        "barograph_ingest_refused_samples_total",
        Kind::Counter,
        "Samples not stored, by reason.",
    );
    for one in &ingest.sources {
        for (reason, count) in &one.refused {
            let labels = [("door", one.door), ("source", &*one.source), ("reason", reason)];
            refused.with_labels(&labels, *count as f64);
        }
    }
}

/// What is shown of each job: name, kind, help, value.
type JobColumn = (&'static str, Kind, &'static str, fn(&ScrapeStats) -> f64);

fn scrape_metrics(page: &mut Exposition, jobs: &[ScrapeStats]) {
    let columns: [JobColumn; 5] = [
        ("barograph_scrape_targets", Kind::Gauge, "Targets of a job.", |one| one.targets as f64),
        ("barograph_scrape_targets_down", Kind::Gauge, "Targets that do not answer.", |one| {
            one.down as f64
        }),
        ("barograph_scrape_discovery_problems", Kind::Gauge, "Unusable targets, files.", |one| {
            one.problems as f64
        }),
        ("barograph_scrapes_total", Kind::Counter, "Scrapes of a job.", |one| one.scrapes as f64),
        ("barograph_scrape_failures_total", Kind::Counter, "Scrapes without samples.", |one| {
            one.failures as f64
        }),
    ];
    for (name, kind, help, value) in columns {
        let mut metric = page.metric(name, kind, help);
        for one in jobs {
            metric.labelled("job", &one.job, value(one));
        }
    }
}

/// What is shown of each receiver: name, kind, help, value.
type ForwardColumn = (&'static str, Kind, &'static str, fn(&ForwardAnswer) -> f64);

fn forward_metrics(page: &mut Exposition, receivers: &[ForwardAnswer]) {
    let columns: [ForwardColumn; 9] = [
        ("barograph_forward_up", Kind::Gauge, "Whether samples are taken.", |one| {
            f64::from(u8::from(one.failure.is_none()))
        }),
        ("barograph_forward_waiting_samples", Kind::Gauge, "Samples still to be sent.", |one| {
            one.waiting_samples as f64
        }),
        ("barograph_forward_queue_bytes", Kind::Gauge, "The queue on disk.", |one| {
            one.queue_bytes as f64
        }),
        ("barograph_forward_sent_samples_total", Kind::Counter, "Samples taken.", |one| {
            one.sent_samples as f64
        }),
        ("barograph_forward_requests_total", Kind::Counter, "Requests.", |one| one.requests as f64),
        ("barograph_forward_failed_requests_total", Kind::Counter, "To be tried again.", |one| {
            one.failed_requests as f64
        }),
        ("barograph_forward_dead_samples_total", Kind::Counter, "Refused for good.", |one| {
            one.dead_samples as f64
        }),
        ("barograph_forward_lost_samples_total", Kind::Counter, "Given up unsent.", |one| {
            one.lost_samples as f64
        }),
        ("barograph_forward_resends_total", Kind::Counter, "Windows sent again.", |one| {
            one.resends as f64
        }),
    ];
    for (name, kind, help, value) in columns {
        let mut metric = page.metric(name, kind, help);
        for one in receivers {
            metric.labelled("receiver", &one.name, value(one));
        }
    }
}
