//! What is told together, over failures of receivers and ends of the server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::Clock;
use barograph_notify::{Failure, Limiter, Limits, Severity};
use barograph_state::{NewMessage, Outcome, State, Status};
use barograph_testkit::FakeClock;
use proptest::prelude::*;

use super::postman::{due, key_of};
use super::sort::{Sorted, plan};
use super::{digests, postman::Posted};

/// How one attempt goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Attempt {
    Taken,
    /// The receiver has it, and nobody hears of that.
    TakenInSilence,
    /// The receiver has nothing, and nobody hears of that.
    LostInSilence,
    Refused,
    /// The server ends before it has sent, or before it has written what came of it.
    EndedBefore,
    EndedAfter,
}

const ATTEMPTS: [Attempt; 6] = [
    Attempt::Taken,
    Attempt::TakenInSilence,
    Attempt::LostInSilence,
    Attempt::Refused,
    Attempt::EndedBefore,
    Attempt::EndedAfter,
];

/// A channel that may say one thing a second, and whoever listens to it.
struct Channel {
    _folder: tempfile::TempDir,
    clock: Arc<FakeClock>,
    state: State,
    limiter: Limiter,
    /// What came first under each key.
    heard: BTreeMap<String, Vec<String>>,
    posted: usize,
}

impl Channel {
    const LIMITS: Limits = Limits {
        rate: Some((1, Duration::from_secs(1))),
        digest: None,
        digest_below: Severity::Critical,
    };

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::new(1_700_000_000_000));
        let state = State::open(folder.path(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let (limiter, heard) = (Limiter::default(), BTreeMap::new());
        Self { _folder: folder, clock, state, limiter, heard, posted: 0 }
    }

    fn post(&mut self, count: usize) {
        for number in self.posted..self.posted + count {
            let (id, lane) = (format!("m{number}"), format!("lane{}", number % 7));
            let now_ms = self.clock.now_ms();
            let new = NewMessage {
                id: &id,
                lane: &lane,
                body: b"",
                due_ms: now_ms,
                expires_ms: i64::MAX,
            };
            self.state.write(|change| change.enqueue(&new)).unwrap();
        }
        self.posted += count;
    }

    /// Sends what is due; `attempts` says how each goes, and so does the last of them for the rest.
    fn round(&mut self, max: usize, attempts: &[Attempt]) {
        self.clock.advance(Duration::from_secs(2));
        let now_ms = self.clock.now_ms();
        let listing = self.state.read(|view| due(view, max, now_ms + 90_000_000)).unwrap();
        let mut sorted = Sorted::default();
        plan((&mut self.limiter, &Self::LIMITS), now_ms, listing.items, &mut sorted);
        for (place, batch) in sorted.batches.into_iter().enumerate() {
            let attempt = attempts.get(place).or(attempts.last()).unwrap();
            self.attempt(&batch, *attempt);
        }
    }

    fn attempt(&mut self, batch: &[Posted], attempt: Attempt) {
        let key = key_of(batch);
        let ids: Vec<&str> = batch.iter().map(|it| it.message.id.as_str()).collect();
        let is_noted = batch.iter().any(|it| it.place.is_some());
        if !is_noted {
            digests::note(&self.state, &key, &ids).unwrap();
        }
        if matches!(attempt, Attempt::Taken | Attempt::TakenInSilence | Attempt::EndedAfter) {
            let told: Vec<String> = ids.iter().map(|it| (*it).to_owned()).collect();
            let before = self.heard.entry(key.clone()).or_insert_with(|| told.clone());
            assert_eq!(*before, told, "the same key is the same message");
        }
        let failure = match attempt {
            Attempt::EndedBefore | Attempt::EndedAfter => return,
            Attempt::Taken => None,
            Attempt::TakenInSilence | Attempt::LostInSilence | Attempt::Refused => Some(Failure {
                permanent: false,
                untaken: attempt == Attempt::Refused,
                retry_after: None,
                text: "failed".to_owned(),
            }),
        };
        let due_ms = self.clock.now_ms() + 1000;
        let outcome = match &failure {
            None => Outcome::Delivered,
            Some(failure) => Outcome::Retry { due_ms, problem: failure.text.clone() },
        };
        let is_over = digests::is_over(is_noted, failure.as_ref());
        let written = self.state.write(|change| {
            ids.iter().try_for_each(|id| change.attempted(id, &outcome))?;
            if is_over { digests::end(change, &key) } else { Ok(()) }
        });
        written.unwrap();
    }

    fn waiting(&self) -> u64 {
        self.state.read(|view| view.count_messages(Status::Waiting)).unwrap().0
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_message_is_told_under_one_key_only(
        rounds in prop::collection::vec(
            (0_usize..6, 1_usize..8, prop::collection::vec(prop::sample::select(&ATTEMPTS[..]), 1..4)),
            1..25,
        ),
    ) {
        let mut channel = Channel::new();
        for (count, max, attempts) in &rounds {
            channel.post(*count);
            channel.round(*max, attempts);
        }
        for _ in 0..2 * channel.posted + 2 {
            channel.round(100, &[Attempt::Taken]);
        }
        prop_assert_eq!(channel.waiting(), 0);
        let mut told: Vec<&String> = channel.heard.values().flatten().collect();
        told.sort();
        let keys = told.len();
        told.dedup();
        prop_assert_eq!((told.len(), keys), (channel.posted, channel.posted));
    }
}

#[test]
fn what_was_surely_not_taken_is_gathered_with_what_came_later() {
    let mut channel = Channel::new();
    for _ in 0..7 {
        channel.post(1);
        channel.round(100, &[Attempt::Refused]);
    }
    channel.clock.advance(Duration::from_secs(60));
    channel.round(100, &[Attempt::Taken]);
    let heard: Vec<usize> = channel.heard.values().map(Vec::len).collect();
    assert_eq!((channel.waiting(), heard), (0, vec![7]));
}
