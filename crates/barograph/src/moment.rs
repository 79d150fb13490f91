//! Moments on the command line.

use barograph_model::{Clock as _, SystemClock};
use jiff::Timestamp;

use crate::config::parse_duration;

/// Milliseconds since 1970: from a number of them, from ISO 8601 with a zone, or from how long
/// ago it was.
pub(crate) fn moment(text: &str) -> Result<i64, String> {
    moment_before(text, SystemClock::new().now_ms())
}

fn moment_before(text: &str, now_ms: i64) -> Result<i64, String> {
    if let Ok(time_ms) = text.parse() {
        return Ok(time_ms);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let ago = parse_duration(text).ok().and_then(|ago| i64::try_from(ago.as_millis()).ok());
    ago.map(|ago_ms| now_ms.saturating_sub(ago_ms)).ok_or_else(|| {
        "must be a time with its zone, such as `2026-11-22T03:12:00Z`, milliseconds since 1970, \
         or how long ago, such as `10m`"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_given_in_three_ways() {
        let now_ms = 1_763_812_800_000;
        assert_eq!(moment_before("1763812740000", now_ms), Ok(now_ms - 60_000));
        assert_eq!(moment_before("2025-11-22T12:59:00+01:00", now_ms), Ok(now_ms - 60_000));
        assert_eq!(moment_before("1m", now_ms), Ok(now_ms - 60_000));
        assert_eq!(moment_before("30d", now_ms), Ok(now_ms - 30 * 86_400_000));
        assert!(moment_before("03:12", now_ms).unwrap_err().contains("with its zone"));
    }
}
