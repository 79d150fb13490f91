//! Alerts for simple clients, and incidents with what people do about them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use barograph_alerts::incident::{Acknowledgement, Incident};
use barograph_alerts::machine::Phase;
use barograph_model::chain;
use serde::{Deserialize, Serialize};

use crate::alerting::{ActError, AlertReport, Alerting};
use crate::app::Context;
use crate::timestamp::iso;

use super::error::ApiError;
use super::extract::Path;
use super::range::{histories_permit, parse_time};
use super::waiting::wait;

const MAX_LISTED: usize = 500;
const MAX_BODY_BYTES: usize = 64 * 1024;

/// An alert in the words of the simple interface.
#[derive(Debug, Serialize)]
pub(crate) struct SimpleAlert {
    #[serde(rename = "type")]
    kind: String,
    metric: String,
    threshold: Option<f64>,
    actual_value: f64,
    severity: Option<String>,
    message: String,
    timestamp: String,
    resolved: bool,
    /// Its host is silent: whether it still holds, nobody knows.
    unknown: bool,
}

/// Alerts that fire or ended lately, the newest first.
pub(crate) async fn alerts(State(context): State<Context>) -> Json<Vec<SimpleAlert>> {
    let mut reports = context.alerting.alerts();
    reports.retain(|report| report.alert.phase != Phase::Pending);
    reports.sort_by_key(|report| std::cmp::Reverse(report.alert.fired_ms));
    reports.truncate(MAX_LISTED);
    Json(reports.into_iter().map(SimpleAlert::from).collect())
}

impl From<AlertReport> for SimpleAlert {
    fn from(AlertReport { alert, rule }: AlertReport) -> Self {
        let threshold = rule.threshold.as_ref();
        let mut message = ["summary", "description", "message"].into_iter();
        let message = message.find_map(|name| alert.annotations.get(name));
        Self {
            metric: threshold.map_or(rule.query.text(), |it| &it.metric).to_owned(),
            threshold: threshold.map(|it| it.value),
            actual_value: alert.value,
            severity: alert.labels.get("severity").cloned(),
            message: message.unwrap_or(&rule.alert).clone(),
            timestamp: iso(alert.fired_ms.unwrap_or(alert.active_ms)),
            resolved: alert.phase == Phase::Resolved,
            unknown: alert.is_unknown,
            kind: rule.alert.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct IncidentsAnswer {
    /// The newest first.
    incidents: Vec<Numbered>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Numbered {
    number: u64,
    #[serde(flatten)]
    incident: Incident,
}

pub(crate) async fn incidents(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<IncidentsAnswer>, ApiError> {
    let wanted = Which::parse(text.as_deref().unwrap_or_default())?;
    let found = context.alerting.incidents(|it| wanted.fits(it), wanted.limit).into_iter();
    let incidents = found.map(|(number, incident)| Numbered { number, incident }).collect();
    Ok(Json(IncidentsAnswer { incidents }))
}

/// Which incidents are asked for.
#[derive(Debug, PartialEq)]
struct Which {
    only_open: bool,
    /// Open at some time between these.
    from_ms: i64,
    to_ms: i64,
    limit: usize,
}

impl Which {
    fn parse(text: &str) -> Result<Self, ApiError> {
        let bad = |message: String| ApiError::bad_request("bad_parameter", message);
        let mut which =
            Self { only_open: false, from_ms: i64::MIN, to_ms: i64::MAX, limit: MAX_LISTED };
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
            .map_err(|_| bad("the parameters are not in the form `name=value&…`".to_owned()))?;
        for (name, value) in pairs {
            match name.as_str() {
                "open" => {
                    which.only_open =
                        value.parse().map_err(|_| bad("`open` is true or false".to_owned()))?;
                }
                "from" => which.from_ms = parse_time("from", &value)?,
                "to" => which.to_ms = parse_time("to", &value)?,
                "limit" => {
                    let limit = value.parse().ok().filter(|it| (1..=MAX_LISTED).contains(it));
                    which.limit = limit.ok_or_else(|| {
                        bad(format!("`limit` is a number from 1 to {MAX_LISTED}"))
                    })?;
                }
                _ => {
                    let name: String = name.chars().take(40).collect();
                    return Err(bad(format!(
                        "there is no parameter `{name}`; allowed are open, from, to, limit"
                    )));
                }
            }
        }
        Ok(which)
    }

    fn fits(&self, incident: &Incident) -> bool {
        let ended_ms = incident.resolved_ms;
        !(self.only_open && ended_ms.is_some())
            && incident.opened_ms <= self.to_ms
            && ended_ms.is_none_or(|ended_ms| ended_ms >= self.from_ms)
    }
}

pub(crate) async fn incident(
    State(context): State<Context>,
    Path(number): Path<u64>,
) -> Result<Json<Numbered>, ApiError> {
    match context.alerting.incident(number) {
        Some(incident) => Ok(Json(Numbered { number, incident })),
        None => Err(unknown(number)),
    }
}

/// `GET /api/incidents/NUMBER/evidence`: what it looked like when it began, or lately.
pub(crate) async fn evidence(
    State(context): State<Context>,
    Path(number): Path<u64>,
) -> Result<Json<barograph_notify::Evidence>, ApiError> {
    /// So long after its beginning an incident shows what it is.
    const AFTER_MS: i64 = 10 * 60_000;
    let incident = context.alerting.incident(number).ok_or_else(|| unknown(number))?;
    let permit = histories_permit(&context).await?;
    let gather = move || {
        let _permit = permit;
        let at_ms = context.clock.now_ms().min(incident.opened_ms.saturating_add(AFTER_MS));
        context.dispatch.postman().gatherer().gather(&incident, at_ms)
    };
    wait("gathering the evidence", gather).await.map(Json)
}

fn unknown(number: u64) -> ApiError {
    ApiError::not_found("no_such_incident", format!("there is no incident {number}"))
}

/// Who does something, and what they say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    #[serde(default = "somebody")]
    by: String,
    #[serde(default)]
    text: String,
    /// Seconds that an acknowledgement lasts.
    for_seconds: Option<u32>,
}

fn somebody() -> String {
    "local".to_owned()
}

/// `POST /api/incidents/NUMBER/WHAT`: acknowledge, unacknowledge, comment, resolve, reopen.
pub(crate) async fn act(
    State(context): State<Context>,
    Path((number, what)): Path<(u64, String)>,
    body: Bytes,
) -> Result<Json<Numbered>, ApiError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(ApiError::too_large(format!("the body has more than {MAX_BODY_BYTES} bytes")));
    }
    let act: Act = if body.is_empty() {
        Act { by: somebody(), ..Act::default() }
    } else {
        serde_json::from_slice(&body)
            .map_err(|error| ApiError::bad_request("bad_body", error.to_string()))?
    };
    let now_ms = context.clock.now_ms();
    let alerting = std::sync::Arc::clone(&context.alerting);
    let act = move || perform(&alerting, number, &what, act, now_ms);
    let incident = wait("what was asked", act).await??;
    Ok(Json(Numbered { number, incident }))
}

fn perform(
    alerting: &Alerting,
    number: u64,
    what: &str,
    act: Act,
    now_ms: i64,
) -> Result<Incident, ApiError> {
    let Act { by, text, for_seconds } = act;
    let outcome = match what {
        "acknowledge" => {
            let until_ms = for_seconds.map(|it| now_ms.saturating_add(i64::from(it) * 1000));
            let by = Acknowledgement { by, note: text, at_ms: now_ms, until_ms };
            alerting.acknowledge(number, by)
        }
        "unacknowledge" => alerting.unacknowledge(number, &by),
        "comment" => alerting.comment(number, &by, &text),
        "resolve" => alerting.resolve(number, &by),
        "reopen" => alerting.reopen(number, &by),
        _ => {
            let message = "allowed are acknowledge, unacknowledge, comment, resolve and reopen";
            return Err(ApiError::not_found("no_such_act", message));
        }
    };
    outcome.map_err(|error| refusal(&error))
}

/// Why something was not done, for the client.
pub(super) fn refusal(error: &ActError) -> ApiError {
    match error {
        ActError::Unknown(number) => unknown(*number),
        ActError::NoAttempt(_) => ApiError::not_found("no_such_attempt", chain(error)),
        ActError::Link(_)
        | ActError::Refused(_)
        | ActError::Attempt(_)
        | ActError::NotOffered(_) => ApiError::bad_request("refused", chain(error)),
        ActError::Unsaved(_) => ApiError::unavailable("not_saved", chain(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Which::parse(text).unwrap_err().message
    }

    #[test]
    fn parameters_are_understood_and_mistakes_named() {
        let which = Which::parse("open=true&from=1000&to=2000&limit=3").unwrap();
        assert_eq!(which, Which { only_open: true, from_ms: 1000, to_ms: 2000, limit: 3 });
        assert_eq!(Which::parse("").unwrap().limit, MAX_LISTED);
        assert!(message("open=yes").contains("`open` is true or false"));
        assert!(message("limit=0").contains("`limit` is a number from 1 to 500"));
        assert!(message("from=soon").contains("`from` is a time"));
        assert!(message("till=1").contains("allowed are open, from, to, limit"));
    }
}
