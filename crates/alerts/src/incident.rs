//! Alerts of one cause, from the first that fires to the last that ends.
//!
//! An incident is what people deal with: they acknowledge it, comment on it, and are told of it. It
//! takes in the transitions of alerts; what it then wants to be told is a [`Notice`].

mod about;
mod telling;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use about::About;
pub use telling::{News, Notice, NoticeKind, Reach, Telling};

use crate::escalation::{Address, Progress, Target};
use crate::machine::{Alert, Phase, Texts, Transition, TransitionKind};
use crate::rule::Severity;

/// An incident that comes back this soon is the same one.
const REOPENS_WITHIN_MS: i64 = 10 * 60_000;
const MAX_TIMELINE: usize = 500;
/// Alerts that an incident remembers one by one.
const MAX_ALERTS: usize = 1000;

/// What people deal with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: String,
    /// The labels that all of its alerts share.
    pub group: Texts,
    /// The name of the policy that says who is told.
    pub policy: Option<String>,
    pub opened_ms: i64,
    pub resolved_ms: Option<i64>,
    /// Its alerts by their labels as one text, the ended ones too.
    pub alerts: BTreeMap<String, Member>,
    pub acknowledged: Option<Acknowledgement>,
    pub progress: Progress,
    /// What happened, the oldest first.
    pub timeline: Vec<Event>,
    /// The worst severity since it was opened.
    pub severity: Option<Level>,
    /// Where it was told since it was opened or reopened: there its end is told, too.
    #[serde(default)]
    pub told: Vec<Address>,
    /// The newest telling, as long as it is not known to have arrived anywhere.
    #[serde(default)]
    pub telling: Option<Telling>,
    /// Alerts that joined it since it was told last, if any did.
    #[serde(default)]
    pub news: News,
}

/// An alert within an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub labels: Texts,
    pub annotations: Texts,
    pub value: f64,
    pub phase: Phase,
    pub is_unknown: bool,
    pub fired_ms: i64,
    pub resolved_ms: Option<i64>,
    /// Nobody is told of it: by a silence, a window, or because what it depends on fires.
    pub muted_by: Option<String>,
    /// Somebody closed the incident while it fired, and it has not ended since.
    #[serde(default)]
    pub closed_by_hand: bool,
    #[serde(default)]
    pub about: About,
}

/// A severity that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Info,
    Warning,
    Critical,
}

/// Somebody deals with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub by: String,
    pub note: String,
    pub at_ms: i64,
    /// When it lapses; `None`: with the incident.
    pub until_ms: Option<i64>,
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at_ms: i64,
    /// Who did it; `None`: the program.
    pub by: Option<String>,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum What {
    Opened,
    Reopened,
    Fired {
        alert: String,
    },
    Ended {
        alert: String,
    },
    Unknown {
        alert: String,
    },
    Known {
        alert: String,
    },
    Worse {
        severity: Level,
    },
    Acknowledged {
        note: String,
        until_ms: Option<i64>,
    },
    AcknowledgementEnded {
        why: String,
    },
    Commented {
        text: String,
    },
    Told {
        targets: Vec<Target>,
        number: u32,
    },
    /// Of all that are to be told nobody can be reached at present.
    NobodyReached {
        targets: Vec<Target>,
    },
    Delivered {
        channel: String,
    },
    NotDelivered {
        channel: String,
        problem: String,
    },
    /// Not yet, after some attempts; it is tried on.
    Delayed {
        channel: String,
        problem: String,
    },
    NobodyToTell,
    /// What became of an attempt to mend it.
    Remedy {
        action: String,
        text: String,
    },
    Resolved,
}

/// Why an incident is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IncidentError {
    #[error("it is resolved already")]
    Resolved,
    #[error("it is open")]
    Open,
    #[error("none of its alerts fires any more")]
    Ended,
    #[error("an acknowledgement must end later than now")]
    Past,
    #[error(
        "a text of {chars} characters is too long, at most {} are allowed",
        Incident::MAX_TEXT_CHARS
    )]
    Long { chars: usize },
    #[error("it says nothing")]
    Empty,
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}

impl Incident {
    pub const MAX_TEXT_CHARS: usize = 4000;

    /// Opens an incident for alerts that share the labels of `group`.
    pub fn open(id: String, group: Texts, policy: Option<String>, at_ms: i64) -> Self {
        let mut incident = Self {
            id,
            group,
            policy,
            opened_ms: at_ms,
            resolved_ms: None,
            alerts: BTreeMap::new(),
            acknowledged: None,
            progress: Progress::new(),
            timeline: Vec::new(),
            severity: None,
            told: Vec::new(),
            telling: None,
            news: News::default(),
        };
        incident.note(at_ms, None, What::Opened);
        incident
    }

    /// Whether an alert of the same group that fires now belongs here.
    pub fn takes_in(&self, group: &Texts, policy: Option<&str>, at_ms: i64) -> bool {
        let is_near =
            self.resolved_ms.is_none_or(|it| at_ms.abs_diff(it) < REOPENS_WITHIN_MS as u64);
        is_near && self.group == *group && self.policy.as_deref() == policy
    }

    pub fn is_open(&self) -> bool {
        self.resolved_ms.is_none()
    }

    /// Whether any of its alerts is to be told of.
    pub fn is_audible(&self) -> bool {
        self.is_open() && self.firing().any(|it| it.muted_by.is_none())
    }

    pub fn firing(&self) -> impl Iterator<Item = &Member> {
        self.alerts.values().filter(|it| it.phase == Phase::Firing)
    }

    /// Takes in what happened to one of its alerts. Returns whether the incident ended with it.
    pub fn take(&mut self, transition: &Transition, muted_by: Option<String>, at_ms: i64) -> bool {
        let Transition { kind, alert } = transition;
        let name = shown(&alert.labels);
        match kind {
            TransitionKind::Fired => self.fired(alert, name, muted_by, at_ms),
            TransitionKind::Resolved => {
                if let Some(member) = self.alerts.get_mut(&name) {
                    member.phase = Phase::Resolved;
                    member.resolved_ms = Some(at_ms);
                    member.is_unknown = false;
                    member.closed_by_hand = false;
                    self.note(at_ms, None, What::Ended { alert: name });
                }
                return self.end_if_over(None, at_ms);
            }
            TransitionKind::Unknown | TransitionKind::Known => {
                let is_unknown = *kind == TransitionKind::Unknown;
                if let Some(member) = self.alerts.get_mut(&name) {
                    member.is_unknown = is_unknown;
                    let alert = name;
                    let what =
                        if is_unknown { What::Unknown { alert } } else { What::Known { alert } };
                    self.note(at_ms, None, what);
                }
            }
            TransitionKind::Pending
            | TransitionKind::Dropped
            | TransitionKind::StartedFlapping
            | TransitionKind::StoppedFlapping => {}
        }
        false
    }

    fn fired(&mut self, alert: &Alert, name: String, muted_by: Option<String>, at_ms: i64) {
        if !self.is_open() {
            self.begin_again(None, at_ms);
        }
        self.news.is_any |= !self.told.is_empty() && muted_by.is_none();
        let member = Member {
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            value: alert.value,
            phase: Phase::Firing,
            is_unknown: false,
            fired_ms: at_ms,
            resolved_ms: None,
            muted_by,
            closed_by_hand: false,
            about: About::default(),
        };
        if self.alerts.len() < MAX_ALERTS || self.alerts.contains_key(&name) {
            self.alerts.insert(name.clone(), member);
        }
        self.note(at_ms, None, What::Fired { alert: name });
        let level = alert.severity().map(Level::from);
        if level > self.severity {
            let was = self.severity;
            self.severity = level;
            if let (Some(_), Some(severity)) = (was, level) {
                self.note(at_ms, None, What::Worse { severity });
                self.end_acknowledgement("it got worse", at_ms);
                self.progress.restart();
            }
        }
    }

    fn end_if_over(&mut self, by: Option<&str>, at_ms: i64) -> bool {
        if !self.is_open() || self.firing().next().is_some() {
            return false;
        }
        self.resolved_ms = Some(at_ms);
        self.note(at_ms, by, What::Resolved);
        true
    }

    /// Somebody deals with it: nobody else is told until it lapses or gets worse.
    ///
    /// # Errors
    /// It is resolved, the time is over, or the note is too long.
    pub fn acknowledge(&mut self, acknowledgement: Acknowledgement) -> Result<(), IncidentError> {
        if !self.is_open() {
            return Err(IncidentError::Resolved);
        }
        let Acknowledgement { by, note, at_ms, until_ms } = acknowledgement.clone();
        check_length(&note)?;
        if until_ms.is_some_and(|it| it <= at_ms) {
            return Err(IncidentError::Past);
        }
        self.note(at_ms, Some(&by), What::Acknowledged { note, until_ms });
        self.acknowledged = Some(acknowledgement);
        self.progress.acknowledge();
        Ok(())
    }

    /// Notes what is known of an alert from its rule.
    pub fn describe(&mut self, labels: &Texts, about: &About) {
        if let Some(member) = self.alerts.get_mut(&shown(labels)) {
            member.about = about.clone();
        }
    }

    /// Takes an acknowledgement back; tells whether there was one.
    pub fn unacknowledge(&mut self, by: &str, at_ms: i64) -> bool {
        let was = self.end_acknowledgement(&format!("taken back by {by}"), at_ms);
        if was {
            self.progress.restart();
        }
        was
    }

    fn end_acknowledgement(&mut self, why: &str, at_ms: i64) -> bool {
        let was = self.acknowledged.take().is_some();
        if was {
            self.note(at_ms, None, What::AcknowledgementEnded { why: why.to_owned() });
        }
        was
    }

    /// # Errors
    /// It is empty or too long.
    pub fn comment(&mut self, by: &str, text: &str, at_ms: i64) -> Result<(), IncidentError> {
        check_length(text)?;
        if text.trim().is_empty() {
            return Err(IncidentError::Empty);
        }
        self.note(at_ms, Some(by), What::Commented { text: text.to_owned() });
        Ok(())
    }

    /// Somebody says that it is over. Alerts that still fire open it again when they fire anew.
    ///
    /// # Errors
    /// It is resolved.
    pub fn resolve(&mut self, by: &str, at_ms: i64) -> Result<(), IncidentError> {
        if !self.is_open() {
            return Err(IncidentError::Resolved);
        }
        for member in self.alerts.values_mut().filter(|it| it.phase == Phase::Firing) {
            member.phase = Phase::Resolved;
            member.resolved_ms = Some(at_ms);
            member.closed_by_hand = true;
        }
        self.end_if_over(Some(by), at_ms);
        Ok(())
    }

    /// Somebody says that it is not over: what fires still is told anew.
    ///
    /// # Errors
    /// It is open, or nothing of it fires.
    pub fn reopen(&mut self, by: &str, at_ms: i64) -> Result<(), IncidentError> {
        if self.is_open() {
            return Err(IncidentError::Open);
        }
        if !self.alerts.values().any(|it| it.closed_by_hand) {
            return Err(IncidentError::Ended);
        }
        self.begin_again(Some(by), at_ms);
        for member in self.alerts.values_mut().filter(|it| it.closed_by_hand) {
            member.phase = Phase::Firing;
            member.resolved_ms = None;
            member.closed_by_hand = false;
            let severity = member.labels.get("severity").and_then(|it| Severity::from_label(it));
            self.severity = self.severity.max(severity.map(Level::from));
        }
        Ok(())
    }

    fn begin_again(&mut self, by: Option<&str>, at_ms: i64) {
        self.resolved_ms = None;
        self.note(at_ms, by, What::Reopened);
        self.acknowledged = None;
        self.progress.restart();
        self.severity = None;
        self.told.clear();
        self.news.is_any = false;
    }

    /// Writes a line that says nothing new when it comes again.
    fn note_once(&mut self, at_ms: i64, what: What) {
        let reopened = self.timeline.iter().rposition(|it| it.what == What::Reopened).unwrap_or(0);
        let since = self.timeline.get(reopened..).unwrap_or_default();
        if !since.iter().any(|it| it.what == what) {
            self.note(at_ms, None, what);
        }
    }

    fn note(&mut self, at_ms: i64, by: Option<&str>, what: What) {
        if self.timeline.len() >= MAX_TIMELINE {
            // The beginning stays; of the rest the newest is worth more.
            self.timeline.remove(MAX_TIMELINE / 10);
        }
        self.timeline.push(Event { at_ms, by: by.map(str::to_owned), what });
    }
}

fn check_length(text: &str) -> Result<(), IncidentError> {
    match text.chars().count() {
        chars if chars > Incident::MAX_TEXT_CHARS => Err(IncidentError::Long { chars }),
        _ => Ok(()),
    }
}

/// An alert's labels as one text, its name before them.
pub fn shown(labels: &Texts) -> String {
    let name = labels.get("alertname").map_or("", String::as_str);
    let others = labels.iter().filter(|(name, _)| *name != "alertname");
    let pairs: Vec<String> = others.map(|(name, text)| format!("{name}={text:?}")).collect();
    if pairs.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", pairs.join(",")) }
}
