//! What Barograph has none of, in the form in which Prometheus says so.

use axum::extract::State;
use axum::response::Response;

use super::error::{ErrorKind, Refused};
use super::params::Params;
use super::respond::success;
use crate::app::Context;

pub(super) async fn exemplars(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let from_ms = params.named_time("start")?.unwrap_or(i64::MIN);
    let to_ms = params.named_time("end")?.unwrap_or(i64::MAX);
    let bad = |problem: String| Refused::new(ErrorKind::BadData, problem);
    if to_ms < from_ms {
        return Err(bad("end timestamp must not be before start timestamp".to_owned()));
    }
    let text = params.get("query").unwrap_or_default();
    context.queries.parse(text, 0).map_err(|error| bad(error.to_string()))?;
    Ok(success("[]", &[], &[]))
}

pub(super) async fn target_metadata(params: Params) -> Result<Response, Refused> {
    params.whole("limit", "limit must be a number")?;
    Ok(success("[]", &[], &[]))
}

pub(super) async fn alertmanagers() -> Response {
    success(r#"{"activeAlertmanagers":[],"droppedAlertmanagers":[]}"#, &[], &[])
}
