//! Rules and alerts, in Prometheus' form.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use barograph_alerts::machine::{Alert, Phase, Texts};
use barograph_alerts::rule::{AlertingRule, Rule};
use barograph_promql::plain_number;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::Refused;
use super::params::Params;
use crate::alerting::{GroupReport, Health, RuleReport};
use crate::app::Context;
use crate::timestamp::iso;

mod wanted;

use wanted::Wanted;

pub(super) async fn rules(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let wanted = Wanted::new(&params)?;
    let all = context.alerting.groups();
    let (chosen, next) = wanted.choose(&all)?;
    let groups: Vec<Value> =
        chosen.iter().map(|(group, rules)| shown(group, rules, wanted.alerts)).collect();
    let mut data = json!({ "groups": groups });
    if let (Some(fields), Some(token)) = (data.as_object_mut(), next) {
        fields.insert("groupNextToken".to_owned(), json!(token));
    }
    Ok(success(&data))
}

pub(super) async fn alerts(State(context): State<Context>) -> Response {
    let reports = context.alerting.alerts();
    let active = reports.iter().filter(|report| report.alert.is_active());
    let alerts: Vec<AlertAnswer> = active.map(|report| AlertAnswer::new(&report.alert)).collect();
    success(&json!({ "alerts": alerts }))
}

fn success(data: &Value) -> Response {
    Json(json!({ "status": "success", "data": data })).into_response()
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertAnswer {
    labels: Texts,
    annotations: Texts,
    state: &'static str,
    active_at: String,
    value: String,
}

impl AlertAnswer {
    fn new(alert: &Alert) -> Self {
        Self {
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            state: state(alert),
            active_at: iso(alert.active_ms),
            value: plain_number(alert.value),
        }
    }
}

fn state(alert: &Alert) -> &'static str {
    match alert.phase {
        Phase::Pending => "pending",
        Phase::Firing => "firing",
        Phase::Resolved => "inactive",
    }
}

fn shown(group: &GroupReport, rules: &[&RuleReport], with_alerts: bool) -> Value {
    let rules = rules.iter().map(|report| rule(report, group.evaluated_ms, with_alerts));
    let mut shown = json!({
        "name": group.name,
        "file": group.file,
        "interval": group.interval.as_secs_f64(),
        "limit": group.limit,
        "evaluationTime": group.took.as_secs_f64(),
        "lastEvaluation": evaluated(group.evaluated_ms),
        "rules": rules.collect::<Vec<_>>(),
    });
    if let (Some(fields), Some(problem)) = (shown.as_object_mut(), &group.problem) {
        // Not one of Prometheus' fields: it forgets such a group.
        fields.insert("problem".to_owned(), json!(problem));
    }
    shown
}

/// Prometheus says "never" by the first moment of its calendar.
fn evaluated(at_ms: Option<i64>) -> String {
    at_ms.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), iso)
}

fn rule(report: &RuleReport, evaluated_ms: Option<i64>, with_alerts: bool) -> Value {
    let mut value = match &report.rule {
        Rule::Recording(rule) => json!({
            "name": rule.record,
            "query": rule.query.text(),
            "labels": rule.labels,
            "type": "recording",
        }),
        Rule::Alerting(rule) => alerting(rule, &report.alerts, with_alerts),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("health".to_owned(), json!(report.health.as_str()));
        fields.insert("evaluationTime".to_owned(), json!(report.took.as_secs_f64()));
        fields.insert("lastEvaluation".to_owned(), json!(evaluated(evaluated_ms)));
        if report.health == Health::Failed {
            fields.insert("lastError".to_owned(), json!(report.error));
        }
    }
    value
}

fn alerting(rule: &AlertingRule, alerts: &[Alert], with_alerts: bool) -> Value {
    let seconds = |ms: i64| Duration::from_millis(ms.unsigned_abs()).as_secs_f64();
    let active: Vec<&Alert> = alerts.iter().filter(|alert| alert.is_active()).collect();
    let worst = match () {
        () if active.iter().any(|alert| alert.phase == Phase::Firing) => "firing",
        () if active.is_empty() => "inactive",
        () => "pending",
    };
    json!({
        "state": worst,
        "name": rule.alert,
        "query": rule.query.text(),
        "duration": seconds(rule.for_ms),
        "keepFiringFor": seconds(rule.keep_firing_for_ms),
        "labels": rule.labels.iter().map(|(name, it)| (name, it.text())).collect::<std::collections::BTreeMap<_, _>>(),
        "annotations": rule.annotations.iter().map(|(name, it)| (name, it.text())).collect::<std::collections::BTreeMap<_, _>>(),
        "alerts": active.into_iter().filter(|_| with_alerts).map(AlertAnswer::new).collect::<Vec<_>>(),
        "type": "alerting",
    })
}
