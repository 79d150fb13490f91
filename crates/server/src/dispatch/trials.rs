//! Tests of channels that people ask for. They wait behind nothing, so there are only so many: a page
//! that was left open, or somebody who means ill, makes no phone ring all night, and takes no tests
//! away from others.

use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use tracing_mutex::stdsync::Mutex;

const MINUTE_MS: i64 = 60_000;
const OF_ONE_CHANNEL: usize = 5;
const FROM_ONE_ADDRESS: usize = 10;
const IN_ALL: usize = 20;

/// Remembers the tests of the last minute, the oldest first; there are at most [`IN_ALL`].
#[derive(Debug, Default)]
pub(crate) struct Trials {
    lately: Mutex<Vec<Trial>>,
}

#[derive(Debug)]
struct Trial {
    at_ms: i64,
    channel: String,
    by: IpAddr,
}

impl Trials {
    /// Counts a test of a channel that is there, asked for from an address.
    ///
    /// # Errors
    /// There were too many; the time until the next.
    pub(crate) fn begin(&self, channel: &str, by: IpAddr, now_ms: i64) -> Result<(), Duration> {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        // Times after now are of a clock that was set back.
        lately.retain(|it| it.at_ms <= now_ms && now_ms - it.at_ms < MINUTE_MS);
        may_one_more(&lately, OF_ONE_CHANNEL, now_ms, |it| it.channel == channel)?;
        may_one_more(&lately, FROM_ONE_ADDRESS, now_ms, |it| it.by == by)?;
        may_one_more(&lately, IN_ALL, now_ms, |_| true)?;
        lately.push(Trial { at_ms: now_ms, channel: channel.to_owned(), by });
        Ok(())
    }
}

fn may_one_more(
    lately: &[Trial],
    most: usize,
    now_ms: i64,
    counts: impl Fn(&Trial) -> bool,
) -> Result<(), Duration> {
    // When it is over, there is room.
    let Some(first) = lately.iter().rev().filter(|it| counts(it)).nth(most - 1) else {
        return Ok(());
    };
    let wait_ms = first.at_ms.saturating_add(MINUTE_MS).saturating_sub(now_ms);
    Err(Duration::from_millis(wait_ms.max(1000).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_so_many_a_minute_for_each_channel_each_address_and_in_all() {
        let trials = Trials::default();
        let [here, there] = ["127.0.0.1", "192.0.2.7"].map(|it| it.parse::<IpAddr>().unwrap());
        for at_ms in 0..5 {
            assert_eq!(trials.begin("a", here, at_ms), Ok(()));
        }
        assert_eq!(trials.begin("a", there, 10_000), Err(Duration::from_secs(50)));
        for number in 0..5 {
            assert_eq!(trials.begin(&format!("b{number}"), here, 10_000), Ok(()));
        }
        assert_eq!(trials.begin("c", here, 20_000), Err(Duration::from_secs(40)));
        for number in 0..10 {
            assert_eq!(trials.begin(&format!("c{number}"), there, 20_000), Ok(()));
        }
        let other = "192.0.2.8".parse().unwrap();
        assert_eq!(trials.begin("d", other, 30_000), Err(Duration::from_secs(30)));
        assert_eq!(trials.begin("a", here, 60_000), Ok(()));
        // The clock was set back.
        assert_eq!(trials.begin("a", here, 5000), Ok(()));
    }
}
