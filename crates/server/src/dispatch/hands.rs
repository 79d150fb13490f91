//! Notices when the clock on the wall was put back: what is due by it would wait for longer than it
//! should, by a day perhaps.

use std::time::Duration;

use barograph_model::Clock;

/// Clocks are corrected a little all the time.
const NOTICEABLE_MS: i64 = 1000;

/// Both clocks as they were last.
#[derive(Debug)]
pub(super) struct Hands {
    wall_ms: i64,
    monotonic: Duration,
}

impl Hands {
    pub(super) fn read(clock: &dyn Clock) -> Self {
        Self { wall_ms: clock.now_ms(), monotonic: clock.monotonic() }
    }

    /// By how much the clock was put back since it was asked last, in milliseconds.
    pub(super) fn put_back(&mut self, clock: &dyn Clock) -> Option<i64> {
        let now = Self::read(clock);
        let passed = now.monotonic.saturating_sub(self.monotonic).as_millis();
        let passed_ms = i64::try_from(passed).unwrap_or(i64::MAX);
        let missing_ms = self.wall_ms.saturating_add(passed_ms).saturating_sub(now.wall_ms);
        *self = now;
        (missing_ms >= NOTICEABLE_MS).then_some(missing_ms)
    }
}

#[cfg(test)]
mod tests {
    use barograph_testkit::FakeClock;

    use super::*;

    #[test]
    fn only_a_clock_that_was_put_back_is_noticed_and_once() {
        let clock = FakeClock::new(1_700_000_000_000);
        let mut hands = Hands::read(&clock);
        clock.advance(Duration::from_secs(90));
        assert_eq!(hands.put_back(&clock), None);
        for hours in [1, 24] {
            clock.set(clock.now_ms() + hours * 3_600_000);
            assert_eq!(hands.put_back(&clock), None);
            clock.advance(Duration::from_secs(10));
            clock.set(clock.now_ms() - hours * 3_600_000);
            assert_eq!(hands.put_back(&clock), Some(hours * 3_600_000));
            assert_eq!(hands.put_back(&clock), None);
        }
        clock.set(clock.now_ms() - 20);
        assert_eq!(hands.put_back(&clock), None);
    }
}
