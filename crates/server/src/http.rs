//! The interfaces: which address is answered by what.

mod acknowledge;
mod alertmanager;
mod assets;
mod backtest;
mod baseline;
mod channels;
mod connections;
mod counters;
mod dashboards;
mod documents;
mod doors;
mod error;
mod events;
mod extract;
mod federate;
mod guard;
mod health;
mod host;
mod incidents;
mod ingest;
mod inventory;
mod live;
mod messages;
mod notifications;
mod openapi;
mod otlp;
mod own_metrics;
mod pagers;
mod preview;
mod processes;
mod prometheus;
mod push;
mod range;
mod receive;
mod remediations;
mod remote_write;
mod secrets;
mod services;
mod simple;
mod storage;
mod stream;
mod subscription;
mod system_counters;
mod talkers;
mod unpack;
mod waiting;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post, put};

use crate::app::Context;

pub(crate) use receive::Peer;

/// Every address. What is not here is a file of the page, or the page itself.
pub(crate) fn router(context: Context) -> Router {
    Router::new()
        .route("/acknowledge/{token}", get(acknowledge::show).post(acknowledge::act))
        .route("/api/alerts", get(incidents::alerts))
        .route("/api/baseline", get(baseline::baseline))
        .route("/api/channels/{name}/preview", get(channels::preview))
        .route("/api/channels/{name}/test", post(channels::test))
        .route("/api/checks", get(doors::checks))
        .route("/api/connections", get(connections::connections))
        .route("/api/counters", get(counters::counters))
        .route("/api/counters/system", get(system_counters::counters))
        .route("/api/current_metrics", get(simple::current_metrics))
        .route("/api/dashboards/{name}", get(dashboards::dashboard))
        .route("/api/documents", get(documents::all).post(documents::apply))
        .route("/api/documents/{kind}", get(documents::of_kind))
        .route(
            "/api/documents/{kind}/{name}",
            get(documents::read).put(documents::write).delete(documents::remove),
        )
        .route("/api/documents/{kind}/{name}/check", post(documents::check))
        .route("/api/documents/{kind}/{name}/diff", get(documents::diff))
        .route("/api/documents/{kind}/{name}/history", get(documents::history))
        .route("/api/documents/{kind}/{name}/preview", post(preview::preview))
        .route("/api/documents/{kind}/{name}/rollback", post(documents::roll_back))
        .route("/api/events", get(events::events))
        .route("/api/forward", get(doors::forward))
        .route("/api/forward/{name}/resend", post(doors::resend))
        .route("/api/historical_metrics/{name}", get(simple::historical_metrics))
        .route("/api/host", get(host::host))
        .route("/api/incidents", get(incidents::incidents))
        .route("/api/incidents/{number}", get(incidents::incident))
        .route("/api/incidents/{number}/evidence", get(incidents::evidence))
        .route("/api/incidents/{number}/{what}", post(incidents::act))
        .route("/api/ingest", get(ingest::ingest))
        .route("/api/inventory", get(inventory::inventory))
        .route("/api/live", get(live::live))
        .route("/api/metrics", get(host::metrics))
        .route("/api/notifications", get(notifications::list))
        .route("/api/notifications/retry", post(notifications::retry))
        .route("/api/openapi.json", get(openapi::openapi))
        .route("/api/pager_tests", get(pagers::list))
        .route("/api/pager_tests/{person}", post(pagers::test))
        .route("/api/processes", get(processes::processes))
        .route("/api/range", get(range::range))
        .route("/api/rules/backtest", post(backtest::backtest))
        .route("/api/schemas/{kind}", get(documents::schema))
        .route("/api/secrets", get(secrets::list))
        .route("/api/secrets/{name}", put(secrets::set).delete(secrets::remove))
        .route("/api/services", get(services::services))
        .route("/api/status", get(health::status))
        .route("/api/stream", get(stream::stream))
        .route("/api/talkers", get(talkers::talkers))
        .route("/api/v1/otlp/v1/metrics", post(otlp::metrics))
        .route("/api/v1/push", post(push::push))
        .route("/api/v1/write", post(remote_write::write))
        .route("/api/textfiles", get(doors::textfiles))
        .route("/api/v2/write", post(push::influx))
        .route("/federate", get(federate::federate))
        .route("/healthz", get(health::healthz))
        .route("/metrics/host", get(federate::host))
        .route("/v1/metrics", post(otlp::metrics))
        .route(otlp::GRPC, post(otlp::grpc::export))
        .route("/metrics", get(own_metrics::metrics))
        .route("/write", post(push::influx))
        .merge(alertmanager::routes())
        .merge(prometheus::routes())
        .merge(remediations::routes())
        .fallback(assets::serve)
        .layer(from_fn(guard::check))
        .with_state(context)
}
