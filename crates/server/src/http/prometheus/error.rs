//! Refusals in Prometheus' form.

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use barograph_model::SourceError;
use barograph_promql::EvalError;

use super::text::push_json_string;
use crate::queries::AskError;

/// A refusal: its kind decides the status.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
}

/// Prometheus' `errorType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorKind {
    BadData,
    Execution,
    Canceled,
    Timeout,
    Internal,
    NotFound,
}

impl ErrorKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Execution => "execution",
            Self::Canceled => "canceled",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
            Self::NotFound => "not_found",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadData => StatusCode::BAD_REQUEST,
            Self::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Canceled | Self::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }
}

impl Refused {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What is wrong with a parameter.
    pub(super) fn parameter(name: &str, problem: impl std::fmt::Display) -> Self {
        Self::new(ErrorKind::BadData, format!("invalid parameter \"{name}\": {problem}"))
    }
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        let kind = match &error {
            AskError::Eval(EvalError::Timeout { .. }) | AskError::Queue { .. } => {
                ErrorKind::Timeout
            }
            AskError::Eval(EvalError::Cancelled) => ErrorKind::Canceled,
            AskError::Eval(EvalError::TooManyPoints { .. }) => ErrorKind::BadData,
            AskError::Eval(EvalError::Source(_)) | AskError::Panicked => ErrorKind::Internal,
            AskError::Eval(_) => ErrorKind::Execution,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<SourceError> for Refused {
    fn from(error: SourceError) -> Self {
        AskError::from(EvalError::from(error)).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut body = String::from("{\"status\":\"error\",\"errorType\":\"");
        body.push_str(self.kind.as_str());
        body.push_str("\",\"error\":");
        push_json_string(&mut body, &self.message);
        body.push('}');
        let json = HeaderValue::from_static("application/json");
        (self.kind.status(), [(header::CONTENT_TYPE, json)], body).into_response()
    }
}

/// An address of the interface that is not there.
pub(super) async fn unknown(uri: Uri) -> Refused {
    Refused::new(ErrorKind::NotFound, format!("no interface is called {}", uri.path()))
}
