//! What Barograph has none of, in the form in which Prometheus says so.

use axum::response::Response;

use super::respond::success;

pub(super) async fn exemplars() -> Response {
    success("[]", &[], &[])
}

pub(super) async fn target_metadata() -> Response {
    success("[]", &[], &[])
}

pub(super) async fn alertmanagers() -> Response {
    success(r#"{"activeAlertmanagers":[],"droppedAlertmanagers":[]}"#, &[], &[])
}
