//! What a text would do if it were a document: what a silence or a window would hide, who would be
//! on call, whom a policy would tell when, where an alert would go.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use barograph_alerts::document::{self, Problem};
use barograph_alerts::escalation::{Policy, Rota, Route, Target};
use barograph_alerts::incident::Level;
use barograph_alerts::machine::{Phase, Texts};
use barograph_alerts::matchers::Matchers;
use barograph_alerts::mute::{Silence, Window};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::Context;
use crate::documents::{POLICIES, ROTAS, ROUTES, SILENCES, WINDOWS};

use super::documents::text_of;
use super::error::ApiError;
use super::extract::Path;

const MAX_LISTED: usize = 500;
/// Openings of a window that are told.
const MAX_STRETCHES: usize = 5;
/// How far a rota is shown unless `days` says otherwise.
const ROTA_DAYS: i64 = 28;
const DAY_MS: i64 = 86_400_000;
const MAX_LABELS: usize = 100;

/// What is shown of a kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum PreviewAnswer {
    Hidden(HiddenAnswer),
    Turns { turns: Vec<TurnAnswer> },
    Tellings { tellings: Vec<TellingAnswer> },
    Decisions { decisions: Vec<DecisionAnswer> },
}

#[derive(Debug, Serialize)]
pub(crate) struct HiddenAnswer {
    /// Alerts that are pending or fire now and match.
    alerts: Vec<AlertAnswer>,
    /// How many alerts there are now in all.
    of: usize,
    /// When it hides, the next times first.
    times: Vec<TimesAnswer>,
}

#[derive(Debug, Serialize)]
struct AlertAnswer {
    labels: Texts,
    phase: Phase,
    value: f64,
}

#[derive(Debug, Serialize)]
struct TimesAnswer {
    from_ms: i64,
    to_ms: i64,
}

/// Somebody is on call; `None`: nobody is.
#[derive(Debug, Serialize)]
pub(crate) struct TurnAnswer {
    from_ms: i64,
    to_ms: i64,
    person: Option<String>,
}

/// Whom a policy tells, so long after an incident began to escalate.
#[derive(Debug, Serialize)]
pub(crate) struct TellingAnswer {
    after_ms: i64,
    targets: Vec<String>,
    is_fall_through: bool,
}

/// Where an alert goes.
#[derive(Debug, Serialize)]
pub(crate) struct DecisionAnswer {
    policy: Option<String>,
    group: Texts,
    group_wait_ms: i64,
}

/// `POST /api/documents/KIND/NAME/preview`: the body is the text.
pub(crate) async fn preview(
    State(context): State<Context>,
    Path((kind, _)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Json<PreviewAnswer>, ApiError> {
    let asked = Asked::read(query.as_deref())?;
    let text = text_of(&context, body).await?;
    let now_ms = context.clock.now_ms();
    let answer = match kind.as_str() {
        SILENCES => {
            let silence: Silence = read(&text)?;
            let times = TimesAnswer { from_ms: silence.from_ms, to_ms: silence.to_ms };
            hidden(&context, &silence.matchers, vec![times])
        }
        WINDOWS => {
            let window: Window = read(&text)?;
            hidden(&context, &window.matchers, stretches(&window, now_ms))
        }
        ROTAS => turns(&context, &read(&text)?, &asked)?,
        POLICIES => tellings(&read(&text)?)?,
        ROUTES => decisions(&read(&text)?, &asked.labels),
        _ => {
            let message = "there is a preview of policies, rotas, routes, silences and windows";
            return Err(ApiError::not_found("no_preview", message));
        }
    };
    Ok(Json(answer))
}

/// What is asked beside the text.
#[derive(Debug)]
struct Asked {
    days: i64,
    severity: Level,
    labels: Texts,
}

impl Asked {
    fn read(query: Option<&str>) -> Result<Self, ApiError> {
        let bad = |message: String| ApiError::bad_request("bad_parameter", message);
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.unwrap_or_default())
            .map_err(|_| bad("the parameters are not in the form `name=value&…`".to_owned()))?;
        let mut asked = Self { days: ROTA_DAYS, severity: Level::Critical, labels: Texts::new() };
        for (name, value) in pairs {
            match name.as_str() {
                "days" => {
                    let days = value.parse().ok();
                    let days = days.filter(|it| (1..=Rota::MAX_TIMELINE_DAYS).contains(it));
                    asked.days = days.ok_or_else(|| {
                        let most = Rota::MAX_TIMELINE_DAYS;
                        bad(format!("`days` is `{value}`, allowed are 1 to {most}"))
                    })?;
                }
                "severity" => {
                    let level = serde_json::from_value(Value::String(value.clone())).ok();
                    asked.severity = level.ok_or_else(|| {
                        bad(format!("`severity` is `{value}`, allowed are info, warning, critical"))
                    })?;
                }
                "label" if asked.labels.len() < MAX_LABELS => {
                    let (label, text) = value.split_once('=').ok_or_else(|| {
                        bad(format!("`label` is `{value}`, allowed is such as severity=critical"))
                    })?;
                    asked.labels.insert(label.trim().to_owned(), text.trim().to_owned());
                }
                "label" => return Err(bad(format!("more than {MAX_LABELS} labels"))),
                _ => {
                    let message =
                        format!("`{name}` is no parameter here; allowed: days, severity, label");
                    return Err(bad(message));
                }
            }
        }
        Ok(asked)
    }
}

fn wrong(problem: &impl ToString) -> ApiError {
    ApiError::over_limit("invalid_document", problem.to_string())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    document::read(text).map_err(|problem: Problem| wrong(&problem))
}

fn stretches(window: &Window, now_ms: i64) -> Vec<TimesAnswer> {
    let open = window.schedule.stretch_at(now_ms);
    let next = |(from_ms, _): &(i64, i64)| window.schedule.next_after(*from_ms);
    let coming = std::iter::successors(window.schedule.next_after(now_ms), next);
    let all = open.into_iter().chain(coming).take(MAX_STRETCHES);
    all.map(|(from_ms, to_ms)| TimesAnswer { from_ms, to_ms }).collect()
}

fn hidden(context: &Context, matchers: &Matchers, times: Vec<TimesAnswer>) -> PreviewAnswer {
    let mut alerts = context.alerting.alerts();
    alerts.retain(|report| report.alert.is_active());
    let of = alerts.len();
    let hidden = alerts.into_iter().filter(|it| matchers.matches(&it.alert.labels));
    let hidden = hidden.take(MAX_LISTED).map(|it| AlertAnswer {
        labels: it.alert.labels,
        phase: it.alert.phase,
        value: it.alert.value,
    });
    PreviewAnswer::Hidden(HiddenAnswer { alerts: hidden.collect(), of, times })
}

/// Who would be told of something of a severity, by turns and by the working hours of people.
fn turns(context: &Context, rota: &Rota, asked: &Asked) -> Result<PreviewAnswer, ApiError> {
    if let Err(problems) = rota.check() {
        return Err(problems.first().map_or_else(|| wrong(&"it makes no sense"), wrong));
    }
    let now_ms = context.clock.now_ms();
    let times = (now_ms, now_ms.saturating_add(asked.days * DAY_MS));
    let book = context.documents.book();
    let turns = book.directory.staff().turns(rota, asked.severity, times).into_iter();
    let turns =
        turns.map(|it| TurnAnswer { from_ms: it.from_ms, to_ms: it.to_ms, person: it.person });
    Ok(PreviewAnswer::Turns { turns: turns.collect() })
}

fn tellings(policy: &Policy) -> Result<PreviewAnswer, ApiError> {
    if let Err(problems) = policy.check() {
        return Err(problems.first().map_or_else(|| wrong(&"it makes no sense"), wrong));
    }
    let tellings = policy.tellings().into_iter().take(MAX_LISTED);
    let tellings = tellings.map(|(after_ms, targets, is_fall_through)| TellingAnswer {
        after_ms,
        targets: targets.iter().map(Target::to_string).collect(),
        is_fall_through,
    });
    Ok(PreviewAnswer::Tellings { tellings: tellings.collect() })
}

fn decisions(routes: &Route, labels: &Texts) -> PreviewAnswer {
    let decisions = routes.decide(labels).into_iter().map(|it| DecisionAnswer {
        policy: it.policy,
        group: it.group,
        group_wait_ms: it.group_wait_ms,
    });
    PreviewAnswer::Decisions { decisions: decisions.collect() }
}
