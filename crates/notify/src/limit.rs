//! How much a channel may carry: what comes too fast waits, and what waits is told together.

use std::collections::VecDeque;
use std::time::Duration;

use crate::notification::{Event, Severity};
use crate::reader::Fields;

/// What a channel's document says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// So many messages in so much time; none for as many as there are.
    pub rate: Option<(u32, Duration)>,
    /// What is less severe than `digest_below` is gathered for so long, and told together.
    pub digest: Option<Duration>,
    pub digest_below: Severity,
}

/// A notification that waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub event: Event,
    pub severity: Severity,
    /// Since when it waits: when it was due first.
    pub since_ms: i64,
}

/// What is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Each is one message: places in what was waiting. Several places are a digest.
    pub messages: Vec<Vec<usize>>,
    /// When to plan again, if anything waits on.
    pub again_ms: Option<i64>,
}

/// Keeps to the limits of one channel.
#[derive(Debug, Clone, Default)]
pub struct Limiter {
    /// When messages were sent, as far back as the limit reaches.
    sent_ms: VecDeque<i64>,
}

impl Limits {
    pub(crate) fn read(fields: &mut Fields) -> Self {
        let none = Self { rate: None, digest: None, digest_below: Severity::Critical };
        let severities = [("warning", Severity::Warning), ("critical", Severity::Critical)];
        let read = |fields: &mut Fields| {
            let messages = fields.number("messages", 1..=10_000);
            let per = fields.duration("per", 1..=86_400).unwrap_or(Duration::from_secs(60));
            let digest = fields.duration("digest", 1..=86_400);
            let below = fields.one_of("digest_below", &severities);
            Self {
                rate: messages.map(|messages| (messages, per)),
                digest,
                digest_below: below.unwrap_or(Severity::Critical),
            }
        };
        fields.group("limits", read).unwrap_or(none)
    }

    fn gathers(&self, it: &Waiting) -> Option<Duration> {
        self.digest.filter(|_| it.severity < self.digest_below && it.event != Event::Test)
    }
}

impl Limiter {
    /// Digests hold at most so many, so that they can be read.
    pub const MAX_DIGEST: usize = 50;

    /// Says what of `waiting`, in its order, is sent now. What is severe goes first and alone; the
    /// rest shares what is left, and where not all fit, they go together.
    pub fn plan(&mut self, limits: &Limits, now_ms: i64, waiting: &[Waiting]) -> Plan {
        let mut plan = Plan::default();
        let mut ready: Vec<usize> = Vec::new();
        let mut gathered: Vec<usize> = Vec::new();
        let mut gather_ms: Option<i64> = None;
        for (i, it) in waiting.iter().enumerate() {
            match limits.gathers(it) {
                None => ready.push(i),
                Some(time) => {
                    // A clock that was set back must not hold them for ever.
                    let is_later = it.since_ms > now_ms;
                    let at = it.since_ms.saturating_add(millis(time));
                    let at = if is_later { now_ms } else { at };
                    gather_ms = Some(gather_ms.map_or(at, |known| known.min(at)));
                    gathered.push(i);
                }
            }
        }
        // The oldest has waited long enough, and takes all others with it.
        if gather_ms.is_some_and(|at| at <= now_ms) {
            gather_ms = None;
        } else {
            gathered.clear();
        }
        let gathered: Vec<Vec<usize>> =
            gathered.chunks(Self::MAX_DIGEST).map(<[usize]>::to_vec).collect();
        ready.sort_by_key(|i| std::cmp::Reverse(waiting.get(*i).map(|it| it.severity)));
        let free = self.free(limits, now_ms);
        let wanted = ready.len() + gathered.len();
        if wanted <= free {
            plan.messages = ready.into_iter().map(|i| vec![i]).chain(gathered).collect();
        } else if free > 0 {
            let alone = free.saturating_sub(1).min(ready.len());
            let mut rest: Vec<usize> = ready.split_off(alone);
            rest.extend(gathered.into_iter().flatten());
            rest.truncate(Self::MAX_DIGEST);
            plan.messages = ready.into_iter().map(|i| vec![i]).chain([rest]).collect();
        }
        let sent = plan.messages.len();
        self.sent_ms
            .extend(std::iter::repeat_n(now_ms, if limits.rate.is_some() { sent } else { 0 }));
        let taken: usize = plan.messages.iter().map(Vec::len).sum();
        let waits_for_gathering = gather_ms.is_some();
        let held = waiting.len() - taken;
        if held > 0 {
            let room_ms = self.room_ms(limits, now_ms);
            plan.again_ms = match (waits_for_gathering, room_ms) {
                (true, Some(room)) if wanted > free => gather_ms.map(|at| at.min(room)),
                (true, _) => gather_ms,
                (false, room) => room,
            };
        }
        plan
    }

    /// How many messages may go now.
    fn free(&mut self, limits: &Limits, now_ms: i64) -> usize {
        let Some((messages, per)) = limits.rate else { return usize::MAX };
        // Times after now are of a clock that was set back.
        self.sent_ms.retain(|at| *at <= now_ms && now_ms - at < millis(per));
        (messages as usize).saturating_sub(self.sent_ms.len())
    }

    /// When the next may go.
    fn room_ms(&self, limits: &Limits, now_ms: i64) -> Option<i64> {
        let (messages, per) = limits.rate?;
        if self.sent_ms.len() < messages as usize {
            return Some(now_ms);
        }
        let at = self.sent_ms.len().checked_sub(messages as usize)?;
        Some(self.sent_ms.get(at)?.saturating_add(millis(per)))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn limits(text: &str) -> Limits {
        let mut fields = Fields::parse(text).unwrap();
        let limits = Limits::read(&mut fields);
        assert_eq!(fields.finish(), []);
        limits
    }

    fn waiting(severities: &[(Severity, i64)]) -> Vec<Waiting> {
        let all = severities.iter().map(|(severity, since_ms)| Waiting {
            event: Event::Firing,
            severity: *severity,
            since_ms: *since_ms,
        });
        all.collect()
    }

    #[test]
    fn without_limits_everything_goes_at_once() {
        let limits = limits("{}");
        let waiting = waiting(&[(Severity::Info, 0), (Severity::Critical, 0)]);
        let plan = Limiter::default().plan(&limits, 0, &waiting);
        assert_eq!(plan, Plan { messages: vec![vec![1], vec![0]], again_ms: None });
    }

    #[test]
    fn what_is_too_much_goes_together_and_then_waits() {
        let limits = limits("limits: {messages: 2, per: 1m}");
        let mut limiter = Limiter::default();
        let five = waiting(&[(Severity::Warning, 0); 5]);
        let plan = limiter.plan(&limits, 1000, &five);
        assert_eq!(plan, Plan { messages: vec![vec![0], vec![1, 2, 3, 4]], again_ms: None });
        let one = waiting(&[(Severity::Warning, 2000)]);
        let plan = limiter.plan(&limits, 2000, &one);
        assert_eq!(plan, Plan { messages: vec![], again_ms: Some(1000 + MINUTE) });
        let plan = limiter.plan(&limits, 1000 + MINUTE, &one);
        assert_eq!(plan, Plan { messages: vec![vec![0]], again_ms: None });
    }

    #[test]
    fn a_digest_gathers_what_is_not_severe() {
        let limits = limits("limits: {digest: 5m}");
        let mut limiter = Limiter::default();
        let some = waiting(&[
            (Severity::Warning, 0),
            (Severity::Critical, MINUTE),
            (Severity::Info, MINUTE),
        ]);
        let plan = limiter.plan(&limits, MINUTE, &some);
        assert_eq!(plan, Plan { messages: vec![vec![1]], again_ms: Some(5 * MINUTE) });
        let rest = waiting(&[(Severity::Warning, 0), (Severity::Info, MINUTE)]);
        let plan = limiter.plan(&limits, 5 * MINUTE, &rest);
        assert_eq!(plan, Plan { messages: vec![vec![0, 1]], again_ms: None });
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_for_ever() {
        let rate = limits("limits: {messages: 1, per: 1m}");
        let mut limiter = Limiter::default();
        let one = waiting(&[(Severity::Warning, 0)]);
        assert_eq!(limiter.plan(&rate, 1000 * MINUTE, &one).messages, [[0]]);
        assert_eq!(limiter.plan(&rate, 10 * MINUTE, &one).messages, [[0]]);
        let digest = limits("limits: {digest: 5m}");
        let future = waiting(&[(Severity::Warning, 1000 * MINUTE)]);
        let plan = Limiter::default().plan(&digest, 10 * MINUTE, &future);
        assert_eq!(plan.messages, [[0]]);
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        let text = "limits: {messages: 0, per: soon, digest_below: none, most: 3}";
        let mut fields = Fields::parse(text).unwrap();
        Limits::read(&mut fields);
        let problems: Vec<_> = fields.finish().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "line 1: `limits.messages`: 0 is not a whole number from 1 to 10000",
                "line 1: `limits.per`: `soon` is no time such as 30s, 5m or 1h, from 1s to 86400s",
                "line 1: `limits.digest_below`: `none` is none of warning, critical",
                "line 1: `limits.most`: there is no such field, allowed are messages, per, digest, digest_below",
            ]
        );
    }
}
