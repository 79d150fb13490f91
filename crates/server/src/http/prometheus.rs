//! The HTTP interface of Prometheus: what Grafana, promtool and other clients ask.
//!
//! Addresses, parameters and answers are those of
//! <https://prometheus.io/docs/prometheus/latest/querying/api/>.

mod error;
mod labels;
mod metadata;
mod nothing;
mod params;
mod points;
mod query;
mod respond;
mod rules;
mod selectors;
mod status;
mod syntax;
mod targets;
mod text;
mod tree;
mod tsdb;

use axum::Router;
use axum::routing::{any, get};

use crate::app::Context;

/// The addresses below `/api/v1`, and the two that tell of health.
pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/-/healthy", get(status::healthy))
        .route("/-/ready", get(status::ready))
        .route("/api/v1/query", get(query::query).post(query::query))
        .route("/api/v1/query_range", get(query::query_range).post(query::query_range))
        .route("/api/v1/query_exemplars", get(nothing::exemplars).post(nothing::exemplars))
        .route("/api/v1/format_query", get(syntax::format).post(syntax::format))
        .route("/api/v1/parse_query", get(syntax::parse).post(syntax::parse))
        .route("/api/v1/series", get(labels::series).post(labels::series))
        .route("/api/v1/labels", get(labels::names).post(labels::names))
        .route("/api/v1/label/{name}/values", get(labels::values))
        .route("/api/v1/metadata", get(metadata::metadata))
        .route("/api/v1/targets", get(targets::targets))
        .route("/api/v1/targets/metadata", get(nothing::target_metadata))
        .route("/api/v1/rules", get(rules::rules))
        .route("/api/v1/alerts", get(rules::alerts))
        .route("/api/v1/alertmanagers", get(nothing::alertmanagers))
        .route("/api/v1/status/buildinfo", get(status::build_info))
        .route("/api/v1/status/config", get(status::config))
        .route("/api/v1/status/flags", get(status::flags))
        .route("/api/v1/status/runtimeinfo", get(status::runtime_info))
        .route("/api/v1/status/tsdb", get(tsdb::tsdb))
        .route("/api/v1/{*unknown}", any(error::unknown))
}
