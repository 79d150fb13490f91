//! Answers that say no.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use barograph_model::chain;
use serde::Serialize;
use serde_json::json;

use crate::on_demand::NotTaken;

/// Long enough for a disk to catch up, short enough for a sender's queue.
const RETRY_AFTER_S: u32 = 5;

/// A refusal: `code` is stable, `message` is for people.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) suggestions: Vec<String>,
    /// What else a client can use, by name.
    details: Vec<(&'static str, serde_json::Value)>,
    /// When to come back.
    retry_after_s: Option<u32>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let (suggestions, details) = (Vec::new(), Vec::new());
        Self { status, code, message, suggestions, details, retry_after_s: None }
    }

    pub(super) fn with(mut self, name: &'static str, detail: &impl Serialize) -> Self {
        self.details.push((name, json!(detail)));
        self
    }

    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn over_limit(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    pub(crate) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    pub(crate) fn internal(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(crate) fn unsupported_media(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", message)
    }

    /// The server has enough to do: the sender may come back.
    pub(crate) fn busy(message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", message);
        Self { retry_after_s: Some(RETRY_AFTER_S), ..error }
    }

    /// The same, when it is known for how long.
    pub(crate) fn busy_for(message: impl Into<String>, time: std::time::Duration) -> Self {
        let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1);
        Self { retry_after_s: Some(seconds), ..Self::busy(message) }
    }

    /// The server cannot store now: the sender has to come back.
    pub(crate) fn not_stored(message: impl Into<String>) -> Self {
        Self::later("not_stored", message)
    }

    /// What was asked cannot be done now, and can be in some seconds.
    pub(crate) fn later(code: &'static str, message: impl Into<String>) -> Self {
        Self { retry_after_s: Some(RETRY_AFTER_S), ..Self::unavailable(code, message) }
    }

    /// In how many seconds it is worth to come back.
    pub(crate) fn retry_after_s(&self) -> Option<u32> {
        self.retry_after_s
    }

    /// A metric that does not exist, with those that are called nearly so.
    pub(crate) fn unknown_metric(name: &str, known: impl Iterator<Item = String>) -> Self {
        let mut error = Self::not_found(
            "unknown_metric",
            format!("no metric is called `{}`", name.chars().take(100).collect::<String>()),
        );
        error.suggestions = nearest(name, known);
        error
    }
}

/// At most three names that are not far from the given one, nearest first.
fn nearest(name: &str, known: impl Iterator<Item = String>) -> Vec<String> {
    const LIKELY: f64 = 0.75;
    let mut scored: Vec<(f64, String)> = known
        .map(|candidate| (strsim::jaro_winkler(name, &candidate), candidate))
        .filter(|(score, _)| *score >= LIKELY)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

impl From<NotTaken> for ApiError {
    fn from(error: NotTaken) -> Self {
        match error {
            NotTaken::TooSlow => Self::unavailable("too_slow", error.to_string()),
            NotTaken::Broken => Self::internal("panic", error.to_string()),
            NotTaken::Refused(error) if error.is_absent() => {
                Self::not_found("absent", error.to_string())
            }
            NotTaken::Refused(error) => Self::internal("not_readable", chain(&error)),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let Some(body) = body.as_object_mut() {
            if !self.suggestions.is_empty() {
                body.insert("suggestions".into(), json!(self.suggestions));
            }
            body.extend(self.details.into_iter().map(|(name, it)| (name.to_owned(), it)));
        }
        let mut response = (self.status, Json(json!({ "error": body }))).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_come_first_and_strangers_not_at_all() {
        let known = ["cpu_usage", "cpu_count", "disk_percent"].map(str::to_owned);
        assert_eq!(nearest("cpu_usge", known.clone().into_iter()).first().unwrap(), "cpu_usage");
        assert!(nearest("zzz", known.into_iter()).is_empty());
    }
}
