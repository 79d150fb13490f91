//! What is told to people, and what could not be.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use barograph_model::chain;
use barograph_state::{Listing, Message, StateError, Status};
use serde::{Deserialize, Serialize};

use crate::alerting::Letter;
use crate::app::Context;
use crate::dispatch::DispatchStatus;

use super::error::ApiError;
use super::waiting::wait;

const MAX_LISTED: usize = 200;
const MAX_BODY_BYTES: usize = 4096;

#[derive(Debug, Serialize)]
pub(crate) struct NotificationsAnswer {
    #[serde(flatten)]
    status: DispatchStatus,
    /// The newest first.
    notifications: Vec<NotificationAnswer>,
    /// Stored messages that cannot be read.
    damaged: usize,
}

#[derive(Debug, Serialize)]
struct NotificationAnswer {
    id: String,
    status: &'static str,
    incident: Option<u64>,
    event: Option<barograph_notify::Event>,
    title: Option<String>,
    channel: Option<String>,
    person: Option<String>,
    created_ms: i64,
    changed_ms: i64,
    /// When it is tried next.
    due_ms: Option<i64>,
    attempts: u32,
    /// Why the last attempt failed.
    problem: Option<String>,
}

/// `GET /api/notifications`, with `status=waiting`, `delivered` or `dead`.
pub(crate) async fn list(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<NotificationsAnswer>, ApiError> {
    let wanted: Vec<Status> = match text.as_deref() {
        None | Some("") => vec![Status::Waiting, Status::Dead, Status::Delivered],
        Some("status=waiting") => vec![Status::Waiting],
        Some("status=delivered") => vec![Status::Delivered],
        Some("status=dead") => vec![Status::Dead],
        Some(_) => {
            let message = "allowed is status=waiting, status=delivered or status=dead";
            return Err(ApiError::bad_request("bad_parameter", message));
        }
    };
    let read = wait("reading the notifications", move || {
        let status = context.dispatch.postman().status()?;
        let listings = context.alerting.state().read(|view| {
            let each = wanted.iter().map(|status| view.messages(*status, MAX_LISTED));
            each.collect::<Result<Vec<Listing<Message>>, StateError>>()
        })?;
        Ok::<_, StateError>((status, listings))
    });
    let (status, listings) = read.await?.map_err(|error| unreadable(&error))?;
    let damaged = listings.iter().map(|it| it.damaged.len()).sum();
    let mut messages: Vec<Message> = listings.into_iter().flat_map(|it| it.items).collect();
    messages.sort_by_key(|it| std::cmp::Reverse(it.seq));
    messages.truncate(MAX_LISTED);
    let notifications = messages.into_iter().map(answer).collect();
    Ok(Json(NotificationsAnswer { status, notifications, damaged }))
}

fn answer(message: Message) -> NotificationAnswer {
    let letter: Option<Letter> = serde_json::from_slice(&message.body).ok();
    let (status, waits) = match message.status {
        Status::Waiting => ("waiting", true),
        Status::Delivered => ("delivered", false),
        Status::Dead => ("dead", false),
    };
    NotificationAnswer {
        status,
        incident: letter.as_ref().and_then(|it| it.notification.incident),
        event: letter.as_ref().map(|it| it.notification.event),
        title: letter.as_ref().map(|it| it.notification.title.clone()),
        channel: letter.as_ref().map(|it| it.address.channel.clone()),
        person: letter.and_then(|it| it.address.person),
        created_ms: message.created_ms,
        changed_ms: message.changed_ms,
        due_ms: waits.then_some(message.due_ms),
        attempts: message.attempts,
        problem: Some(message.problem).filter(|it| !it.is_empty()),
        id: message.id,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    id: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct RetryAnswer {
    revived: bool,
}

/// `POST /api/notifications/retry`: tries one that was given up again.
pub(crate) async fn retry(
    State(context): State<Context>,
    body: Bytes,
) -> Result<Json<RetryAnswer>, ApiError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(ApiError::too_large(format!("the body has more than {MAX_BODY_BYTES} bytes")));
    }
    let Retry { id } = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request("bad_body", error.to_string()))?;
    let revived = wait("trying again", move || context.alerting.revive(&id)).await?;
    let revived = revived.map_err(|error| unreadable(&error))?;
    Ok(Json(RetryAnswer { revived }))
}

fn unreadable(error: &StateError) -> ApiError {
    ApiError::unavailable("not_saved", chain(error))
}
