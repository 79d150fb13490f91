//! What waits to be delivered: a notice of an incident, for one place.

use barograph_alerts::escalation::Address;
use barograph_alerts::incident::{Incident, Level, Member, Notice, NoticeKind};
use barograph_alerts::machine::Phase;
use barograph_notify::{Act, Alert, Event, Links, Notification, Severity};
use serde::{Deserialize, Serialize};

/// Alerts that one message tells one by one.
const MAX_ALERTS: usize = 20;

/// A message of the outbox, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// Which notice it belongs to.
    pub(crate) notice: String,
    /// The incident's number; 0 for what belongs to none.
    pub(crate) incident: u64,
    pub(crate) address: Address,
    /// As it was when it was decided on; the evidence comes when it is sent.
    pub(crate) notification: Notification,
}

impl Letter {
    /// Whether it only tries to reach somebody, who answers by its link.
    pub(crate) fn is_pager_test(&self) -> bool {
        self.incident == 0 && self.notification.event == Event::Test
    }

    /// The same for the same cause. `place` tells places of one notice from each other.
    pub(crate) fn id(&self, place: usize) -> String {
        let Address { channel, person, .. } = &self.address;
        let who = person.as_deref().unwrap_or_default();
        cut(&format!("{}/{place}/{channel}/{who}", self.notice))
    }

    /// Messages to one place about one incident stay in order.
    pub(crate) fn lane(&self) -> String {
        let Address { channel, person, to } = &self.address;
        let who = person.as_deref().or(to.as_deref()).unwrap_or_default();
        cut(&format!("{}/{channel}/{who}", self.incident))
    }
}

/// Ids travel in headers, so they are short and plain; what was lost is in the number at the end.
fn cut(name: &str) -> String {
    const MAX_CHARS: usize = 150;
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    let short: String = name.chars().take(MAX_CHARS).map(plain).collect();
    if short == name {
        return short;
    }
    format!("{short}#{:08x}", crc32c::crc32c(name.as_bytes()))
}

/// Writes a letter for each place that a notice is for.
pub(super) fn letters(
    number: u64,
    incident: &Incident,
    notice: &Notice,
    at_ms: i64,
    external_url: &str,
) -> Vec<Letter> {
    let notification = notification(number, incident, notice, at_ms, external_url);
    let letters = notice.addresses.iter().map(|address| Letter {
        notice: notice.id.clone(),
        incident: number,
        address: address.clone(),
        notification: notification.clone(),
    });
    letters.collect()
}

fn notification(
    number: u64,
    incident: &Incident,
    notice: &Notice,
    at_ms: i64,
    external_url: &str,
) -> Notification {
    // Of an incident that is over all alerts are told, else those that still fire.
    let is_over = notice.kind == NoticeKind::Resolved;
    let mut members: Vec<&Member> =
        incident.alerts.values().filter(|it| is_over || it.phase == Phase::Firing).collect();
    // The worst first, then the newest.
    members.sort_by_key(|it| std::cmp::Reverse((severity_of(it), it.fired_ms)));
    let alerts: Vec<Alert> = members.iter().take(MAX_ALERTS).map(|it| alert(it)).collect();
    let server = external_url.trim_end_matches('/').to_owned();
    let act = incident.acknowledged.as_ref().filter(|_| notice.kind == NoticeKind::Acknowledged);
    Notification {
        id: notice.id.clone(),
        group: format!("incident-{number}"),
        event: event(notice.kind),
        incident: Some(number),
        title: title(incident, &members),
        severity: incident.severity.map_or(Severity::Warning, severity),
        host: incident.group.get("host").cloned().or_else(|| common_host(&members)),
        since_ms: incident.opened_ms,
        ended_ms: incident.resolved_ms.filter(|_| is_over),
        at_ms,
        more_alerts: members.len().saturating_sub(MAX_ALERTS),
        evidence: barograph_notify::Evidence::default(),
        links: Links {
            page: Some(format!("{server}/alerts?which=all&row={number}")),
            runbook: members.iter().find_map(|it| it.about.runbook.clone()),
            server: Some(server),
            ..Links::default()
        },
        recipient: None,
        told: Vec::new(),
        act: act.map(|it| Act {
            by: it.by.clone(),
            reason: it.note.clone(),
            until_ms: it.until_ms,
        }),
        alerts,
    }
}

fn event(kind: NoticeKind) -> Event {
    match kind {
        NoticeKind::Firing => Event::Firing,
        NoticeKind::Repeated => Event::Repeated,
        NoticeKind::Escalated => Event::Escalated,
        NoticeKind::Worsened => Event::Worsened,
        NoticeKind::Acknowledged => Event::Acknowledged,
        NoticeKind::Resolved => Event::Resolved,
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::Info => Severity::Info,
        Level::Warning => Severity::Warning,
        Level::Critical => Severity::Critical,
    }
}

fn severity_of(member: &Member) -> Severity {
    let named = member.labels.get("severity");
    let level = named.and_then(|it| barograph_alerts::rule::Severity::from_label(it));
    level.map_or(Severity::Warning, |it| severity(it.into()))
}

fn alert(member: &Member) -> Alert {
    Alert {
        name: name(member).to_owned(),
        severity: severity_of(member),
        labels: member.labels.clone(),
        annotations: member.annotations.clone(),
        value: Some(member.value).filter(|it| it.is_finite()),
        threshold: member.about.threshold,
        started_ms: member.fired_ms,
        ended_ms: member.resolved_ms,
        runbook: member.about.runbook.clone(),
        ..Alert::default()
    }
}

fn name(member: &Member) -> &str {
    member.labels.get("alertname").map_or("alert", String::as_str)
}

fn common_host(members: &[&Member]) -> Option<String> {
    let host = members.first()?.labels.get("host")?;
    members.iter().all(|it| it.labels.get("host") == Some(host)).then(|| host.clone())
}

/// One line: what the worst alert says of itself, and how many more there are.
fn title(incident: &Incident, members: &[&Member]) -> String {
    const MAX_CHARS: usize = 200;
    let Some(worst) = members.first() else {
        let labels = incident.group.iter().map(|(name, value)| format!("{name}={value}"));
        return format!("incident {} ({})", incident.id, labels.collect::<Vec<_>>().join(", "));
    };
    let said = ["summary", "message", "description"].iter();
    let said = said.filter_map(|it| worst.annotations.get(*it)).find(|it| !it.trim().is_empty());
    let line = match (said, worst.labels.get("host")) {
        (Some(said), _) => said.split_whitespace().collect::<Vec<_>>().join(" "),
        (None, Some(host)) => format!("{} on {host}", name(worst)),
        (None, None) => name(worst).to_owned(),
    };
    let more = match members.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let line: String = line.chars().take(MAX_CHARS).collect();
    format!("{line}{more}")
}
