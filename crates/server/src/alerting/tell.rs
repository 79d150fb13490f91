//! From notices of incidents to messages that wait, and what became of them.

use std::sync::Arc;

use barograph_alerts::incident::{Acknowledgement, Incident, Notice};
use barograph_model::Clock;
use barograph_notify::Channel;
use barograph_state::{Change, NewMessage, Outcome, State, StateError};

use super::desk::{ActError, Desk};
use super::letter::{Letter, letters};
use super::{Alerting, lock, saved};
use crate::link::Link;

/// How long it is tried to deliver a message.
const EXPIRES_AFTER_MS: i64 = 24 * 3_600_000;

/// After so many attempts people are told that a message is late: by the pauses between them, some
/// seconds.
const DELAYED_AFTER: u32 = 3;

/// How an attempt to deliver a message went.
#[derive(Debug)]
pub(crate) struct Attempted {
    pub(crate) id: String,
    /// None when it is not understood.
    pub(crate) letter: Option<Letter>,
    /// How often it was tried, this time included.
    pub(crate) attempts: u32,
    pub(crate) outcome: Outcome,
}

/// A message that waits to be written.
#[derive(Debug)]
pub(super) struct Waiting {
    id: String,
    lane: String,
    body: Vec<u8>,
    at_ms: i64,
}

impl Desk {
    /// Puts a notice of an incident among what is written next.
    pub(super) fn post(&mut self, number: u64, notice: &Notice, at_ms: i64) {
        let Some(incident) = self.incident(number) else { return };
        let letters = letters(number, incident, notice, at_ms, &self.external_url);
        for (place, letter) in letters.iter().enumerate() {
            self.enqueue(place, letter, at_ms);
        }
    }

    pub(super) fn enqueue(&mut self, place: usize, letter: &Letter, at_ms: i64) {
        // A letter is texts and numbers, so JSON can hold it.
        let Ok(body) = serde_json::to_vec(letter) else { return };
        let (id, lane) = (letter.id(place), letter.lane());
        self.outbox.push(Waiting { id, lane, body, at_ms });
    }

    /// Writes the messages that are new.
    pub(super) fn write_messages(&self, change: &mut Change<'_>) -> Result<(), StateError> {
        for Waiting { id, lane, body, at_ms } in &self.outbox {
            change.enqueue(&NewMessage {
                id,
                lane,
                body,
                due_ms: *at_ms,
                expires_ms: at_ms.saturating_add(EXPIRES_AFTER_MS),
            })?;
        }
        Ok(())
    }

    /// Notes in the incident what became of a message, once that is certain, or once it takes long.
    pub(super) fn attempted(&mut self, it: &Attempted, letter: &Letter, at_ms: i64) {
        let problem = match &it.outcome {
            Outcome::Delivered => None,
            Outcome::Dead { problem } => Some(problem.as_str()),
            Outcome::Retry { problem, .. } => {
                if it.attempts == DELAYED_AFTER
                    && let Some(incident) = self.change(letter.incident)
                {
                    incident.delayed(&letter.address, problem, at_ms);
                }
                return;
            }
        };
        self.test_attempted(letter, problem);
        let book = Arc::clone(&self.book);
        let Some(incident) = self.change(letter.incident) else { return };
        let policy = book.directory.policy(incident.policy.as_deref());
        incident.delivered((&letter.notice, &letter.address), problem, policy, at_ms);
    }
}

impl Alerting {
    /// Ready when a message was written.
    pub(crate) async fn posted(&self) {
        self.shared.posted.notified().await;
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        &self.shared.state
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    pub(crate) fn channel(&self, name: &str) -> Option<Arc<Channel>> {
        self.shared.documents.book().channels.get(name).cloned()
    }

    /// Whether there is no channel at all.
    pub(crate) fn is_nobody_told(&self) -> bool {
        self.shared.documents.book().channels.is_empty()
    }

    /// Everything by which somebody would be told too late or not at all.
    pub(crate) fn telling_problems(&self) -> Vec<String> {
        let book = self.shared.documents.book();
        let mut problems = book.problems.clone();
        problems.extend(lock(&self.shared.desk).missed_tests());
        problems.extend(book.directory.problems(self.shared.clock.now_ms()));
        problems
    }

    /// Writes what became of messages, with the lines in the timelines of their incidents, and more.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn attempted(
        &self,
        outcomes: &[Attempted],
        more: impl FnOnce(&mut Change<'_>) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let mut desk = lock(&self.shared.desk);
        for it in outcomes {
            if let Some(letter) = &it.letter {
                desk.attempted(it, letter, self.shared.clock.now_ms());
            }
        }
        saved::save_with(&self.shared.state, &mut desk, |change| {
            outcomes.iter().try_for_each(|it| change.attempted(&it.id, &it.outcome))?;
            more(change)
        })
    }

    /// Tries a message that was given up once more.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn revive(&self, id: &str) -> Result<bool, StateError> {
        let revived = self.shared.state.write(|change| change.revive(id))?;
        self.shared.posted.notify_one();
        Ok(revived)
    }

    /// Somebody acknowledges by a link, which counts only once.
    ///
    /// # Errors
    /// As [`Alerting::acknowledge`], or the link was used.
    pub(crate) fn acknowledge_by(
        &self,
        link: &Link,
        by: Acknowledgement,
    ) -> Result<Incident, ActError> {
        let mut desk = lock(&self.shared.desk);
        // Every use of a link passes here, so nobody uses it up meanwhile.
        self.shared.state.read(|view| link.check_unused(view))?;
        desk.acknowledge(link.incident, by)?;
        saved::save_with(&self.shared.state, &mut desk, |change| link.use_up(change))?;
        self.shared.posted.notify_one();
        desk.incident(link.incident).cloned().ok_or(ActError::Unknown(link.incident))
    }
}
