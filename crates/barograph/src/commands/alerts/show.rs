//! Incidents and notifications, for people to read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use crate::output;

/// The part of an incident that is shown.
#[derive(Debug, Deserialize)]
pub(super) struct Incident {
    number: u64,
    opened_ms: i64,
    resolved_ms: Option<i64>,
    alerts: BTreeMap<String, Member>,
    acknowledged: Option<Acknowledged>,
    severity: Option<String>,
    policy: Option<String>,
    timeline: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Member {
    annotations: BTreeMap<String, String>,
    /// Numbers that JSON cannot hold come as null.
    value: Option<f64>,
    phase: String,
    is_unknown: bool,
    muted_by: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Acknowledged {
    by: String,
    note: String,
    until_ms: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Event {
    at_ms: i64,
    by: Option<String>,
    what: BTreeMap<String, Value>,
}

/// The part of `/api/notifications` that is shown.
#[derive(Debug, Deserialize)]
pub(super) struct Notifications {
    nobody_is_told: bool,
    problems: Vec<String>,
    #[serde(rename = "notifications")]
    told: Vec<Notification>,
}

#[derive(Debug, Deserialize)]
struct Notification {
    id: String,
    status: String,
    channel: Option<String>,
    person: Option<String>,
    created_ms: i64,
    attempts: u32,
    problem: Option<String>,
}

/// The part of `/api/remediations` that is shown.
#[derive(Debug, Deserialize)]
pub(super) struct Remedies {
    actions: Vec<String>,
    attempts: Vec<Attempt>,
}

#[derive(Debug, Deserialize)]
struct Attempt {
    id: String,
    state: String,
    order: String,
    incident: u64,
    proposed_ms: i64,
    approved_by: Vec<String>,
    outcome: String,
}

impl Incident {
    fn state(&self) -> &'static str {
        let firing = || self.alerts.values().filter(|it| it.phase == "firing");
        match () {
            () if self.resolved_ms.is_some() => "resolved",
            () if firing().all(|it| it.muted_by.is_some()) => "muted",
            () if self.acknowledged.is_some() => "acknowledged",
            () if firing().all(|it| it.is_unknown) => "unknown",
            () => "firing",
        }
    }

    /// The first alert that fires, or the first of all.
    fn first(&self) -> String {
        let firing = self.alerts.iter().find(|(_, it)| it.phase == "firing");
        let first = firing.or_else(|| self.alerts.iter().next());
        first.map_or_else(String::new, |(name, _)| name.clone())
    }
}

pub(super) fn table(incidents: &[Incident]) -> String {
    let mut rows = vec![
        ["id", "state", "severity", "since", "alerts", "first", "who"].map(str::to_owned).to_vec(),
    ];
    for incident in incidents {
        rows.push(vec![
            incident.number.to_string(),
            incident.state().to_owned(),
            incident.severity.clone().unwrap_or_default(),
            moment(incident.opened_ms),
            incident.alerts.len().to_string(),
            incident.first(),
            incident.acknowledged.as_ref().map_or_else(String::new, |it| it.by.clone()),
        ]);
    }
    output::table(&plain(rows))
}

/// Names and texts come from others.
fn plain(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let row = |row: Vec<String>| row.iter().map(|cell| output::plain(cell)).collect();
    rows.into_iter().map(row).collect()
}

pub(super) fn story(incident: &Incident) -> String {
    let mut text = format!(
        "Incident {}: {}{}, since {}",
        incident.number,
        incident.state(),
        incident.severity.as_ref().map_or_else(String::new, |it| format!(", {it}")),
        moment(incident.opened_ms)
    );
    // Writing to a string cannot fail.
    if let Some(by) = &incident.acknowledged {
        let until = by.until_ms.map_or_else(String::new, |it| format!(" until {}", moment(it)));
        let note = if by.note.is_empty() { String::new() } else { format!(": {}", by.note) };
        write!(text, "\nAcknowledged by {}{until}{note}", by.by).unwrap_or_default();
    }
    if let Some(policy) = &incident.policy {
        write!(text, "\nPolicy {policy}").unwrap_or_default();
    }
    text += "\n\nAlerts:";
    for (name, member) in &incident.alerts {
        let value = member.value.map_or_else(String::new, |it| format!(" = {it}"));
        let unknown = if member.is_unknown { ", host is silent" } else { "" };
        let muted =
            member.muted_by.as_ref().map_or_else(String::new, |it| format!(", hidden by {it}"));
        write!(text, "\n  {name}{value} ({}{unknown}{muted})", member.phase).unwrap_or_default();
        if let Some(summary) = member.annotations.get("summary") {
            write!(text, "\n    {summary}").unwrap_or_default();
        }
    }
    text += "\n\nWhat happened:";
    for event in &incident.timeline {
        let by = event.by.as_ref().map_or_else(String::new, |it| format!(" by {it}"));
        write!(text, "\n  {} {}{by}", moment(event.at_ms), told(&event.what)).unwrap_or_default();
    }
    let lines: Vec<String> = text.lines().map(output::plain).collect();
    lines.join("\n")
}

/// A line of the timeline in words: its kind, and what belongs to it.
fn told(what: &BTreeMap<String, Value>) -> String {
    let kind = what.get("kind").and_then(Value::as_str).unwrap_or("something").replace('_', " ");
    let details = what.iter().filter(|(name, _)| *name != "kind" && *name != "number");
    let details = details.filter_map(|(name, value)| match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Some(items.join(", "))
        }
        Value::Number(number) if name == "until_ms" => {
            number.as_i64().map(|ms| format!("until {}", moment(ms)))
        }
        other => Some(other.to_string()),
    });
    let details: Vec<String> = details.collect();
    if details.is_empty() { kind } else { format!("{kind}: {}", details.join(", ")) }
}

pub(super) fn notifications(all: &Notifications) -> String {
    let mut text = String::new();
    if all.nobody_is_told {
        text += "Nobody is told of any alert: there are no channels.\n";
    }
    for problem in all.problems.iter().map(String::as_str) {
        text.extend([problem, "\n"]);
    }
    if all.told.is_empty() {
        return text + "No notifications.";
    }
    let mut rows =
        vec![["when", "status", "to", "attempts", "id", "problem"].map(str::to_owned).to_vec()];
    for it in &all.told {
        let channel = it.channel.as_deref().unwrap_or("?");
        let to = it.person.as_ref().map_or(channel.to_owned(), |who| format!("{who} by {channel}"));
        rows.push(vec![
            moment(it.created_ms),
            it.status.clone(),
            to,
            it.attempts.to_string(),
            it.id.clone(),
            it.problem.clone().unwrap_or_default(),
        ]);
    }
    text + &output::table(&plain(rows))
}

pub(super) fn remedies(all: &Remedies) -> String {
    if all.actions.is_empty() && all.attempts.is_empty() {
        return "This host has no actions ([actions] file).".to_owned();
    }
    let heads = ["when", "incident", "state", "id", "what", "approved by", "outcome"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for it in &all.attempts {
        rows.push(vec![
            moment(it.proposed_ms),
            if it.incident == 0 { "none".to_owned() } else { it.incident.to_string() },
            it.state.replace('_', " "),
            it.id.clone(),
            it.order.clone(),
            it.approved_by.join(", "),
            it.outcome.lines().next().unwrap_or_default().to_owned(),
        ]);
    }
    format!("Actions: {}\n\n{}", all.actions.join(", "), output::table(&plain(rows)))
}

fn moment(ms: i64) -> String {
    output::timestamp(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident() -> Incident {
        serde_json::from_value(serde_json::json!({
            "number": 7, "opened_ms": 0, "resolved_ms": null, "severity": "critical",
            "policy": "ops", "acknowledged": {"by": "anna", "note": "on it", "until_ms": null},
            "alerts": {"Cpu{host=\"a\"}": {"annotations": {"summary": "hot"}, "value": 97.5,
                "phase": "firing", "is_unknown": false, "muted_by": null}},
            "timeline": [
                {"at_ms": 0, "by": null, "what": {"kind": "opened"}},
                {"at_ms": 0, "by": null, "what": {"kind": "told", "number": 1,
                    "targets": ["channel:chat", "person:anna"]}},
                {"at_ms": 0, "by": "anna", "what": {"kind": "acknowledged", "note": "on it",
                    "until_ms": null}},
                {"at_ms": 0, "by": "ben", "what": {"kind": "acknowledged", "note": "so am I",
                    "until_ms": 3_600_000}},
                {"at_ms": 0, "by": null, "what": {"kind": "delayed", "channel": "chat",
                    "problem": "503"}},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn an_incident_tells_its_story() {
        let story = story(&incident());
        for part in [
            "Incident 7: acknowledged, critical",
            "Acknowledged by anna: on it",
            "Cpu{host=\"a\"} = 97.5 (firing)",
            " told: channel:chat, person:anna",
            " acknowledged: on it by anna",
            " acknowledged: so am I, until 1970-01-01T01:00:00.000Z by ben",
            " delayed: chat, 503",
        ] {
            assert!(story.contains(part), "{part} in {story}");
        }
        assert!(table(&[incident()]).contains("acknowledged"));
    }
}
