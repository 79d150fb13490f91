//! Incidents, and what people do with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use barograph_alerts::escalation::Decision;
use barograph_alerts::incident::{Acknowledgement, Incident, IncidentError, shown};
use barograph_alerts::machine::{Phase, RuleAlerts, Texts, Transition, TransitionKind};
use barograph_alerts::remediation::AttemptError;
use barograph_state::{Change, State, StateError};
use serde::Serialize;

use super::pager::Pagers;
use super::remedies::Remedies;
use super::round::Happened;
use super::saved::write_alerts;
use super::tell::Waiting;
use crate::documents::Book;
use crate::link::LinkError;

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
    /// The keys of rules that are gone, whose saved alerts are to go.
    gone: Vec<String>,
    /// Lines of the audit log that are to be written with them.
    acts: Vec<String>,
    /// Messages that are to be written with them.
    pub(super) outbox: Vec<Waiting>,
    /// What is done about them.
    pub(super) remedies: Remedies,
    /// Whether people can be reached.
    pub(super) pagers: Pagers,
    /// The documents as they are now.
    pub(super) book: Arc<Book>,
    pub(super) external_url: String,
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
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("there is no attempt `{0}`")]
    NoAttempt(String),
    #[error("{0}")]
    NotOffered(String),
    #[error(transparent)]
    Attempt(#[from] AttemptError),
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
    pub(super) fn restore(
        state: &State,
        book: Arc<Book>,
        remedies: Remedies,
        external_url: &str,
    ) -> Result<Self, StateError> {
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
            gone: Vec::new(),
            acts: Vec::new(),
            outbox: Vec::new(),
            remedies,
            pagers: Pagers::restore(state)?,
            book,
            external_url: external_url.to_owned(),
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
    pub(super) fn take(&mut self, happened: &[Happened], at_ms: i64) {
        let book = Arc::clone(&self.book);
        for Happened { transition, depends_on, escalation, about } in happened {
            if transition.kind == TransitionKind::Resolved {
                self.end(transition, at_ms);
                continue;
            }
            let labels = &transition.alert.labels;
            let muted_by =
                book.muted_by(labels, at_ms).or_else(|| self.explained_by(labels, depends_on));
            for mut decision in book.directory.route.decide(labels) {
                if escalation.is_some() {
                    decision.policy.clone_from(escalation);
                }
                let policy = decision.policy.as_deref();
                let found = self
                    .incidents
                    .iter()
                    .rev()
                    .find(|(_, incident)| incident.takes_in(&decision.group, policy, at_ms));
                let id = match (found, transition.kind) {
                    (Some((id, _)), _) => *id,
                    (None, TransitionKind::Fired) => self.open(decision, at_ms),
                    (None, _) => continue,
                };
                let Some(incident) = self.change(id) else { continue };
                incident.take(transition, muted_by.clone(), at_ms);
                incident.describe(labels, about);
            }
        }
        self.forget();
    }

    /// Ends an alert wherever it fires, also where it would not be led to by now.
    pub(super) fn end(&mut self, transition: &Transition, at_ms: i64) {
        let name = shown(&transition.alert.labels);
        let fires = |incident: &Incident| {
            let member = incident.alerts.get(&name);
            member.is_some_and(|it| it.closed_by_hand || it.phase == Phase::Firing)
        };
        let firing = self.incidents.iter().filter(|(_, it)| fires(it));
        let firing: Vec<u64> = firing.map(|(id, _)| *id).collect();
        for id in firing {
            let Some(incident) = self.change(id) else { continue };
            if incident.take(transition, None, at_ms) {
                self.say_farewell(id, at_ms);
            }
        }
    }

    fn open(&mut self, decision: Decision, at_ms: i64) -> u64 {
        let id = self.next;
        self.next += 1;
        let mut incident = Incident::open(id.to_string(), decision.group, decision.policy, at_ms);
        incident.progress.elapsed_ms = -decision.group_wait_ms.max(0);
        self.incidents.insert(id, incident);
        id
    }

    /// Those who were told of an incident are told of its end.
    fn say_farewell(&mut self, id: u64, at_ms: i64) {
        if let Some(notice) = self.incident(id).and_then(Incident::farewell) {
            self.post(id, &notice, at_ms);
        }
    }

    /// An incident that is about to be changed.
    pub(super) fn change(&mut self, id: u64) -> Option<&mut Incident> {
        let incident = self.incidents.get_mut(&id)?;
        self.unsaved.insert(id);
        Some(incident)
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

    /// Lets incidents escalate.
    pub(super) fn advance(&mut self, at_ms: i64, monotonic: Duration) {
        let elapsed = self.advanced.map_or(Duration::ZERO, |it| monotonic.saturating_sub(it));
        self.advanced = Some(monotonic);
        if !self.incidents.values().any(Incident::is_open) {
            return;
        }
        let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let book = Arc::clone(&self.book);
        let firing = self.firing_names();
        let mut notices = Vec::new();
        for (id, incident) in self.incidents.iter_mut().filter(|it| it.1.is_open()) {
            let before = incident.clone();
            for member in incident.alerts.values_mut().filter(|it| it.phase == Phase::Firing) {
                let host = member.labels.get("host").cloned();
                let still = |by: &String| firing.contains(&(host.clone(), by.clone()));
                let by_alert = member.muted_by.take().filter(still);
                member.muted_by = book.muted_by(&member.labels, at_ms).or(by_alert);
            }
            let policy = book.directory.policy(incident.policy.as_deref());
            let notice = incident.advance(policy, at_ms, elapsed_ms, &|targets, severity| {
                book.directory.addresses(targets, severity, at_ms)
            });
            notices.extend(notice.map(|it| (*id, it)));
            if is_worth_saving(&before, incident) {
                self.unsaved.insert(*id);
            }
        }
        for (id, notice) in notices {
            self.post(id, &notice, at_ms);
        }
    }

    pub(super) fn acknowledge(
        &mut self,
        id: u64,
        acknowledgement: Acknowledgement,
    ) -> Result<(), ActError> {
        let by = acknowledgement.by.clone();
        let (note, at_ms) = (acknowledgement.note.clone(), acknowledgement.at_ms);
        self.incident_mut(id)?.acknowledge(acknowledgement)?;
        self.did(id, &by, "acknowledged", &note);
        if let Some(notice) = self.incident(id).and_then(Incident::taken_over) {
            self.post(id, &notice, at_ms);
        }
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
        self.say_farewell(id, at_ms);
        Ok(())
    }

    pub(super) fn reopen(&mut self, id: u64, by: &str, at_ms: i64) -> Result<(), ActError> {
        self.incident_mut(id)?.reopen(by, at_ms)?;
        self.did(id, by, "reopened", "");
        Ok(())
    }

    fn incident_mut(&mut self, id: u64) -> Result<&mut Incident, ActError> {
        self.incidents.get_mut(&id).ok_or(ActError::Unknown(id))
    }

    pub(super) fn did(&mut self, incident: u64, by: &str, did: &str, text: &str) {
        let act = Act { by, did, incident, text };
        self.acts.extend(serde_json::to_string(&act).ok());
        self.unsaved.insert(incident);
    }

    /// What is saved of the alerts of these rules goes with the next saving.
    pub(super) fn forget_rules(&mut self, keys: Vec<String>) {
        self.gone.extend(keys);
    }

    pub(super) fn is_unsaved(&self) -> bool {
        let is_any = |set: &BTreeSet<u64>| !set.is_empty();
        is_any(&self.unsaved)
            || is_any(&self.removed)
            || !self.gone.is_empty()
            || !self.acts.is_empty()
            || !self.outbox.is_empty()
            || self.remedies.is_unsaved()
            || self.pagers.is_unsaved()
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
        for key in &self.gone {
            write_alerts(change, key, &RuleAlerts::default())?;
        }
        change.set_entry(COUNTERS, INCIDENTS, self.next.to_string().as_bytes())?;
        for act in &self.acts {
            change.append(AUDIT, act.as_bytes())?;
        }
        self.remedies.write(change)?;
        self.pagers.write(change)?;
        self.write_messages(change)
    }

    pub(super) fn saved(&mut self) {
        self.unsaved.clear();
        self.removed.clear();
        self.gone.clear();
        self.acts.clear();
        self.outbox.clear();
        self.remedies.saved();
        self.pagers.saved();
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

/// Time that passes is not worth a write by itself: it is written with what happens next, and once
/// a minute, so that a crash costs an escalation at most a minute.
fn is_worth_saving(before: &Incident, now: &Incident) -> bool {
    const EVERY_MS: i64 = 60_000;
    let minute = |it: &Incident| {
        let elapsed = it.progress.elapsed_ms.div_euclid(EVERY_MS);
        (elapsed, it.news.quiet_ms.div_euclid(EVERY_MS).min(10))
    };
    let mut alike = now.clone();
    alike.progress.elapsed_ms = before.progress.elapsed_ms;
    alike.news.quiet_ms = before.news.quiet_ms;
    alike != *before || minute(before) != minute(now)
}
