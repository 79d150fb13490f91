//! When the next tick is. Pure: the time comes in, a decision goes out.

use std::time::Duration;

/// Ticks at the multiples of an interval since 1970.
#[derive(Debug)]
pub(super) struct Schedule {
    interval_ms: i64,
    state: Option<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    next_ms: i64,
    /// Wall time minus monotonic time, as last seen. It moves slowly while the clock is being
    /// corrected, and by leaps when the clock is set or the machine slept.
    offset_ms: i64,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Wait(Duration),
    Tick(Tick),
}

/// A tick that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tick {
    /// Milliseconds since 1970-01-01 UTC, a multiple of the interval.
    pub(super) time_ms: i64,
    /// Ticks that fell out before it.
    pub(super) missed: u64,
}

impl Schedule {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval_ms: i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1),
            state: None,
        }
    }

    /// From the next tick on. That tick stays where it is planned.
    pub(super) fn set_interval(&mut self, interval: Duration) {
        self.interval_ms = Self::new(interval).interval_ms;
    }

    /// Looks at the time. The second answer tells whether the wall clock has leapt since the
    /// look before: what was planned by it is void.
    pub(super) fn look(&mut self, now_ms: i64, monotonic: Duration) -> (Next, bool) {
        let since_start = i64::try_from(monotonic.as_millis()).unwrap_or(i64::MAX);
        let offset_ms = now_ms.saturating_sub(since_start);
        let leapt = self.state.is_some_and(|state| {
            state.offset_ms.abs_diff(offset_ms) > self.interval_ms.unsigned_abs()
        });
        let next_ms = match self.state {
            Some(state) if !leapt => state.next_ms,
            _ => self.floor(now_ms).saturating_add(self.interval_ms),
        };
        let mut state = State { next_ms, offset_ms };
        let next = if now_ms < next_ms {
            Next::Wait(Duration::from_millis(next_ms.abs_diff(now_ms)))
        } else {
            let time_ms = self.floor(now_ms);
            let missed = (time_ms - next_ms) / self.interval_ms;
            state.next_ms = time_ms.saturating_add(self.interval_ms);
            Next::Tick(Tick { time_ms, missed: missed.unsigned_abs() })
        };
        self.state = Some(state);
        (next, leapt)
    }

    /// How long until the next tick, by the wall clock.
    pub(super) fn until_next(&self, now_ms: i64) -> Duration {
        let until = self.state.map_or(0, |state| state.next_ms.saturating_sub(now_ms));
        Duration::from_millis(u64::try_from(until.min(self.interval_ms)).unwrap_or(0))
    }

    fn floor(&self, ms: i64) -> i64 {
        floor(ms, self.interval_ms)
    }
}

/// The last multiple of `step` that is not after `ms`.
pub(super) fn floor(ms: i64, step: i64) -> i64 {
    ms.saturating_sub(ms.rem_euclid(step.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule::new(Duration::from_secs(1))
    }

    #[track_caller]
    fn check(schedule: &mut Schedule, now_ms: i64, monotonic_ms: u64, expect: Next, leapt: bool) {
        let found = schedule.look(now_ms, Duration::from_millis(monotonic_ms));
        assert_eq!(found, (expect, leapt));
    }

    fn wait(ms: u64) -> Next {
        Next::Wait(Duration::from_millis(ms))
    }

    fn tick(time_ms: i64, missed: u64) -> Next {
        Next::Tick(Tick { time_ms, missed })
    }

    #[test]
    fn ticks_fall_on_whole_seconds() {
        let s = &mut schedule();
        check(s, 10_300, 0, wait(700), false);
        check(s, 10_999, 699, wait(1), false);
        check(s, 11_002, 702, tick(11_000, 0), false);
        check(s, 11_002, 702, wait(998), false);
        check(s, 12_000, 1_700, tick(12_000, 0), false);
    }

    #[test]
    fn ticks_that_were_slept_through_are_counted_and_left_out() {
        let s = &mut schedule();
        check(s, 10_500, 0, wait(500), false);
        check(s, 13_700, 3_200, tick(13_000, 2), false);
        check(s, 13_701, 3_201, wait(299), false);
    }

    #[test]
    fn a_clock_set_forward_misses_nothing() {
        let s = &mut schedule();
        check(s, 10_500, 0, wait(500), false);
        check(s, 3_610_600, 100, wait(400), true);
        check(s, 3_611_000, 500, tick(3_611_000, 0), false);
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_ticks() {
        let s = &mut schedule();
        check(s, 3_610_500, 0, wait(500), false);
        check(s, 10_600, 100, wait(400), true);
        check(s, 11_000, 500, tick(11_000, 0), false);
    }

    #[test]
    fn a_small_step_back_does_not_give_a_tick_twice() {
        let s = &mut schedule();
        check(s, 9_900, 0, wait(100), false);
        check(s, 10_001, 101, tick(10_000, 0), false);
        check(s, 9_700, 110, wait(1_300), false);
        check(s, 11_000, 1_410, tick(11_000, 0), false);
    }

    #[test]
    fn times_before_1970_are_aligned_too() {
        let s = &mut schedule();
        check(s, -1_300, 0, wait(300), false);
        check(s, -999, 301, tick(-1_000, 0), false);
    }
}
