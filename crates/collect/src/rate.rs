//! A limit on how many in a second.

use std::time::Duration;

/// A bucket of tokens, one for each thing that is let through.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Option<Duration>,
}

impl Rate {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let burst = f64::from(burst);
        Self { per_second: per_second.into(), burst, tokens: burst, at: None }
    }

    /// Whether one more is let through now; `now` is monotonic.
    pub(crate) fn allows(&mut self, now: Duration) -> bool {
        let since = self.at.replace(now).map_or(Duration::ZERO, |at| now.saturating_sub(at));
        self.tokens = (self.tokens + since.as_secs_f64() * self.per_second).min(self.burst);
        let allows = self.tokens >= 1.0;
        if allows {
            self.tokens -= 1.0;
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_so_many_a_second() {
        let mut rate = Rate::new(2, 3);
        let mut let_through =
            |ms: u64| (0..10).filter(|_| rate.allows(Duration::from_millis(ms))).count();
        assert_eq!([let_through(0), let_through(1000), let_through(1400)], [3, 2, 0]);
        assert_eq!([let_through(1500), let_through(60_000)], [1, 3]);
    }
}
