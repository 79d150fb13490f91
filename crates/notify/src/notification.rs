//! What is told: a notification, whole. Channels turn it into what their receivers understand.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// One telling of one incident to one channel or person. It is kept as JSON until it is delivered,
/// so everything in it is as it was when it was decided on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The same for the same telling, also after a crash: receivers that can, drop the second.
    pub id: String,
    /// The same for all tellings of one incident: what pagers deduplicate and threads hang by.
    pub group: String,
    pub event: Event,
    /// The incident's number; none for a test.
    #[serde(default)]
    pub incident: Option<u64>,
    /// One line: what is wrong.
    pub title: String,
    pub severity: Severity,
    #[serde(default)]
    pub host: Option<String>,
    /// When it began, in milliseconds since 1970 UTC, as all times here.
    pub since_ms: i64,
    #[serde(default)]
    pub ended_ms: Option<i64>,
    /// When the telling was decided on.
    pub at_ms: i64,
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// How many more alerts there are than `alerts` has.
    #[serde(default)]
    pub more_alerts: usize,
    #[serde(default)]
    pub evidence: Evidence,
    #[serde(default)]
    pub links: Links,
    /// Who is to read it; without one the channel's own receivers do.
    #[serde(default)]
    pub recipient: Option<Recipient>,
    /// Whose doing it is, for an acknowledgement.
    #[serde(default)]
    pub act: Option<Act>,
    /// What a digest tells.
    #[serde(default)]
    pub told: Vec<Brief>,
}

/// A notification within a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub event: Event,
    pub severity: Severity,
    pub incident: Option<u64>,
    pub title: String,
    pub host: Option<String>,
    pub since_ms: i64,
    pub ended_ms: Option<i64>,
    pub page: Option<String>,
}

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Firing,
    /// Nobody acknowledged, so the next are told.
    Escalated,
    /// It goes on.
    Repeated,
    /// It got worse.
    Worsened,
    Resolved,
    Acknowledged,
    /// Nothing is wrong: somebody wants to see whether the message arrives.
    Test,
    /// Several tellings in one message.
    Digest,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    #[default]
    Warning,
    Critical,
}

/// One alert of the incident.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Alert {
    pub name: String,
    pub severity: Severity,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub value: Option<f64>,
    /// What the value is compared with, if that is a number.
    pub threshold: Option<f64>,
    /// As people write it: `%`, `MB`, `B/s`; empty if there is none.
    pub unit: String,
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
    /// What to do about it: an address.
    pub runbook: Option<String>,
    /// Where the alert's expression can be looked at.
    pub source_url: Option<String>,
}

/// What it looked like.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    pub charts: Vec<Chart>,
    /// The busiest at that moment, the busiest first.
    pub processes: Vec<Process>,
    /// What happened on the host shortly before, the newest first.
    pub events: Vec<HostEvent>,
}

/// A line over time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Chart {
    /// The series, as people read it.
    pub title: String,
    pub unit: String,
    /// Milliseconds and value, in order of time; a gap is a step without a point.
    pub points: Vec<(i64, f64)>,
    pub threshold: Option<f64>,
    /// Between two points that are further apart no line is drawn.
    pub step_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    pub pid: u32,
    pub name: String,
    pub user: String,
    /// Per cent of one core.
    pub cpu_percent: f64,
    pub memory_bytes: f64,
    pub io_bytes_per_second: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HostEvent {
    pub at_ms: i64,
    pub text: String,
}

/// Addresses at which the reader goes on; those that are absent are not offered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Links {
    /// The server itself.
    pub server: Option<String>,
    /// The host's page at that time, or the incident's.
    pub page: Option<String>,
    /// Acknowledges once, without signing in.
    pub acknowledge: Option<String>,
    pub silence: Option<String>,
    pub runbook: Option<String>,
}

/// A person, and how to reach them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipient {
    pub name: String,
    pub email: Option<String>,
    /// As `+491701234567`.
    pub phone: Option<String>,
    /// What the person is called elsewhere, by the channel's type: `telegram`, `ntfy`.
    pub chats: BTreeMap<String, String>,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Act {
    pub by: String,
    pub reason: String,
    pub until_ms: Option<i64>,
}

impl Event {
    /// Whether the incident goes on after it.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Resolved)
    }

    /// As people read it, before a title.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "FIRING",
            Self::Escalated => "NOBODY ANSWERED",
            Self::Repeated => "STILL FIRING",
            Self::Worsened => "WORSE",
            Self::Resolved => "RESOLVED",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Test => "TEST",
            Self::Digest => "DIGEST",
        }
    }
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Notification {
    /// The key of a digest of notifications with these ids.
    pub fn digest_id<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
        let mut hashed = ring::digest::Context::new(&ring::digest::SHA256);
        for id in ids {
            hashed.update(id.as_bytes());
            hashed.update(&[0]);
        }
        format!("digest-{}", URL_SAFE_NO_PAD.encode(hashed.finish().as_ref()))
    }

    /// Several notifications of one channel and recipient in one, known by its id. None of an empty
    /// list.
    pub fn digest(id: String, all: &[Self]) -> Option<Self> {
        let newest = all.last()?;
        let told = all.iter().map(|it| Brief {
            event: it.event,
            severity: it.severity,
            incident: it.incident,
            title: it.title.clone(),
            host: it.host.clone(),
            since_ms: it.since_ms,
            ended_ms: it.ended_ms,
            page: it.links.page.clone(),
        });
        Some(Self {
            group: id.clone(),
            id,
            event: Event::Digest,
            incident: None,
            title: format!("{} messages", all.len()),
            severity: all.iter().map(|it| it.severity).max()?,
            host: None,
            since_ms: all.iter().map(|it| it.since_ms).min()?,
            ended_ms: None,
            at_ms: newest.at_ms,
            alerts: Vec::new(),
            more_alerts: 0,
            evidence: Evidence::default(),
            links: Links { server: newest.links.server.clone(), ..Links::default() },
            recipient: newest.recipient.clone(),
            act: None,
            told: told.collect(),
        })
    }

    /// Its JSON, as it is kept.
    ///
    /// # Errors
    /// A number that JSON cannot hold does not exist here, so none in practice.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// # Errors
    /// The bytes are no notification.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
