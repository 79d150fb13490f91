//! What all doors over HTTP share: bodies within bounds, and answers to what became of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, HeaderName, header};
use barograph_store::AppendError;
use futures_util::StreamExt as _;

use crate::ingest::{Ingest, NoRoom, Place, WriteError};

use super::error::ApiError;

/// A body as it came, compressed or not.
pub(super) const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// A body as unpacked.
pub(super) const MAX_UNPACKED_BYTES: usize = 64 * 1024 * 1024;
/// Who takes longer to send a body holds memory for nothing.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// Who sent a request; every connection's requests carry it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A body and the memory that it takes.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    pub(super) place: Place,
}

/// Takes in a whole body.
pub(super) async fn receive(ingest: &Ingest, body: Body) -> Result<Received, ApiError> {
    let received = tokio::time::timeout(BODY_PATIENCE, gather(ingest, body)).await;
    received.unwrap_or_else(|_| {
        let seconds = BODY_PATIENCE.as_secs();
        Err(ApiError::timeout(format!("the body did not arrive within {seconds} s")))
    })
}

async fn gather(ingest: &Ingest, body: Body) -> Result<Received, ApiError> {
    let too_large =
        || ApiError::too_large(format!("the body has more than {MAX_BODY_BYTES} bytes"));
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(too_large());
    }
    let no_room = |error: NoRoom| busy(ingest, &error.to_string());
    let mut place = ingest.room().enter().map_err(no_room)?;
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|_| ApiError::bad_request("bad_body", "the body ended too early"))?;
        if bytes.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        place.grow(chunk.len()).await.map_err(no_room)?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(Received { bytes, place })
}

pub(super) fn busy(ingest: &Ingest, message: &str) -> ApiError {
    ingest.count_busy();
    ApiError::busy(message)
}

/// A header's text, empty when there is none.
pub(super) fn header_text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A content type without its parameters, and the parameters.
pub(super) fn content_type(headers: &HeaderMap) -> (&str, &str) {
    let text = header_text(headers, header::CONTENT_TYPE);
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    (kind.trim(), parameters.trim())
}

/// Why nothing was stored, for the sender. `refused` makes the answer to the door's own reason.
pub(super) fn write_error<E>(
    ingest: &Arc<Ingest>,
    error: WriteError<E>,
    refused: impl FnOnce(E) -> ApiError,
) -> ApiError {
    match error {
        WriteError::Refused(reason) => refused(reason),
        WriteError::TooManyWriters => {
            busy(ingest, "too many writes wait for the disk; try again in a moment")
        }
        WriteError::Store(error @ AppendError::Busy { retry_after, .. }) => {
            ingest.count_busy();
            ApiError::busy_for(error.to_string(), retry_after)
        }
        WriteError::Store(error @ AppendError::TooLarge { .. }) => {
            ApiError::too_large(error.to_string())
        }
        WriteError::Store(error) => {
            tracing::error!(
                error = barograph_model::chain(&error),
                "samples of a sender not stored"
            );
            ApiError::not_stored(error.to_string())
        }
        WriteError::Panicked => ApiError::internal("panic", "taking in the samples failed"),
    }
}
