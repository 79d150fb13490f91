//! What people may have done without an alert: offered where the file of actions lets them, and then
//! approved, started and written down as any other attempt.

use std::sync::Arc;

use barograph_alerts::machine::Texts;
use barograph_alerts::remediation::{Action, Asked, Attempt, AttemptState};
use barograph_state::StateError;
use serde::Serialize;

use super::desk::{ActError, Desk};
use super::remedies::Remedies;
use super::{Alerting, lock, saved};

/// How long others have to approve what somebody asked for.
const PATIENCE_MS: i64 = 15 * 60_000;
/// Attempts that people asked for and that are not over.
const MAX_OPEN: usize = 20;
/// Set by the server.
const HOST: &str = "host";

/// Something that people may ask for.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Offer {
    action: String,
    /// What exactly would be done.
    order: String,
    /// How many people have to want it.
    approvals: u32,
    /// It is only said what would be done.
    dry_run: bool,
}

impl Remedies {
    pub(super) fn was_asked(&self, id: &str) -> bool {
        self.attempts.get(id).is_some_and(|it| it.asked.is_some())
    }

    /// The actions for which all of these labels are needed, and that they suffice for.
    fn offers(&self, labels: &Texts) -> Vec<Offer> {
        let suits = |it: &Action| labels.keys().all(|label| label == HOST || it.uses(label));
        let actions = self.actions.iter().filter(|(_, it)| it.by_hand && suits(it));
        let offers = actions.filter_map(|(name, it)| {
            let order = it.order(labels).ok()?.to_string();
            let (approvals, dry_run) = (it.approvals, it.dry_run);
            Some(Offer { action: name.to_owned(), order, approvals, dry_run })
        });
        offers.collect()
    }

    fn ask(&mut self, name: &str, asked: Asked, at_ms: i64) -> Result<Attempt, ActError> {
        let actions = Arc::clone(&self.actions);
        let action = actions.get(name).filter(|it| it.by_hand).ok_or_else(|| {
            let why = format!("this host has no action `{name}` with `by_hand: true`");
            ActError::NotOffered(why)
        })?;
        let order = action.order(&asked.labels).map_err(ActError::NotOffered)?.to_string();
        let open = || self.attempts.values().filter(|it| !it.state.is_over());
        if open().any(|it| it.action == name && it.order == order) {
            return Err(ActError::NotOffered("it is asked for already".to_owned()));
        }
        if open().filter(|it| it.asked.is_some()).count() >= MAX_OPEN {
            let why = format!("{MAX_OPEN} things that people asked for are not done yet");
            return Err(ActError::NotOffered(why));
        }
        let number = crc32c::crc32c(order.as_bytes());
        let id = format!("asked/{at_ms}/{number:08x}/{name}");
        let mut attempt = Attempt::proposed(id, name, order, self.host.clone(), at_ms);
        if action.dry_run {
            attempt.end_dry(at_ms);
        } else {
            attempt.approve(&asked.by, action)?;
        }
        attempt.asked = Some(asked);
        self.unsaved.insert(attempt.id.clone());
        self.attempts.insert(attempt.id.clone(), attempt.clone());
        Ok(attempt)
    }
}

impl Desk {
    /// Nobody is to be surprised by what was asked for long ago.
    pub(super) fn judge_asked(&mut self, attempt: &Attempt, at_ms: i64) {
        let waits = matches!(attempt.state, AttemptState::Proposed | AttemptState::Approved);
        if waits && at_ms.abs_diff(attempt.proposed_ms) > PATIENCE_MS.unsigned_abs() {
            let why = "it could not be begun within 15 minutes";
            self.end_attempt(&attempt.id, AttemptState::Overtaken, why, at_ms);
        }
    }
}

impl Alerting {
    /// What people may ask for on this host about something with these labels.
    pub(crate) fn offers(&self, mut labels: Texts) -> Vec<Offer> {
        let desk = lock(&self.shared.desk);
        labels.insert(HOST.to_owned(), desk.remedies.host.clone());
        desk.remedies.offers(&labels)
    }

    /// Somebody asks for an action without an alert. Who asks is the first who wants it.
    ///
    /// # Errors
    /// It is not offered, is asked for already, or cannot be saved.
    pub(crate) fn ask(&self, name: &str, mut asked: Asked) -> Result<Attempt, ActError> {
        let mut desk = lock(&self.shared.desk);
        let at_ms = self.shared.clock.now_ms();
        asked.labels.insert(HOST.to_owned(), desk.remedies.host.clone());
        let attempt = desk.remedies.ask(name, asked, at_ms)?;
        desk.tell_remedy(&attempt, at_ms);
        saved::save_with(&self.shared.state, &mut desk, |_| Ok::<_, StateError>(()))?;
        self.shared.job_waits.notify_one();
        Ok(attempt)
    }
}
