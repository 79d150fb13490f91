//! What the server is and how it is set.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use barograph_promql::format_duration;
use serde_json::json;

use super::respond::success;
use crate::app::Context;
use crate::http::health;
use crate::http::storage::retention;
use crate::timestamp::iso;

/// The version of Prometheus whose interface is spoken; Grafana decides by it what it may ask.
const SPOKEN_VERSION: &str = "3.5.0";

pub(super) async fn healthy() -> &'static str {
    "Barograph is healthy.\n"
}

/// Ready is who has readings that are new.
pub(super) async fn ready(State(context): State<Context>) -> Response {
    match health::trouble(&context) {
        None => "Barograph is ready.\n".into_response(),
        Some(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("Barograph is not ready: {reason}\n"))
                .into_response()
        }
    }
}

pub(super) async fn build_info() -> Response {
    let info = json!({
        "version": SPOKEN_VERSION,
        "revision": concat!("barograph-", env!("CARGO_PKG_VERSION")),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
        "application": "Barograph",
    });
    success(&info.to_string(), &[], &[])
}

/// What Prometheus has in its configuration and clients look for.
pub(super) async fn config(State(context): State<Context>) -> Response {
    let yaml = format!(
        "global:\n  scrape_interval: {0}\n  evaluation_interval: {0}\n  external_labels:\n    \
         host: {1}\n",
        format_duration(context.interval_ms),
        json!(context.host.host),
    );
    success(&json!({ "yaml": yaml }).to_string(), &[], &[])
}

pub(super) async fn flags(State(context): State<Context>) -> Response {
    let settings = context.queries.settings();
    let duration = |it: std::time::Duration| {
        format_duration(i64::try_from(it.as_millis()).unwrap_or(i64::MAX))
    };
    let flags = json!({
        "enable-feature": "promql-experimental-functions,promql-duration-expr",
        "query.lookback-delta": duration(settings.lookback),
        "query.max-concurrency": settings.threads.max(2).to_string(),
        "query.max-points": settings.max_points.to_string(),
        "query.max-samples": settings.max_samples.to_string(),
        "query.max-series": settings.max_series.to_string(),
        "query.timeout": duration(settings.timeout),
    });
    success(&flags.to_string(), &[], &[])
}

pub(super) async fn runtime_info(State(context): State<Context>) -> Response {
    let status = (context.runner.0)();
    let started_ms = context.started_ms;
    let stats = context.store.stats();
    let damaged = health::damaged(&stats);
    let info = json!({
        "startTime": iso(started_ms),
        "CWD": std::env::current_dir().map(|dir| dir.display().to_string()).unwrap_or_default(),
        "hostname": context.host.host,
        "serverTime": iso(context.clock.now_ms()),
        "reloadConfigSuccess": true,
        "lastConfigTime": iso(started_ms),
        "corruptionCount": damaged,
        "goroutineCount": 0,
        "GOMAXPROCS": std::thread::available_parallelism().map_or(1, usize::from),
        "GOMEMLIMIT": 0,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": retention(&stats),
        "collectors": status.map(|status| status.collectors.len()),
    });
    success(&info.to_string(), &[], &[])
}
