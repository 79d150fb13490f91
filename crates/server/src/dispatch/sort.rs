//! Sorts what is due into messages that go now, by the limits of their channels.

use std::collections::BTreeMap;

use barograph_notify::{Event, Limiter, Severity, Waiting};

use super::postman::{Posted, Postman};

/// Remembers what each channel carried lately.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    limiters: BTreeMap<String, Limiter>,
}

/// What goes now and what does not.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Each is one message to one place; several together are a digest.
    pub(super) batches: Vec<Vec<Posted>>,
    /// Ids of messages, and when they may go.
    pub(super) later: Vec<(String, i64)>,
}

/// A shorter wait is not worth a write.
const WORTH_MS: i64 = 2000;
/// What was sent once goes as it went, together with nothing else.
const AS_BEFORE: Waiting =
    Waiting { event: Event::Digest, severity: Severity::Critical, since_ms: 0 };

impl Sorter {
    pub(super) fn sort(&mut self, due: Vec<Posted>, postman: &Postman) -> Sorted {
        let mut sorted = Sorted::default();
        let mut by_channel: BTreeMap<String, Vec<Posted>> = BTreeMap::new();
        for posted in due {
            by_channel.entry(posted.channel().to_owned()).or_default().push(posted);
        }
        let known: Vec<String> = by_channel.keys().cloned().collect();
        for (name, waiting) in by_channel {
            match postman.channel(&name) {
                Some(channel) => {
                    let limiter = self.limiters.entry(name).or_default();
                    let limits = (limiter, channel.limits());
                    plan(limits, postman.now_ms(), waiting, &mut sorted);
                }
                // It is told when it is sent.
                None => sorted.batches.extend(waiting.into_iter().map(|it| vec![it])),
            }
        }
        // Of channels that were removed nothing needs to be known.
        if self.limiters.len() > known.len() + 100 {
            self.limiters.retain(|name, _| known.contains(name));
        }
        sorted
    }
}

pub(super) fn plan(
    (limiter, limits): (&mut Limiter, &barograph_notify::Limits),
    now_ms: i64,
    waiting: Vec<Posted>,
    sorted: &mut Sorted,
) {
    let mut tried: BTreeMap<String, Vec<Posted>> = BTreeMap::new();
    let mut fresh = Vec::new();
    for posted in waiting {
        match &posted.place {
            Some(place) => tried.entry(place.key.clone()).or_default().push(posted),
            None => fresh.push(posted),
        }
    }
    for mut batch in tried.into_values() {
        batch.sort_by(|a, b| a.place.cmp(&b.place));
        let plan = limiter.plan(limits, now_ms, &[AS_BEFORE]);
        if plan.messages.is_empty() {
            let again_ms = plan.again_ms.unwrap_or(now_ms);
            sorted.later.extend(batch.into_iter().map(|it| (it.message.id, again_ms)));
        } else {
            sorted.batches.push(batch);
        }
    }
    let waiting = fresh;
    let asked: Vec<Waiting> = waiting.iter().map(Posted::waiting).collect();
    let plan = limiter.plan(limits, now_ms, &asked);
    let mut waiting: Vec<Option<Posted>> = waiting.into_iter().map(Some).collect();
    for places in plan.messages {
        // Who is told of it may differ within a channel.
        let mut by_address: BTreeMap<_, Vec<Posted>> = BTreeMap::new();
        for place in places {
            if let Some(posted) = waiting.get_mut(place).and_then(Option::take) {
                by_address.entry(posted.address()).or_default().push(posted);
            }
        }
        sorted.batches.extend(by_address.into_values());
    }
    if let Some(again_ms) = plan.again_ms.filter(|it| it.saturating_sub(now_ms) > WORTH_MS) {
        let held = waiting.into_iter().flatten();
        sorted.later.extend(held.map(|it| (it.message.id, again_ms)));
    }
}
