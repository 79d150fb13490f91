//! The time, as a parameter.

use std::fmt::Debug;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time. Whoever needs it takes one of these, so that a test can turn the hands.
pub trait Clock: Debug + Send + Sync {
    /// Milliseconds since 1970-01-01 UTC. May jump, in both directions.
    fn now_ms(&self) -> i64;

    /// Time since some fixed moment. Never goes back; stands still or not while the machine sleeps.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_millis()).map_or(i64::MIN, i64::wrapping_neg)
            }
        }
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
