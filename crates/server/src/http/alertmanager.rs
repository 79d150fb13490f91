//! The interface of Alertmanager, version 2, as far as `amtool` and Grafana use it: alerts, silences,
//! receivers and status. Alerts come from the rules here and are not taken from others.

mod alerts;
mod silences;
mod status;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use barograph_alerts::matchers::Matchers;

use crate::app::Context;

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v2/alerts", get(alerts::list))
        .route("/api/v2/alerts/groups", get(alerts::groups))
        .route("/api/v2/receivers", get(status::receivers))
        .route("/api/v2/silence/{id}", get(silences::one).delete(silences::expire))
        .route("/api/v2/silences", get(silences::list).post(silences::put))
        .route("/api/v2/status", get(status::status))
}

/// A refusal in Alertmanager's form: a text.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    fn missing(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: message.into() }
    }

    fn failed(message: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.message)).into_response()
    }
}

/// The parameters of a question.
#[derive(Debug)]
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(text: Option<&str>) -> Result<Self, Refusal> {
        serde_urlencoded::from_str(text.unwrap_or_default())
            .map(Self)
            .map_err(|_| Refusal::bad("the parameters are not in the form `name=value&…`"))
    }

    /// All `filter=…` together.
    fn filter(&self) -> Result<Matchers, Refusal> {
        let texts: Vec<&str> = self.all("filter").collect();
        Matchers::parse(&texts).map_err(|error| Refusal::bad(error.to_string()))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// A switch that is on unless it is put off.
    fn is_on(&self, name: &str) -> Result<bool, Refusal> {
        match self.all(name).last() {
            None | Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Refusal::bad(format!("`{name}` is true or false"))),
        }
    }
}
