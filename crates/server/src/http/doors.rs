//! What the doors that work by themselves say: checks, text files, and who is sent to.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::Context;
use crate::forward::AgainError;

use super::error::ApiError;
use super::extract::{Path, Query};
use super::range::parse_time;

#[derive(Debug, Deserialize)]
pub(crate) struct ResendParameters {
    from: String,
}

pub(crate) async fn checks(State(context): State<Context>) -> Json<Value> {
    Json(json!({ "checks": context.doors.checks.answer() }))
}

pub(crate) async fn textfiles(State(context): State<Context>) -> Json<Value> {
    Json(json!({ "problems": context.doors.textfiles.problems() }))
}

pub(crate) async fn forward(State(context): State<Context>) -> Json<Value> {
    Json(json!({ "receivers": context.doors.forward.answer() }))
}

/// `POST /api/forward/NAME/resend?from=TIME`: begins; `GET /api/forward` shows how far it is.
pub(crate) async fn resend(
    State(context): State<Context>,
    Path(name): Path<String>,
    Query(asked): Query<ResendParameters>,
) -> Result<Json<Value>, ApiError> {
    let from_ms = parse_time("from", &asked.from)?;
    match context.doors.forward.send_again(&name, from_ms) {
        Ok(()) => Ok(Json(json!({ "name": name, "from_ms": from_ms }))),
        Err(error @ AgainError::NoReceiver { .. }) => {
            Err(ApiError::not_found("no_such_receiver", error.to_string()))
        }
        Err(error @ AgainError::TooEarly { .. }) => {
            Err(ApiError::bad_request("bad_parameter", error.to_string()))
        }
    }
}
