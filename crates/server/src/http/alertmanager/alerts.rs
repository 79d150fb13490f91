//! Alerts as Alertmanager tells them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use barograph_alerts::incident::{Incident, shown};
use barograph_alerts::machine::{Phase, Texts};
use serde::Serialize;

use super::{Parameters, Refusal};
use crate::alerting::AlertReport;
use crate::app::{App, Context};
use crate::timestamp::iso;

/// An alert that is told again is over this long after it was told last.
const ENDS_AFTER_MS: i64 = 4 * 60_000;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct AlertAnswer {
    annotations: Texts,
    #[serde(rename = "endsAt")]
    ends_at: String,
    fingerprint: String,
    receivers: Vec<ReceiverAnswer>,
    #[serde(rename = "startsAt")]
    starts_at: String,
    status: StatusAnswer,
    #[serde(rename = "updatedAt")]
    updated_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    labels: Texts,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct ReceiverAnswer {
    pub(super) name: String,
}

#[derive(Debug, Clone, Serialize)]
struct StatusAnswer {
    #[serde(rename = "inhibitedBy")]
    inhibited_by: Vec<String>,
    #[serde(rename = "silencedBy")]
    silenced_by: Vec<String>,
    #[serde(rename = "mutedBy")]
    muted_by: Vec<String>,
    state: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct GroupAnswer {
    labels: Texts,
    receiver: ReceiverAnswer,
    alerts: Vec<AlertAnswer>,
}

/// `GET /api/v2/alerts`.
pub(crate) async fn list(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<Vec<AlertAnswer>>, Refusal> {
    Ok(Json(alerts(&context, &Parameters::read(text.as_deref())?)?))
}

/// `GET /api/v2/alerts/groups`: by the labels that make an incident.
pub(crate) async fn groups(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<Vec<GroupAnswer>>, Refusal> {
    let parameters = Parameters::read(text.as_deref())?;
    let route = context.documents.book().directory.route.clone();
    let mut groups: BTreeMap<(Texts, ReceiverAnswer), Vec<AlertAnswer>> = BTreeMap::new();
    for alert in alerts(&context, &parameters)? {
        for (place, decision) in route.decide(&alert.labels).into_iter().enumerate() {
            // A rule may name its own.
            let receiver = alert.receivers.get(place).or(alert.receivers.last()).cloned();
            let key = (decision.group, receiver.unwrap_or_else(|| self::receiver(None)));
            groups.entry(key).or_default().push(alert.clone());
        }
    }
    let answers = groups.into_iter().map(|((labels, receiver), alerts)| GroupAnswer {
        labels,
        receiver,
        alerts,
    });
    Ok(Json(answers.collect()))
}

fn alerts(app: &App, parameters: &Parameters) -> Result<Vec<AlertAnswer>, Refusal> {
    let filter = parameters.filter()?;
    let wants = |name| parameters.is_on(name);
    let (active, silenced) = (wants("active")?, wants("silenced")?);
    let (inhibited, muted) = (wants("inhibited")?, wants("muted")?);
    let receiver = match parameters.all("receiver").last() {
        None => None,
        Some(text) => Some(
            regex::Regex::new(&format!("^(?:{text})$"))
                .map_err(|error| Refusal::bad(format!("`receiver`: {error}")))?,
        ),
    };
    let hidden = hidden(app);
    let route = app.documents.book().directory.route.clone();
    let now_ms = app.clock.now_ms();
    let mut answers = Vec::new();
    for AlertReport { alert, rule } in app.alerting.alerts() {
        let is_told = alert.phase == Phase::Firing && filter.matches(&alert.labels);
        let decided = route.decide(&alert.labels);
        let named = decided.iter().map(|it| self::receiver(it.policy.as_deref()));
        let mut receivers: Vec<ReceiverAnswer> = named.collect();
        if rule.escalation.is_some() {
            receivers = vec![self::receiver(rule.escalation.as_deref())];
        }
        let reaches = |regex: &regex::Regex| receivers.iter().any(|it| regex.is_match(&it.name));
        if !is_told || !receiver.as_ref().is_none_or(reaches) {
            continue;
        }
        let status = status(hidden.get(&shown(&alert.labels)));
        let is_wanted = match () {
            () if !status.silenced_by.is_empty() => silenced,
            () if !status.inhibited_by.is_empty() => inhibited,
            () if !status.muted_by.is_empty() => muted,
            () => active,
        };
        if is_wanted {
            answers.push(AlertAnswer {
                ends_at: iso(now_ms.saturating_add(ENDS_AFTER_MS)),
                fingerprint: fingerprint(&alert.labels),
                receivers,
                starts_at: iso(alert.fired_ms.unwrap_or(alert.active_ms)),
                status,
                updated_at: iso(now_ms),
                generator_url: format!(
                    "{}/rules",
                    app.alerting.external_url().trim_end_matches('/')
                ),
                annotations: alert.annotations,
                labels: alert.labels,
            });
        }
    }
    answers.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    Ok(answers)
}

/// Alerts that nobody is told of, and why.
fn hidden(app: &App) -> BTreeMap<String, String> {
    const MAX_INCIDENTS: usize = 10_000;
    let incidents = app.alerting.incidents(Incident::is_open, MAX_INCIDENTS);
    let members = incidents.into_iter().flat_map(|(_, incident)| incident.alerts);
    members.filter_map(|(name, member)| Some((name, member.muted_by?))).collect()
}

fn status(hidden_by: Option<&String>) -> StatusAnswer {
    let mut status = StatusAnswer {
        inhibited_by: Vec::new(),
        silenced_by: Vec::new(),
        muted_by: Vec::new(),
        state: if hidden_by.is_some() { "suppressed" } else { "active" },
    };
    match hidden_by.and_then(|it| it.split_once(' ')) {
        Some(("silence", name)) => status.silenced_by.push(name.to_owned()),
        Some(("window", name)) => status.muted_by.push(name.to_owned()),
        Some((_, name)) => status.inhibited_by.push(name.to_owned()),
        None => {}
    }
    status
}

pub(super) fn receiver(policy: Option<&str>) -> ReceiverAnswer {
    ReceiverAnswer { name: policy.unwrap_or("default").to_owned() }
}

/// FNV-1a over the labels, as Prometheus names a set of labels.
fn fingerprint(labels: &Texts) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (name, value) in labels {
        let bytes = name.bytes().chain([0xff]).chain(value.bytes()).chain([0xff]);
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}
