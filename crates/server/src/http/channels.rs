//! Channels: whether they work, and what their messages look like.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use barograph_notify::{Channel, Notification};
use serde::Serialize;

use crate::app::Context;

use super::error::ApiError;
use super::extract::Path;
use super::receive::Peer;
use super::waiting::wait;

#[derive(Debug, Serialize)]
pub(crate) struct TestAnswer {
    delivered: bool,
    /// What the receiver said, or why it does not have it.
    text: String,
    /// Trying again would not help.
    permanent: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChannelPreview {
    text: String,
}

/// `POST /api/channels/NAME/test`: sends a test at once, and says what became of it.
pub(crate) async fn test(
    State(context): State<Context>,
    Extension(Peer(peer)): Extension<Peer>,
    Path(name): Path<String>,
) -> Result<Json<TestAnswer>, ApiError> {
    let channel = find(&context, &name).await?;
    context.dispatch.postman().begin_test(&name, peer).map_err(|time| {
        let seconds = time.as_secs_f64().ceil();
        let message = format!("channels were tested too often; try again in {seconds} s");
        ApiError::busy_for(message, time)
    })?;
    let outcome = context.dispatch.postman().test(&channel).await;
    Ok(Json(match outcome {
        Ok(receipt) => TestAnswer { delivered: true, text: receipt.text, permanent: false },
        Err(failure) => {
            TestAnswer { delivered: false, text: failure.text, permanent: failure.permanent }
        }
    }))
}

/// `GET /api/channels/NAME/preview`: what a test would be, without secrets.
pub(crate) async fn preview(
    State(context): State<Context>,
    Path(name): Path<String>,
) -> Result<Json<ChannelPreview>, ApiError> {
    let channel = find(&context, &name).await?;
    let now_ms = context.clock.now_ms();
    let it = Notification::test(now_ms, Some(context.alerting.external_url()));
    let text = channel.preview(&it, now_ms);
    let text = text.map_err(|failure| ApiError::over_limit("no_preview", failure.text))?;
    Ok(Json(ChannelPreview { text }))
}

async fn find(context: &Context, name: &str) -> Result<Arc<Channel>, ApiError> {
    let (alerting, wanted) = (Arc::clone(&context.alerting), name.to_owned());
    let found = wait("looking for the channel", move || alerting.channel(&wanted)).await?;
    found.ok_or_else(|| {
        ApiError::not_found("no_such_channel", format!("there is no channel `{name}`"))
    })
}
