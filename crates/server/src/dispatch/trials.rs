//! Tests of channels that people ask for. They wait behind nothing, so there are only so many: a page
//! that was left open, or somebody who means ill, makes no phone ring all night.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use barograph_notify::{Event, Limiter, Limits, Severity, Waiting};

const MINUTE: Duration = Duration::from_secs(60);
const OF_ONE_CHANNEL: u32 = 5;
const OF_ALL_CHANNELS: u32 = 20;

/// Remembers the tests of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Trials {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    of_all: Limiter,
    of_one: BTreeMap<String, Limiter>,
}

impl Trials {
    /// Counts a test of a channel that is there.
    ///
    /// # Errors
    /// There were too many; the time until the next.
    pub(crate) fn begin(&self, channel: &str, now_ms: i64) -> Result<(), Duration> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { of_all, of_one } = &mut *known;
        let of_this = of_one.entry(channel.to_owned()).or_default();
        take(of_this, OF_ONE_CHANNEL, now_ms)?;
        take(of_all, OF_ALL_CHANNELS, now_ms)
    }
}

fn take(limiter: &mut Limiter, most: u32, now_ms: i64) -> Result<(), Duration> {
    const TEST: Waiting = Waiting { event: Event::Test, severity: Severity::Info, since_ms: 0 };
    let limits =
        Limits { rate: Some((most, MINUTE)), digest: None, digest_below: Severity::Critical };
    let plan = limiter.plan(&limits, now_ms, &[TEST]);
    if !plan.messages.is_empty() {
        return Ok(());
    }
    let again_ms = plan.again_ms.unwrap_or(now_ms).saturating_sub(now_ms);
    Err(Duration::from_millis(u64::try_from(again_ms).unwrap_or(0)).max(Duration::from_secs(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_so_many_a_minute_for_each_channel_and_in_all() {
        let trials = Trials::default();
        for at_ms in 0..5 {
            assert_eq!(trials.begin("a", at_ms), Ok(()));
        }
        assert_eq!(trials.begin("a", 10_000), Err(Duration::from_secs(50)));
        assert_eq!(trials.begin("b", 10_000), Ok(()));
        assert_eq!(trials.begin("a", 60_000), Ok(()));
        for number in 0..18 {
            assert_eq!(trials.begin(&format!("c{number}"), 61_000), Ok(()));
        }
        assert!(trials.begin("d", 61_000).is_err());
    }
}
