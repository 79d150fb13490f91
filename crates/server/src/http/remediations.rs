//! What may be done about alerts by itself, and what became of it.

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use barograph_alerts::machine::Texts;
use barograph_alerts::remediation::{Asked, Attempt};
use barograph_model::chain;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::extract::Query;
use super::incidents::refusal;
use super::waiting::wait;
use crate::alerting::Offer;
use crate::app::Context;

const MAX_BODY_BYTES: usize = 4096;

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/api/remediations", get(list))
        .route("/api/remediations/approve", post(approve))
        .route("/api/remediations/ask", post(ask))
        .route("/api/remediations/offers", get(offers))
        .route("/api/remediations/refuse", post(refuse))
}

#[derive(Debug, Serialize)]
struct RemediationsAnswer {
    /// The actions that this host has.
    actions: Vec<String>,
    /// The newest first.
    attempts: Vec<Attempt>,
}

/// `GET /api/remediations`.
async fn list(State(context): State<Context>) -> Json<RemediationsAnswer> {
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
async fn approve(state: State<Context>, body: Bytes) -> Result<Json<Attempt>, ApiError> {
    decide(state, body, true).await
}

/// `POST /api/remediations/refuse`.
async fn refuse(state: State<Context>, body: Bytes) -> Result<Json<Attempt>, ApiError> {
    decide(state, body, false).await
}

async fn decide(
    State(context): State<Context>,
    body: Bytes,
    yes: bool,
) -> Result<Json<Attempt>, ApiError> {
    let Decision { id, by } = read(&body)?;
    if by.trim().is_empty() {
        return Err(ApiError::bad_request("bad_body", "`by` says who decides"));
    }
    let alerting = std::sync::Arc::clone(&context.alerting);
    let attempt = wait("deciding", move || alerting.decide(&id, by.trim(), yes)).await?;
    attempt.map(Json).map_err(|error| refusal(&error))
}

/// What actions are to be about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    service: Option<String>,
}

#[derive(Debug, Serialize)]
struct OffersAnswer {
    offers: Vec<Offer>,
}

/// `GET /api/remediations/offers?service=NAME`.
async fn offers(
    State(context): State<Context>,
    Query(About { service }): Query<About>,
) -> Json<OffersAnswer> {
    let labels = service.map(|name| ("service".to_owned(), name)).into_iter().collect();
    Json(OffersAnswer { offers: context.alerting.offers(labels) })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    action: String,
    by: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    labels: Texts,
}

/// `POST /api/remediations/ask`.
async fn ask(State(context): State<Context>, body: Bytes) -> Result<Json<Attempt>, ApiError> {
    let Wish { action, by, why, labels } = read(&body)?;
    let by = by.trim().to_owned();
    if by.is_empty() {
        return Err(ApiError::bad_request("bad_body", "`by` says who asks"));
    }
    let alerting = std::sync::Arc::clone(&context.alerting);
    let asked = Asked { by, why, labels };
    let attempt = wait("asking", move || alerting.ask(&action, asked)).await?;
    attempt.map(Json).map_err(|error| refusal(&error))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(ApiError::too_large(format!("the body has more than {MAX_BODY_BYTES} bytes")));
    }
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request("bad_body", chain(&error)))
}
