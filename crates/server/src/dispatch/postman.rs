//! Delivers one message.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use barograph_alerts::escalation::Address;
use barograph_model::{Clock, chain};
use barograph_notify::{
    Channel, Event, Failure, Notification, Notifier, Receipt, Recipient, Severity, Waiting,
};
use barograph_state::{Listing, Message, Outcome, State, StateError, Status, View};
use tracing_mutex::stdsync::Mutex;

use super::counts::{Counts, DispatchStatus};
use super::digests::{self, Place};
use super::trials::Trials;
use crate::alerting::{Alerting, Attempted, Letter};
use crate::evidence::Gatherer;
use crate::link::Links;

/// A message and what is in it, if that is understood.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) message: Message,
    letter: Result<Letter, String>,
    /// Where it was when it was sent, if it may have been.
    pub(super) place: Option<Place>,
}

/// Everything that delivering a message takes.
#[derive(Debug)]
pub(crate) struct Postman {
    pub(super) alerting: Arc<Alerting>,
    state: Arc<State>,
    notifier: Notifier,
    gatherer: Gatherer,
    links: Links,
    clock: Arc<dyn Clock>,
    counts: Counts,
    trials: Trials,
    trouble: Mutex<Option<String>>,
}

/// The longest pause between two attempts that a receiver can ask for.
const MAX_PAUSE: Duration = Duration::from_secs(3600);
const MAX_BACK_OFF: Duration = Duration::from_secs(300);
/// A message is given up when its time is over, but not before so many attempts: a clock that
/// jumps ahead gives up nothing.
const MIN_ATTEMPTS: u32 = 20;
/// What was delivered or given up is kept for so long.
const KEPT_MS: i64 = 30 * 86_400_000;

impl Posted {
    pub(super) fn channel(&self) -> &str {
        self.letter.as_ref().map_or("", |it| it.address.channel.as_str())
    }

    pub(super) fn address(&self) -> Option<Address> {
        self.letter.as_ref().ok().map(|it| it.address.clone())
    }

    /// What the limits of a channel go by.
    pub(super) fn waiting(&self) -> Waiting {
        let letter = self.letter.as_ref().ok();
        let notification = letter.map(|it| &it.notification);
        // In a digest it would lose the link that answers it.
        let is_pager_test = letter.is_some_and(Letter::is_pager_test);
        let severity = notification.map_or(Severity::Warning, |it| it.severity);
        Waiting {
            event: notification.map_or(Event::Firing, |it| it.event),
            severity: if is_pager_test { Severity::Critical } else { severity },
            since_ms: self.message.created_ms,
        }
    }
}

impl Postman {
    pub(crate) fn new(
        alerting: Arc<Alerting>,
        notifier: Notifier,
        gatherer: Gatherer,
        links: Links,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let state = Arc::clone(alerting.state());
        let (counts, trials, trouble) = (Counts::default(), Trials::default(), Mutex::default());
        Self { alerting, state, notifier, gatherer, links, clock, counts, trials, trouble }
    }

    /// What is due, and how long it is until a message that waits is.
    pub(super) fn due(&self, max: usize) -> Result<(Vec<Posted>, Duration), StateError> {
        let pause_ms = i64::try_from(MAX_PAUSE.as_millis()).unwrap_or(i64::MAX);
        // A digest may wait for a day.
        let now_ms = self.now_ms();
        let horizon_ms = now_ms.saturating_add(25 * pause_ms);
        let (due, next_ms) = self.state.read(|view| {
            Ok::<_, StateError>((due(view, max, horizon_ms)?, view.next_message_ms()?))
        })?;
        if let Some(damaged) = due.damaged.first() {
            self.report_trouble(&format!("{damaged} is damaged and cannot be sent"));
        }
        let until = next_ms.map_or(i64::MAX, |next_ms| next_ms.saturating_sub(now_ms).max(0));
        Ok((due.items, Duration::from_millis(until.unsigned_abs())))
    }

    pub(super) fn postpone(&self, later: &[(String, i64)]) -> Result<(), StateError> {
        self.state
            .write(|change| later.iter().try_for_each(|(id, due_ms)| change.postpone(id, *due_ms)))
    }

    pub(super) fn bring_forward(&self, by_ms: i64) -> Result<(), StateError> {
        self.state.write(|change| change.bring_forward(by_ms))
    }

    pub(super) fn prune(&self) -> Result<(), StateError> {
        let before_ms = self.now_ms().saturating_sub(KEPT_MS);
        let removed = self.state.write(|change| change.prune_messages(before_ms))?;
        digests::prune(&self.state)?;
        if removed > 0 {
            tracing::info!(removed, "old notifications are forgotten");
        }
        Ok(())
    }

    pub(super) fn channel(&self, name: &str) -> Option<Arc<Channel>> {
        self.alerting.channel(name)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Whether a channel may be tested now from an address.
    ///
    /// # Errors
    /// It was tested too often; the time until it may be again.
    pub(crate) fn begin_test(&self, channel: &str, by: IpAddr) -> Result<(), Duration> {
        self.trials.begin(channel, by, self.now_ms())
    }

    /// Sends a test, at once: it waits behind nothing and is not tried again.
    pub(crate) async fn test(&self, channel: &Channel) -> Result<Receipt, Failure> {
        let it = Notification::test(self.now_ms(), Some(&self.links.external_url));
        self.notifier.deliver(channel, &it).await
    }

    /// Delivers messages to one place in one, and writes what became of each.
    pub(super) async fn deliver(self: &Arc<Self>, batch: Vec<Posted>) {
        let key = key_of(&batch);
        let is_noted = batch.iter().any(|it| it.place.is_some());
        if !is_noted && self.can_gather(&batch) && !self.note(&key, &batch).await {
            // It is sent later, and not at once.
            tokio::time::sleep(Duration::from_secs(5)).await;
            return;
        }
        let sent = self.send(&key, &batch).await;
        let is_over = digests::is_over(is_noted, sent.as_ref().err());
        let outcome = self.judge(&key, &batch, sent);
        let is_over = is_over || matches!(outcome, Outcome::Dead { .. });
        let mut outcomes = Vec::new();
        for Posted { message, letter, .. } in batch {
            let channel = letter.as_ref().map_or("", |it| it.address.channel.as_str());
            self.counts.count(channel, |counts| match &outcome {
                Outcome::Delivered => counts.delivered += 1,
                Outcome::Retry { .. } => counts.failed += 1,
                Outcome::Dead { .. } => counts.dead += 1,
            });
            if let Outcome::Retry { problem, .. } | Outcome::Dead { problem } = &outcome {
                let given_up = matches!(outcome, Outcome::Dead { .. });
                let id = &message.id;
                tracing::warn!(channel, id, problem, given_up, "notification not delivered");
            }
            let attempts = message.attempts.saturating_add(1);
            let (id, letter, outcome) = (message.id, letter.ok(), outcome.clone());
            outcomes.push(Attempted { id, letter, attempts, outcome });
        }
        let postman = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || {
            postman.alerting.attempted(&outcomes, |change| {
                if is_over { digests::end(change, &key) } else { Ok(()) }
            })
        });
        match written.await {
            Ok(Ok(())) => self.end_trouble(),
            Ok(Err(error)) => {
                self.report_trouble(&chain(&error));
                // It is sent again, and not at once.
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            Err(error) => tracing::error!(%error, "the outcome of a delivery was not written"),
        }
    }

    /// Whether the channel may tell several messages together, so that it must be known what was
    /// sent as what.
    fn can_gather(&self, batch: &[Posted]) -> bool {
        let channel = batch.first().and_then(|it| self.channel(it.channel()));
        let limits = channel.as_ref().map(|it| it.limits());
        batch.len() > 1 || limits.is_some_and(|it| it.rate.is_some() || it.digest.is_some())
    }

    /// Writes down what is about to be sent together; tells whether that is done.
    async fn note(self: &Arc<Self>, key: &str, batch: &[Posted]) -> bool {
        let ids: Vec<String> = batch.iter().map(|it| it.message.id.clone()).collect();
        let (postman, key) = (Arc::clone(self), key.to_owned());
        let written = tokio::task::spawn_blocking(move || {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            digests::note(&postman.state, &key, &ids)
        });
        match written.await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                self.report_trouble(&chain(&error));
                false
            }
            Err(error) => {
                tracing::error!(%error, "what is sent was not written down");
                false
            }
        }
    }

    async fn send(self: &Arc<Self>, key: &str, batch: &[Posted]) -> Result<(), Failure> {
        let failure =
            |permanent, text| Failure { permanent, untaken: true, retry_after: None, text };
        let mut notifications = Vec::new();
        let mut channel = None;
        for Posted { message, letter, .. } in batch {
            let letter = letter.as_ref().map_err(|error| {
                failure(true, format!("the message is not understood: {error}"))
            })?;
            let name = &letter.address.channel;
            // It may come back any moment.
            let missing = || failure(false, format!("there is no channel `{name}`"));
            let found = self.channel(name).ok_or_else(missing)?;
            let is_alone = batch.len() == 1;
            notifications.push(self.complete(message, letter, &found, is_alone).await);
            channel = Some(found);
        }
        let is_one = notifications.len() == 1 && notifications.iter().all(|it| it.id == key);
        let together = if is_one {
            notifications.pop()
        } else {
            Notification::digest(key.to_owned(), &notifications)
        };
        let (Some(channel), Some(notification)) = (channel, together) else { return Ok(()) };
        self.notifier.deliver(&channel, &notification).await.map(drop)
    }

    /// The notification with everything that it gets only now.
    async fn complete(
        self: &Arc<Self>,
        message: &Message,
        letter: &Letter,
        channel: &Channel,
        with_evidence: bool,
    ) -> Notification {
        let mut notification = letter.notification.clone();
        notification.id.clone_from(&message.id);
        notification.recipient = recipient(letter, channel.kind());
        if notification.event.is_open() && (letter.incident > 0 || letter.is_pager_test()) {
            let who = letter.address.person.as_deref().unwrap_or(&letter.address.channel);
            let link = self.links.acknowledge(letter.incident, &message.id, who);
            notification.links.acknowledge = Some(link);
        }
        if !with_evidence {
            return notification;
        }
        let postman = Arc::clone(self);
        let (number, at_ms) = (letter.incident, notification.at_ms);
        let gathered = tokio::task::spawn_blocking(move || {
            let incident = postman.alerting.incident(number)?;
            Some(postman.gatherer.gather(&incident, at_ms))
        });
        // A message without evidence is better than none.
        if let Ok(Some(evidence)) = gathered.await {
            notification.evidence = evidence;
        }
        notification
    }

    fn judge(&self, key: &str, batch: &[Posted], outcome: Result<(), Failure>) -> Outcome {
        let Err(failure) = outcome else { return Outcome::Delivered };
        let now_ms = self.clock.now_ms();
        let attempts = attempts_of(batch);
        let is_over = batch.iter().all(|it| now_ms >= it.message.expires_ms);
        if failure.permanent || (is_over && attempts >= MIN_ATTEMPTS) {
            return Outcome::Dead { problem: failure.text };
        }
        let asked = failure.retry_after.unwrap_or_default().min(MAX_PAUSE);
        let pause = asked.max(back_off(key, attempts));
        let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        Outcome::Retry { due_ms: now_ms.saturating_add(pause_ms), problem: failure.text }
    }

    /// Says once that the outbox cannot be used.
    pub(super) fn report_trouble(&self, problem: &str) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_deref() != Some(problem) {
            tracing::error!(error = problem, "notifications wait");
            *trouble = Some(problem.to_owned());
        }
    }

    fn end_trouble(&self) {
        if self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!("notifications are delivered again");
        }
    }

    /// # Errors
    /// The database cannot be read.
    pub(crate) fn status(&self) -> Result<DispatchStatus, StateError> {
        let (waiting, dead) = self.state.read(|view| {
            let waiting = view.count_messages(Status::Waiting)?;
            Ok::<_, StateError>((waiting, view.count_messages(Status::Dead)?.0))
        })?;
        let mut problems = self.alerting.telling_problems();
        problems.extend(self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone());
        Ok(DispatchStatus {
            channels: self.counts.read(),
            waiting: waiting.0,
            oldest_waiting_ms: waiting.1,
            dead,
            nobody_is_told: self.alerting.is_nobody_told(),
            problems,
        })
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    pub(crate) fn gatherer(&self) -> &Gatherer {
        &self.gatherer
    }
}

/// What is due. What was together is whole, however much else is due: a part of it under the key of
/// all would hide the rest.
pub(super) fn due(
    view: &View<'_>,
    max: usize,
    horizon_ms: i64,
) -> Result<Listing<Posted>, StateError> {
    let Listing { items: mut messages, damaged } = view.due_messages(max, horizon_ms)?;
    let mut places = digests::places(view)?;
    let listed: BTreeSet<&str> = messages.iter().map(|it| it.id.as_str()).collect();
    let keys: BTreeSet<&str> =
        listed.iter().filter_map(|id| places.get(*id)).map(|it| it.key.as_str()).collect();
    let others = places
        .iter()
        .filter(|(id, it)| keys.contains(it.key.as_str()) && !listed.contains(id.as_str()));
    let mut more = Vec::new();
    for (id, _) in others {
        // One that is damaged cannot be sent, and holds up no others.
        let found = view.message(id).ok().flatten();
        more.extend(found.filter(|it| it.status == Status::Waiting));
    }
    messages.extend(more);
    let posted = messages.into_iter().map(|message| {
        let letter = serde_json::from_slice(&message.body).map_err(|error| error.to_string());
        let place = places.remove(&message.id);
        Posted { message, letter, place }
    });
    Ok(Listing { items: posted.collect(), damaged })
}

/// How often it was tried, this time included; of several the most.
fn attempts_of(batch: &[Posted]) -> u32 {
    let before = batch.iter().map(|it| it.message.attempts).max();
    before.unwrap_or_default().saturating_add(1)
}

/// By which the receiver knows what is sent: what it was sent as before, or else its own.
pub(super) fn key_of(batch: &[Posted]) -> String {
    match batch {
        [Posted { place: Some(place), .. }, ..] => place.key.clone(),
        [one] => one.message.id.clone(),
        all => Notification::digest_id(all.iter().map(|it| it.message.id.as_str())),
    }
}

/// Who is to read it, as the channel understands it.
fn recipient(letter: &Letter, kind: &str) -> Option<Recipient> {
    let address = &letter.address;
    if address.person.is_none() && address.to.is_none() {
        return None;
    }
    let name = address.person.clone().unwrap_or_default();
    let to = address.to.clone();
    Some(match kind {
        "email" => Recipient { name, email: to, ..Recipient::default() },
        kind if kind.starts_with("sms_") => Recipient { name, phone: to, ..Recipient::default() },
        kind => {
            let chats = to.map(|it| (kind.to_owned(), it)).into_iter().collect();
            Recipient { name, chats, ..Recipient::default() }
        }
    })
}

/// Twice as long after each attempt, and not for all messages the same.
fn back_off(id: &str, attempts: u32) -> Duration {
    let seconds = 1_u64 << attempts.saturating_sub(1).min(16);
    let longest = Duration::from_secs(seconds).min(MAX_BACK_OFF);
    let seed = crc32c::crc32c(format!("{id}#{attempts}").as_bytes());
    let share = f64::from(seed) / f64::from(u32::MAX);
    longest.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_reached_by_the_address_that_the_channel_needs() {
        let letter = |to: &str| {
            let address = Address {
                channel: "any".to_owned(),
                to: Some(to.to_owned()),
                person: Some("anna".to_owned()),
            };
            let notification = Notification::test(0, None);
            Letter { notice: "1/0/1".to_owned(), incident: 1, address, notification }
        };
        let reached = |kind: &str, to: &str| recipient(&letter(to), kind).unwrap();
        assert_eq!(reached("email", "a@example.org").email.as_deref(), Some("a@example.org"));
        let sms: Vec<&str> = Channel::types().filter(|it| it.contains("sms")).collect();
        assert_eq!(sms.len(), 3);
        for kind in sms {
            assert_eq!(reached(kind, "+491701234567").phone.as_deref(), Some("+491701234567"));
        }
        assert_eq!(reached("telegram", "4711").chats["telegram"], "4711");
    }

    #[test]
    fn pauses_grow_to_five_minutes_and_differ() {
        let pause = |id, attempts| back_off(id, attempts).as_millis();
        assert!((500..=1000).contains(&pause("a", 1)));
        assert!((4000..=8000).contains(&pause("a", 4)));
        for attempts in 12..100 {
            assert!((150_000..=300_000).contains(&pause("a", attempts)));
        }
        assert_ne!(pause("a", 9), pause("b", 9));
    }
}
