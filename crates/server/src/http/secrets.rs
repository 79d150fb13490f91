//! Secrets that documents name: they go in and never come out.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use barograph_model::chain;
use barograph_state::Secret;
use serde_json::{Value, json};

use crate::app::Context;
use crate::documents::{Author, Documents, SecretsError};

use super::documents::Parameters;
use super::error::ApiError;
use super::extract::Path;
use super::receive::receive;
use super::waiting::wait;

async fn off<T: Send + 'static>(
    context: &Context,
    act: impl FnOnce(&Documents) -> Result<T, SecretsError> + Send + 'static,
) -> Result<T, ApiError> {
    let documents = Arc::clone(&context.documents);
    wait("what was asked", move || act(&documents)).await?.map_err(|error| match error {
        SecretsError::Missing(_) => ApiError::not_found("no_such_secret", chain(&error)),
        SecretsError::Empty | SecretsError::Secret(_) => {
            ApiError::bad_request("bad_secret", chain(&error))
        }
        SecretsError::State(error) => crate::documents::DocumentError::State(error).into(),
    })
}

/// `GET /api/secrets`: their names.
pub(crate) async fn list(State(context): State<Context>) -> Result<Json<Value>, ApiError> {
    let names = off(&context, |documents| Ok(documents.secrets()?)).await?;
    Ok(Json(json!({ "secrets": names })))
}

/// `PUT /api/secrets/NAME`: the body is the secret.
pub(crate) async fn set(
    State(context): State<Context>,
    Path(name): Path<String>,
    RawQuery(text): RawQuery,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let asked = Parameters::read(text.as_deref(), &["by"])?;
    let received = receive(&context.ingest, body).await?;
    let secret = String::from_utf8(received.bytes)
        .map_err(|_| ApiError::bad_request("bad_secret", "the secret is not text"))?;
    let shown = name.clone();
    off(&context, move |documents| {
        let author = Author { by: &asked.by, note: "" };
        documents.set_secret(&name, &Secret::new(secret), author)
    })
    .await?;
    Ok(Json(json!({ "name": shown, "action": "set" })))
}

/// `DELETE /api/secrets/NAME`
pub(crate) async fn remove(
    State(context): State<Context>,
    Path(name): Path<String>,
    RawQuery(text): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let asked = Parameters::read(text.as_deref(), &["by"])?;
    let shown = name.clone();
    off(&context, move |documents| {
        documents.remove_secret(&name, Author { by: &asked.by, note: "" })
    })
    .await?;
    Ok(Json(json!({ "name": shown, "action": "removed" })))
}
