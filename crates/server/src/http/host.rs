//! What this host is, and which metrics it has.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::{App, Context};

use super::error::ApiError;
use super::waiting::wait;

#[derive(Debug, Serialize)]
pub(crate) struct HostAnswer {
    host: String,
    os: &'static str,
    os_name: Option<String>,
    kernel: Option<String>,
    architecture: Option<String>,
    cpu_model: Option<String>,
    cpu_count: Option<u32>,
    memory_bytes: Option<u64>,
    boot_time_ms: Option<i64>,
    limits: LimitsAnswer,
    version: &'static str,
    interval_ms: i64,
    oldest_ms: Option<i64>,
}

/// What programs may use here, where that is less than the machine has.
#[derive(Debug, Serialize)]
pub(crate) struct LimitsAnswer {
    cpu_cores: Option<f64>,
    memory_bytes: Option<u64>,
    processes: Option<u64>,
}

pub(crate) async fn host(State(context): State<Context>) -> Json<HostAnswer> {
    let facts = context.host.clone();
    Json(HostAnswer {
        host: facts.host,
        os: facts.os,
        os_name: facts.os_name,
        kernel: facts.kernel,
        architecture: facts.architecture,
        cpu_model: facts.cpu_model,
        cpu_count: facts.cpu_count,
        memory_bytes: facts.memory_bytes,
        boot_time_ms: facts.boot_time_ms,
        limits: LimitsAnswer {
            cpu_cores: facts.limits.cpu_cores,
            memory_bytes: facts.limits.memory_bytes,
            processes: facts.limits.processes,
        },
        version: env!("CARGO_PKG_VERSION"),
        interval_ms: context.interval_ms,
        oldest_ms: context.oldest_ms(),
    })
}

#[derive(Debug, Serialize)]
pub(crate) struct MetricAnswer {
    name: String,
    kind: Option<&'static str>,
    unit: Option<&'static str>,
    help: Option<&'static str>,
    series: usize,
}

pub(crate) async fn metrics(
    State(context): State<Context>,
) -> Result<Json<Vec<MetricAnswer>>, ApiError> {
    wait("listing the metrics", move || list_metrics(&context)).await.map(Json)
}

/// Older ones are history: listing them would open every partition there is.
pub(super) const LOOK_BACK_MS: i64 = 86_400_000;

fn list_metrics(app: &App) -> Vec<MetricAnswer> {
    let descs = app.descs_by_name();
    let since_ms = app.clock.now_ms().saturating_sub(LOOK_BACK_MS);
    let stored = app.store.metric_names(since_ms, i64::MAX).data;
    let answer = |(name, series): (String, usize)| {
        let desc = descs.get(name.as_str());
        MetricAnswer {
            kind: desc.map(|desc| desc.kind.as_str()),
            unit: desc.map(|desc| desc.unit.as_str()),
            help: desc.map(|desc| desc.help),
            series,
            name,
        }
    };
    stored.into_iter().map(answer).collect()
}
