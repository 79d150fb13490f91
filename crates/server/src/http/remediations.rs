//! What may be done about alerts by itself, and what became of it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use barograph_alerts::remediation::Attempt;
use barograph_model::chain;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::incidents::refusal;
use super::waiting::wait;
use crate::app::Context;

const MAX_BODY_BYTES: usize = 4096;

#[derive(Debug, Serialize)]
pub(crate) struct RemediationsAnswer {
    /// The actions that this host has.
    actions: Vec<String>,
    /// The newest first.
    attempts: Vec<Attempt>,
}

/// `GET /api/remediations`.
pub(crate) async fn list(State(context): State<Context>) -> Json<RemediationsAnswer> {
    let (actions, attempts) = (context.alerting.actions(), context.alerting.attempts());
    Json(RemediationsAnswer { actions, attempts })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    id: String,
    by: String,
}

/// `POST /api/remediations/approve`.
pub(crate) async fn approve(state: State<Context>, body: Bytes) -> Result<Json<Attempt>, ApiError> {
    decide(state, body, true).await
}

/// `POST /api/remediations/refuse`.
pub(crate) async fn refuse(state: State<Context>, body: Bytes) -> Result<Json<Attempt>, ApiError> {
    decide(state, body, false).await
}

async fn decide(
    State(context): State<Context>,
    body: Bytes,
    yes: bool,
) -> Result<Json<Attempt>, ApiError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(ApiError::too_large(format!("the body has more than {MAX_BODY_BYTES} bytes")));
    }
    let Decision { id, by } = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request("bad_body", chain(&error)))?;
    if by.trim().is_empty() {
        return Err(ApiError::bad_request("bad_body", "`by` says who decides"));
    }
    let alerting = std::sync::Arc::clone(&context.alerting);
    let attempt = wait("deciding", move || alerting.decide(&id, by.trim(), yes)).await?;
    attempt.map(Json).map_err(|error| refusal(&error))
}
