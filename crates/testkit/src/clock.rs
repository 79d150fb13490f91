//! A clock that stands still until a test turns its hands.

use std::sync::PoisonError;
use std::time::Duration;

use barograph_model::Clock;
use tracing_mutex::stdsync::Mutex;

/// Wall time and monotonic time, moved by hand.
#[derive(Debug)]
pub struct FakeClock {
    hands: Mutex<Hands>,
}

#[derive(Debug, Clone, Copy)]
struct Hands {
    now_ms: i64,
    monotonic: Duration,
}

impl FakeClock {
    /// Shows `now_ms` (milliseconds since 1970-01-01 UTC); its monotonic time starts at zero.
    pub fn new(now_ms: i64) -> Self {
        Self { hands: Mutex::new(Hands { now_ms, monotonic: Duration::ZERO }) }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.turn(|hands| {
            hands.monotonic += by;
            hands.now_ms = hands.now_ms.saturating_add(by_ms);
        });
    }

    /// Sets the wall time, as an administrator or NTP does: no time passes.
    pub fn set(&self, now_ms: i64) {
        self.turn(|hands| hands.now_ms = now_ms);
    }

    fn turn<T>(&self, with: impl FnOnce(&mut Hands) -> T) -> T {
        with(&mut self.hands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for FakeClock {
    fn now_ms(&self) -> i64 {
        self.turn(|hands| hands.now_ms)
    }

    fn monotonic(&self) -> Duration {
        self.turn(|hands| hands.monotonic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_clock_lets_no_time_pass() {
        let clock = FakeClock::new(1_000);
        clock.advance(Duration::from_millis(250));
        clock.set(10);
        assert_eq!((clock.now_ms(), clock.monotonic()), (10, Duration::from_millis(250)));
    }
}
