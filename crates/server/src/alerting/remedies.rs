//! Attempts to mend what alerts tell of: asked for, approved, started at most once, and judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use barograph_alerts::incident::{Member, shown};
use barograph_alerts::machine::Phase;
use barograph_alerts::remediation::{
    Actions, Attempt, AttemptError, AttemptState, Order, Record, may_start,
};
use barograph_state::{Change, State, StateError};

use super::desk::{ActError, Desk};
use super::{Alerting, lock, saved};

const REMEDIES: &str = "remedies";
/// Attempts that are kept for the history.
const MAX_KEPT: usize = 1000;

/// All attempts; those that changed since they were saved are known.
#[derive(Debug, Default)]
pub(super) struct Remedies {
    pub(super) actions: Arc<Actions>,
    /// This host: nothing is done elsewhere.
    pub(super) host: String,
    pub(super) attempts: BTreeMap<String, Attempt>,
    pub(super) unsaved: BTreeSet<String>,
    removed: BTreeSet<String>,
    /// When attempts were done, by the monotonic clock.
    done: BTreeMap<String, Duration>,
}

/// Something to be done now.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) order: Order,
    pub(crate) user: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) output_bytes: usize,
}

impl Remedies {
    pub(super) fn restore(
        state: &State,
        actions: &Arc<Actions>,
        host: &str,
        at_ms: i64,
    ) -> Result<Self, StateError> {
        let listing = state.read(|view| view.entries(REMEDIES))?;
        for damaged in &listing.damaged {
            tracing::error!(entry = damaged, "an attempt is damaged and left out");
        }
        let mut remedies =
            Self { actions: Arc::clone(actions), host: host.to_owned(), ..Self::default() };
        for (key, body) in listing.items {
            match serde_json::from_slice::<Attempt>(&body) {
                Ok(mut attempt) => {
                    if attempt.recover(at_ms) {
                        remedies.unsaved.insert(key.clone());
                    }
                    remedies.attempts.insert(key, attempt);
                }
                Err(error) => tracing::error!(key, %error, "an attempt is not understood"),
            }
        }
        Ok(remedies)
    }

    /// The newest first.
    fn newest(&self) -> Vec<Attempt> {
        let mut all: Vec<Attempt> = self.attempts.values().cloned().collect();
        all.sort_by(|a, b| (b.proposed_ms, &b.id).cmp(&(a.proposed_ms, &a.id)));
        all
    }

    fn is_trusted(&self, name: &str) -> bool {
        let mut all: Vec<&Attempt> =
            self.attempts.values().filter(|it| it.action == name).collect();
        all.sort_by_key(|it| it.proposed_ms);
        let action = self.actions.get(name);
        action.is_some_and(|action| Record::of(all.into_iter()).is_trusted(action))
    }

    /// An attempt for a firing of an alert, unless there is one.
    fn propose(&mut self, incident: u64, member: &Member, at_ms: i64) -> Option<Attempt> {
        let name = member.about.remediation.clone()?;
        let alert = shown(&member.labels);
        let number = crc32c::crc32c(alert.as_bytes());
        let id = format!("{incident}/{}/{number:08x}/{name}", member.fired_ms);
        let id: String = id.chars().take(150).filter(|c| !c.is_control()).collect();
        if self.attempts.contains_key(&id) {
            return None;
        }
        let host = member.labels.get("host").cloned().unwrap_or_else(|| self.host.clone());
        let order = match self.actions.get(&name) {
            None => Err("this host has no such action".to_owned()),
            Some(_) if host != self.host => Err("actions are done on this host only".to_owned()),
            Some(action) => action.order(&member.labels).map(|order| (order, action.dry_run)),
        };
        let told = order.as_ref().map_or(String::new(), |it| it.0.to_string());
        let mut attempt = Attempt::proposed(id.clone(), &name, told, host, at_ms);
        (attempt.alert, attempt.incident) = (alert, incident);
        match order {
            Err(why) => attempt.end(AttemptState::Refused, &why, at_ms),
            Ok((_, true)) => attempt.end_dry(at_ms),
            Ok(_) if self.is_trusted(&name) => {
                attempt.approved_by.push("earned trust".to_owned());
                attempt.state = AttemptState::Approved;
            }
            Ok(_) => {}
        }
        self.unsaved.insert(id.clone());
        self.attempts.insert(id, attempt.clone());
        Some(attempt)
    }

    pub(super) fn is_unsaved(&self) -> bool {
        !self.unsaved.is_empty() || !self.removed.is_empty()
    }

    pub(super) fn write(&self, change: &mut Change<'_>) -> Result<(), StateError> {
        for id in &self.unsaved {
            if let Some(attempt) = self.attempts.get(id) {
                let body = serde_json::to_vec(attempt).unwrap_or_default();
                change.set_entry(REMEDIES, id, &body)?;
            }
        }
        for id in &self.removed {
            change.remove_entry(REMEDIES, id)?;
        }
        Ok(())
    }

    pub(super) fn saved(&mut self) {
        self.unsaved.clear();
        self.removed.clear();
    }

    fn forget(&mut self) {
        let surplus = self.attempts.len().saturating_sub(MAX_KEPT);
        if surplus == 0 {
            return;
        }
        let mut over: Vec<(i64, String)> = self
            .attempts
            .values()
            .filter(|it| it.state.is_over())
            .map(|it| (it.proposed_ms, it.id.clone()))
            .collect();
        over.sort();
        for (_, id) in over.into_iter().take(surplus) {
            self.attempts.remove(&id);
            self.done.remove(&id);
            self.unsaved.remove(&id);
            self.removed.insert(id);
        }
    }
}

impl Desk {
    /// Asks for what rules want done, and judges what was done.
    pub(super) fn mend(&mut self, at_ms: i64, monotonic: Duration) {
        let wanted: Vec<(u64, Member)> = self
            .incidents()
            .filter(|(_, it)| it.is_open())
            .flat_map(|(id, it)| it.firing().map(move |member| (id, member.clone())))
            .filter(|(_, it)| it.about.remediation.is_some() && it.muted_by.is_none())
            .collect();
        for (incident, member) in wanted {
            if let Some(attempt) = self.remedies.propose(incident, &member, at_ms) {
                self.tell_remedy(&attempt, at_ms);
            }
        }
        let open: Vec<Attempt> =
            self.remedies.attempts.values().filter(|it| !it.state.is_over()).cloned().collect();
        for attempt in open {
            self.judge(&attempt, at_ms, monotonic);
        }
        self.remedies.forget();
    }

    fn judge(&mut self, attempt: &Attempt, at_ms: i64, monotonic: Duration) {
        if attempt.asked.is_some() {
            return self.judge_asked(attempt, at_ms);
        }
        let member = self.incident(attempt.incident).and_then(|it| it.alerts.get(&attempt.alert));
        let fires = member.is_some_and(|it| it.phase == Phase::Firing);
        match (attempt.state, fires) {
            (AttemptState::Proposed | AttemptState::Approved, false) => {
                self.end_attempt(
                    &attempt.id,
                    AttemptState::Overtaken,
                    "the alert ended before",
                    at_ms,
                );
            }
            (AttemptState::Done, false) => {
                self.end_attempt(&attempt.id, AttemptState::Helped, &attempt.outcome, at_ms);
            }
            (AttemptState::Done, true) => {
                let since = *self.remedies.done.entry(attempt.id.clone()).or_insert(monotonic);
                let action = self.remedies.actions.get(&attempt.action);
                let within = action.map_or(0, |it| it.verify_within_ms);
                let waited = monotonic.saturating_sub(since).as_millis();
                if waited >= u128::from(within.unsigned_abs()) {
                    self.end_attempt(&attempt.id, AttemptState::InVain, &attempt.outcome, at_ms);
                }
            }
            _ => {}
        }
    }

    pub(super) fn end_attempt(&mut self, id: &str, state: AttemptState, outcome: &str, at_ms: i64) {
        let Some(attempt) = self.remedies.attempts.get_mut(id) else { return };
        attempt.end(state, outcome, at_ms);
        let attempt = attempt.clone();
        self.remedies.unsaved.insert(id.to_owned());
        self.tell_remedy(&attempt, at_ms);
    }

    /// Writes into the incident and the audit log how far an attempt is.
    pub(super) fn tell_remedy(&mut self, attempt: &Attempt, at_ms: i64) {
        let by = attempt.approved_by.join(", ");
        let state = match attempt.state {
            AttemptState::Proposed => "proposed",
            AttemptState::Approved => "approved",
            AttemptState::Started => "started",
            AttemptState::Done => "done",
            AttemptState::Helped => "helped",
            AttemptState::InVain => "in vain",
            AttemptState::Failed => "failed",
            AttemptState::Finished => "finished",
            AttemptState::Refused => "refused",
            AttemptState::Overtaken => "overtaken",
            AttemptState::Unknown => "unknown",
        };
        let why = attempt.asked.as_ref().map_or("", |it| it.why.as_str());
        let details = [attempt.order.as_str(), by.as_str(), why, attempt.outcome.as_str()];
        let details: Vec<&str> = details.into_iter().filter(|it| !it.is_empty()).collect();
        let text = format!("{state}: {}", details.join("; "));
        self.did(attempt.incident, "remediation", &format!("{} {state}", attempt.action), &text);
        let book = Arc::clone(&self.book);
        let in_vain = matches!(
            attempt.state,
            AttemptState::InVain | AttemptState::Failed | AttemptState::Unknown
        );
        if let Some(incident) = self.change(attempt.incident) {
            let policy = book.directory.policy(incident.policy.as_deref()).filter(|_| in_vain);
            incident.remedied((&attempt.action, &text), policy, at_ms);
        }
    }

    /// Whether an attempt may start, now or later.
    pub(super) fn has_job(&self) -> bool {
        self.remedies.attempts.values().any(|it| it.state == AttemptState::Approved)
    }

    /// The next attempt that may start. It counts as started from now on.
    fn next_job(&mut self, at_ms: i64) -> Option<Job> {
        let all: Vec<Attempt> = self.remedies.attempts.values().cloned().collect();
        let actions = Arc::clone(&self.remedies.actions);
        let max_hosts = actions.hosts_at_once;
        for attempt in all.iter().filter(|it| it.state == AttemptState::Approved) {
            let Some(action) = actions.get(&attempt.action) else { continue };
            if may_start(attempt, action, &all, max_hosts, at_ms).is_err() {
                continue;
            }
            let member =
                self.incident(attempt.incident).and_then(|it| it.alerts.get(&attempt.alert));
            let asked = attempt.asked.as_ref().map(|it| &it.labels);
            let labels = asked.or_else(|| member.map(|it| &it.labels));
            let Some(Ok(order)) = labels.map(|it| action.order(it)) else { continue };
            let started = self.remedies.attempts.get_mut(&attempt.id)?;
            started.state = AttemptState::Started;
            started.started_ms = Some(at_ms);
            let started = started.clone();
            self.remedies.unsaved.insert(attempt.id.clone());
            self.tell_remedy(&started, at_ms);
            return Some(Job {
                id: attempt.id.clone(),
                order,
                user: action.user.clone(),
                timeout: Duration::from_millis(action.timeout_ms.unsigned_abs()),
                output_bytes: action.output_bytes,
            });
        }
        None
    }
}

impl Alerting {
    /// All attempts, the newest first.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        lock(&self.shared.desk).remedies.newest()
    }

    /// The names of the actions that this host has.
    pub(crate) fn actions(&self) -> Vec<String> {
        let actions = Arc::clone(&lock(&self.shared.desk).remedies.actions);
        actions.names().map(str::to_owned).collect()
    }

    /// Ready when something may have to be done: again and again while an attempt is approved.
    pub(crate) async fn job_waits(&self) {
        self.shared.job_waits.notified().await;
    }

    /// What is to be done now, written down before it is done.
    pub(crate) fn next_job(&self) -> Result<Option<Job>, StateError> {
        let mut desk = lock(&self.shared.desk);
        let at_ms = self.shared.clock.now_ms();
        let Some(job) = desk.next_job(at_ms) else { return Ok(None) };
        let written = saved::save_with(&self.shared.state, &mut desk, |_| Ok::<_, StateError>(()));
        if let Err(error) = written {
            // It is not begun, and must not stand in the way of others for ever.
            let why = "it was not begun, since that could not be written down";
            desk.end_attempt(&job.id, AttemptState::Failed, why, at_ms);
            return Err(error);
        }
        Ok(Some(job))
    }

    /// Writes how it went.
    pub(crate) fn job_done(&self, id: &str, outcome: Result<String, String>) {
        let mut desk = lock(&self.shared.desk);
        let at_ms = self.shared.clock.now_ms();
        match outcome {
            Ok(said) if desk.remedies.was_asked(id) => {
                desk.end_attempt(id, AttemptState::Finished, &said, at_ms);
            }
            Ok(said) => {
                desk.remedies.done.insert(id.to_owned(), self.shared.clock.monotonic());
                desk.end_attempt(id, AttemptState::Done, &said, at_ms);
            }
            Err(why) => desk.end_attempt(id, AttemptState::Failed, &why, at_ms),
        }
        // When it cannot be written now, it is with the next thing that happens.
        let written = saved::save_with(&self.shared.state, &mut desk, |_| Ok::<_, StateError>(()));
        if let Err(error) = written {
            desk.report_unsaved(&barograph_model::chain(&error));
        }
    }

    /// Somebody wants an attempt made, or does not.
    ///
    /// # Errors
    /// There is no such attempt, it is refused, or it cannot be saved.
    pub(crate) fn decide(&self, id: &str, by: &str, yes: bool) -> Result<Attempt, ActError> {
        let mut desk = lock(&self.shared.desk);
        let at_ms = self.shared.clock.now_ms();
        let actions = Arc::clone(&desk.remedies.actions);
        let unknown = || ActError::NoAttempt(id.to_owned());
        let attempt = desk.remedies.attempts.get_mut(id).ok_or_else(unknown)?;
        if yes {
            let action = actions.get(&attempt.action).ok_or(AttemptError::Over)?;
            attempt.approve(by, action)?;
        } else {
            attempt.refuse(by, at_ms)?;
        }
        let attempt = attempt.clone();
        desk.remedies.unsaved.insert(id.to_owned());
        desk.tell_remedy(&attempt, at_ms);
        saved::save_with(&self.shared.state, &mut desk, |_| Ok::<_, StateError>(()))?;
        self.shared.job_waits.notify_one();
        Ok(attempt)
    }
}
