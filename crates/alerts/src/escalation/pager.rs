//! Whether people can be reached, tried before it matters: a message that asks for an answer, on
//! the same ways as an alert would come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::length;
use crate::mute::{Schedule, ScheduleError};

/// When a person's pager is tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagerTest {
    pub time_zone: String,
    /// Local time, such as `10:00`.
    pub at: String,
    #[serde(default = "mondays")]
    pub weekdays: Vec<String>,
    /// A test that is not answered by then is missed.
    #[serde(default = "half_an_hour", with = "length")]
    pub answer_within: i64,
    /// The policy by which a missed test is told; without it the routes decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
}

/// Why a pager test is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagerTestProblem {
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error("`weekdays` is empty: it would never be tested")]
    Never,
    #[error("`answer_within` is {0} ms, allowed are one minute to twelve hours")]
    AnswerWithin(i64),
}

fn mondays() -> Vec<String> {
    vec!["monday".to_owned()]
}

const fn half_an_hour() -> i64 {
    30 * 60_000
}

impl PagerTest {
    /// A test that could not be sent for so long is left out: nobody is to be woken for it later.
    const LATE_MS: i64 = 3_600_000;

    /// # Errors
    /// What makes no sense.
    pub fn check(&self) -> Result<(), PagerTestProblem> {
        self.schedule()?;
        if self.weekdays.is_empty() {
            return Err(PagerTestProblem::Never);
        }
        // Links that acknowledge last a day.
        if !(60_000..=12 * 3_600_000).contains(&self.answer_within) {
            return Err(PagerTestProblem::AnswerWithin(self.answer_within));
        }
        Ok(())
    }

    fn schedule(&self) -> Result<Schedule, ScheduleError> {
        Schedule::daily(&self.time_zone, &self.weekdays, &self.at)
    }

    /// The test that is due now and not the last one, by its time.
    pub fn due(&self, last: Option<&Probe>, now_ms: i64) -> Option<i64> {
        let (due_ms, _) = self.schedule().ok()?.last_before(now_ms)?;
        let is_new = last.is_none_or(|it| it.due_ms < due_ms);
        (is_new && now_ms - due_ms <= Self::LATE_MS).then_some(due_ms)
    }

    /// When the next test is due.
    pub fn next_ms(&self, now_ms: i64) -> Option<i64> {
        Some(self.schedule().ok()?.next_after(now_ms)?.0)
    }
}

/// One test, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// When it was due; tells tests of a person apart.
    pub due_ms: i64,
    pub sent_ms: i64,
    pub answer_by_ms: i64,
    pub answered_ms: Option<i64>,
    pub state: ProbeState,
    /// Ways by which it was sent, as people read them, and what became of each.
    pub ways: BTreeMap<String, Arrival>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeState {
    /// It waits for its answer.
    Sent,
    Answered,
    /// There was no answer in time.
    Missed,
    /// There was one, but later.
    Late,
}

/// Whether a test arrived on one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Arrival {
    Waiting,
    Delivered,
    Failed { problem: String },
}

impl Probe {
    pub fn new(due_ms: i64, now_ms: i64, answer_within_ms: i64) -> Self {
        Self {
            due_ms,
            sent_ms: now_ms,
            answer_by_ms: now_ms.saturating_add(answer_within_ms),
            answered_ms: None,
            state: ProbeState::Sent,
            ways: BTreeMap::new(),
        }
    }

    /// Somebody answered; tells whether that was new.
    pub fn answer(&mut self, now_ms: i64) -> bool {
        self.state = match self.state {
            ProbeState::Sent => ProbeState::Answered,
            ProbeState::Missed => ProbeState::Late,
            ProbeState::Answered | ProbeState::Late => return false,
        };
        self.answered_ms = Some(now_ms);
        true
    }

    /// Lets time pass; tells whether it is missed from now on.
    pub fn expire(&mut self, now_ms: i64) -> bool {
        let is_missed = self.state == ProbeState::Sent && now_ms >= self.answer_by_ms;
        if is_missed {
            self.state = ProbeState::Missed;
        }
        is_missed
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn test(more: &str) -> PagerTest {
        let text = format!("{{time_zone: Europe/Berlin, at: '10:00'{more}}}");
        serde_saphyr::from_str(&text).unwrap()
    }

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_test_is_due_once_at_its_local_time() {
        let it = test("");
        // 9 March and 30 March 2026 are Mondays, the second one in summer time.
        assert_eq!(it.due(None, ms("2026-03-09T08:59:59Z")), None);
        assert_eq!(it.due(None, ms("2026-03-09T09:00:00Z")), Some(ms("2026-03-09T09:00:00Z")));
        let sent = Probe::new(ms("2026-03-09T09:00:00Z"), ms("2026-03-09T09:00:01Z"), 60_000);
        assert_eq!(it.due(Some(&sent), ms("2026-03-09T09:30:00Z")), None);
        assert_eq!(
            it.due(Some(&sent), ms("2026-03-30T08:00:00Z")),
            Some(ms("2026-03-30T08:00:00Z"))
        );
        assert_eq!(it.next_ms(ms("2026-03-09T09:30:00Z")), Some(ms("2026-03-16T09:00:00Z")));
        // Of a server that was away, or whose clock was put back.
        assert_eq!(it.due(None, ms("2026-03-09T23:00:00Z")), None);
        assert_eq!(it.due(Some(&sent), ms("2026-03-02T09:10:00Z")), None);
    }

    #[test]
    fn an_answer_counts_once_and_may_be_late() {
        let mut it = Probe::new(0, 0, 60_000);
        assert!(!it.expire(59_999) && it.answer(59_999) && !it.answer(60_000));
        assert_eq!((it.state, it.answered_ms), (ProbeState::Answered, Some(59_999)));
        let mut it = Probe::new(0, 0, 60_000);
        assert!(it.expire(60_000) && !it.expire(60_001) && it.answer(90_000));
        assert_eq!(it.state, ProbeState::Late);
    }

    #[test]
    fn mistakes_say_what_is_allowed() {
        assert_eq!(test(", weekdays: [friday], answer_within: 15m").check(), Ok(()));
        for (more, part) in [
            (", weekdays: []", "never be tested"),
            (", weekdays: [sunny]", "`sunny`, allowed are monday"),
            (", answer_within: 2s", "one minute to twelve hours"),
        ] {
            let problem = test(more).check().unwrap_err().to_string();
            assert!(problem.contains(part), "{problem}");
        }
        let late = PagerTest { at: "soon".to_owned(), ..test("") };
        let problem = late.check().unwrap_err().to_string();
        assert_eq!(problem, "`at` is `soon`, allowed is a time such as 02:00");
    }
}
