//! Incidents, and what people do with them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use barograph_alerts::incident::{Acknowledgement, Incident, IncidentError, Notice};
use barograph_alerts::machine::{Phase, Texts, TransitionKind};
use barograph_state::{Change, State, StateError};
use serde::Serialize;

use super::round::Happened;
use crate::documents::Book;

const INCIDENTS: &str = "incidents";
const COUNTERS: &str = "counters";
const AUDIT: &str = "audit";
/// Resolved incidents that are kept for the history.
const MAX_RESOLVED: usize = 2000;

/// All incidents; those that changed since they were saved are known.
#[derive(Debug)]
pub(super) struct Desk {
    incidents: BTreeMap<u64, Incident>,
    next: u64,
    unsaved: BTreeSet<u64>,
    removed: BTreeSet<u64>,
    /// Lines of the audit log that are to be written with them.
    acts: Vec<String>,
    /// When incidents were last let to escalate, by the monotonic clock.
    advanced: Option<Duration>,
    /// Why the last saving failed, until one succeeds.
    problem: Option<String>,
}

/// Why an act on an incident had no effect.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error("there is no incident {0}")]
    Unknown(u64),
    #[error(transparent)]
    Refused(#[from] IncidentError),
    #[error("what was done could not be saved, and is tried again")]
    Unsaved(#[from] StateError),
}

/// A line of the audit log.
#[derive(Debug, Serialize)]
struct Act<'a> {
    by: &'a str,
    did: &'a str,
    incident: u64,
    text: &'a str,
}

impl Desk {
    pub(super) fn restore(state: &State) -> Result<Self, StateError> {
        let (listing, next) = state.read(|view| {
            let next = view.entry(COUNTERS, INCIDENTS)?;
            Ok::<_, StateError>((view.entries(INCIDENTS)?, next))
        })?;
        for damaged in &listing.damaged {
            tracing::error!(entry = damaged, "an incident is damaged and left out");
        }
        let mut incidents = BTreeMap::new();
        for (key, body) in listing.items {
            match (key.parse(), serde_json::from_slice(&body)) {
                (Ok(id), Ok(incident)) => drop(incidents.insert(id, incident)),
                (_, Err(error)) => tracing::error!(key, %error, "an incident is not understood"),
                (Err(_), _) => tracing::error!(key, "an incident has no number"),
            }
        }
        let counted = next.and_then(|body| String::from_utf8(body).ok()?.parse().ok()).unwrap_or(1);
        let highest = incidents.keys().next_back().map_or(0, |id| id + 1);
        Ok(Self {
            incidents,
            next: counted.max(highest),
            unsaved: BTreeSet::new(),
            removed: BTreeSet::new(),
            acts: Vec::new(),
            advanced: None,
            problem: None,
        })
    }

    /// The newest first.
    pub(super) fn incidents(&self) -> impl Iterator<Item = (u64, &Incident)> {
        self.incidents.iter().rev().map(|(id, incident)| (*id, incident))
    }

    pub(super) fn incident(&self, id: u64) -> Option<&Incident> {
        self.incidents.get(&id)
    }

    /// Sorts what happened into incidents.
    pub(super) fn take(&mut self, happened: &[Happened], book: &Book, at_ms: i64) {
        if happened.is_empty() {
            return;
        }
        for Happened { transition, depends_on } in happened {
            let labels = &transition.alert.labels;
            let muted_by =
                muted_by(book, labels, at_ms).or_else(|| self.explained_by(labels, depends_on));
            for decision in book.route.decide(labels) {
                let policy = decision.policy.as_deref();
                let found = self
                    .incidents
                    .iter_mut()
                    .rev()
                    .find(|(_, incident)| incident.takes_in(&decision.group, policy, at_ms));
                let id = match (found, transition.kind) {
                    (Some((id, _)), _) => *id,
                    (None, TransitionKind::Fired) => {
                        let id = self.next;
                        self.next += 1;
                        let group = decision.group.clone();
                        let incident =
                            Incident::open(id.to_string(), group, decision.policy, at_ms);
                        self.incidents.insert(id, incident);
                        id
                    }
                    (None, _) => continue,
                };
                if let Some(incident) = self.incidents.get_mut(&id) {
                    incident.take(transition, muted_by.clone(), at_ms);
                    self.unsaved.insert(id);
                }
            }
        }
        self.forget();
    }

    /// An alert on the same host that this one depends on, and that fires.
    fn explained_by(&self, labels: &Texts, depends_on: &[String]) -> Option<String> {
        let open = self.incidents.values().filter(|incident| incident.is_open());
        let mut firing = open.flat_map(Incident::firing);
        let parent = firing.find(|member| {
            let name = member.labels.get("alertname");
            let is_near = member.labels.get("host") == labels.get("host");
            is_near && name.is_some_and(|name| depends_on.contains(name))
        })?;
        Some(format!("alert {}", parent.labels.get("alertname")?))
    }

    /// Hosts and alerts that fire on them, as [`Desk::explained_by`] names alerts.
    fn firing_names(&self) -> BTreeSet<(Option<String>, String)> {
        let open = self.incidents.values().filter(|incident| incident.is_open());
        let firing = open.flat_map(Incident::firing).filter_map(|member| {
            let name = member.labels.get("alertname")?;
            Some((member.labels.get("host").cloned(), format!("alert {name}")))
        });
        firing.collect()
    }

    /// The oldest resolved incidents go when there are too many.
    fn forget(&mut self) {
        let resolved: Vec<u64> =
            self.incidents.iter().filter(|it| !it.1.is_open()).map(|it| *it.0).collect();
        let surplus = resolved.len().saturating_sub(MAX_RESOLVED);
        for id in resolved.into_iter().take(surplus) {
            self.incidents.remove(&id);
            self.unsaved.remove(&id);
            self.removed.insert(id);
        }
    }

    /// Lets incidents escalate. Returns what is to be told.
    pub(super) fn advance(
        &mut self,
        book: &Book,
        at_ms: i64,
        monotonic: Duration,
    ) -> Vec<(u64, Notice)> {
        let elapsed = self.advanced.map_or(Duration::ZERO, |it| monotonic.saturating_sub(it));
        self.advanced = Some(monotonic);
        if !self.incidents.values().any(Incident::is_open) {
            return Vec::new();
        }
        let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let firing = self.firing_names();
        let mut notices = Vec::new();
        for (id, incident) in self.incidents.iter_mut().filter(|it| it.1.is_open()) {
            let before = incident.clone();
            for member in incident.alerts.values_mut().filter(|it| it.phase == Phase::Firing) {
                let host = member.labels.get("host").cloned();
                let still = |by: &String| firing.contains(&(host.clone(), by.clone()));
                let by_alert = member.muted_by.take().filter(still);
                member.muted_by = muted_by(book, &member.labels, at_ms).or(by_alert);
            }
            let notice = incident.advance(None, at_ms, elapsed_ms);
            notices.extend(notice.map(|it| (*id, it)));
            if *incident != before {
                self.unsaved.insert(*id);
            }
        }
        notices
    }

    pub(super) fn acknowledge(
        &mut self,
        id: u64,
        acknowledgement: Acknowledgement,
    ) -> Result<(), ActError> {
        let by = acknowledgement.by.clone();
        let note = acknowledgement.note.clone();
        self.incident_mut(id)?.acknowledge(acknowledgement)?;
        self.did(id, &by, "acknowledged", &note);
        Ok(())
    }

    pub(super) fn unacknowledge(&mut self, id: u64, by: &str, at_ms: i64) -> Result<(), ActError> {
        if self.incident_mut(id)?.unacknowledge(by, at_ms) {
            self.did(id, by, "took the acknowledgement back", "");
        }
        Ok(())
    }

    pub(super) fn comment(
        &mut self,
        id: u64,
        by: &str,
        text: &str,
        at_ms: i64,
    ) -> Result<(), ActError> {
        self.incident_mut(id)?.comment(by, text, at_ms)?;
        self.did(id, by, "commented", text);
        Ok(())
    }

    pub(super) fn resolve(&mut self, id: u64, by: &str, at_ms: i64) -> Result<(), ActError> {
        self.incident_mut(id)?.resolve(by, at_ms)?;
        self.did(id, by, "resolved", "");
        Ok(())
    }

    fn incident_mut(&mut self, id: u64) -> Result<&mut Incident, ActError> {
        self.incidents.get_mut(&id).ok_or(ActError::Unknown(id))
    }

    fn did(&mut self, incident: u64, by: &str, did: &str, text: &str) {
        let act = Act { by, did, incident, text };
        self.acts.extend(serde_json::to_string(&act).ok());
        self.unsaved.insert(incident);
    }

    pub(super) fn is_unsaved(&self) -> bool {
        !self.unsaved.is_empty() || !self.removed.is_empty() || !self.acts.is_empty()
    }

    pub(super) fn write(&self, change: &mut Change<'_>) -> Result<(), StateError> {
        for id in &self.unsaved {
            if let Some(incident) = self.incidents.get(id) {
                let body = serde_json::to_vec(incident).unwrap_or_default();
                change.set_entry(INCIDENTS, &id.to_string(), &body)?;
            }
        }
        for id in &self.removed {
            change.remove_entry(INCIDENTS, &id.to_string())?;
        }
        change.set_entry(COUNTERS, INCIDENTS, self.next.to_string().as_bytes())?;
        for act in &self.acts {
            change.append(AUDIT, act.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn saved(&mut self) {
        self.unsaved.clear();
        self.removed.clear();
        self.acts.clear();
        if self.problem.take().is_some() {
            tracing::info!("alerts are saved again");
        }
    }

    /// Says once that saving fails.
    pub(super) fn report_unsaved(&mut self, problem: &str) {
        if self.problem.as_deref() != Some(problem) {
            tracing::error!(error = problem, "alerts not saved; tried again");
            self.problem = Some(problem.to_owned());
        }
    }

    /// Why alerts cannot be saved at present.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}

/// What hides an alert now, if anything does.
fn muted_by(book: &Book, labels: &Texts, at_ms: i64) -> Option<String> {
    let silence = book.silences.iter().find(|(_, it)| it.hides(labels, at_ms));
    if let Some((name, _)) = silence {
        return Some(format!("silence {name}"));
    }
    let window = book.windows.iter().find(|(_, it)| it.hides(labels, at_ms));
    window.map(|(name, _)| format!("window {name}"))
}
