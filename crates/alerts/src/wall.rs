//! When the clock on the wall shows a time, in zones that skip times and show some twice.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Which one of a time that comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hour {
    First,
    Second,
}

/// Milliseconds since 1970 UTC. A time that is skipped is the moment of the change.
pub(crate) fn moment(zone: &TimeZone, at: DateTime, hour: Hour) -> Option<i64> {
    let local = zone.to_ambiguous_timestamp(at);
    let instant = match (local.offset(), hour) {
        (AmbiguousOffset::Unambiguous { .. }, _) => local.compatible(),
        (AmbiguousOffset::Gap { .. }, _) => {
            let after = local.later().ok()?;
            let transition = zone.preceding(after).next()?;
            return Some(transition.timestamp().as_millisecond());
        }
        (AmbiguousOffset::Fold { .. }, Hour::First) => local.earlier(),
        (AmbiguousOffset::Fold { .. }, Hour::Second) => local.later(),
    };
    instant.ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, at: &str, first: &str, second: &str) {
        let zone = TimeZone::get(zone).unwrap();
        let told = |hour| {
            let ms = moment(&zone, at.parse().unwrap(), hour).unwrap();
            Timestamp::from_millisecond(ms).unwrap().to_string()
        };
        assert_eq!((told(Hour::First), told(Hour::Second)), (first.to_owned(), second.to_owned()));
    }

    #[test]
    fn times_that_come_twice_or_never_are_known() {
        let once = |zone, at, moment| check(zone, at, moment, moment);
        once("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59:00Z");
        once("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00:00Z");
        once("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00Z");
        check("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
        // Half an hour.
        once("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z");
        check(
            "Australia/Lord_Howe",
            "2026-04-05T01:45",
            "2026-04-04T14:45:00Z",
            "2026-04-04T15:15:00Z",
        );
        // It gave up its summer time, and so an hour came twice for the last time.
        check("Europe/Moscow", "2014-10-26T01:30", "2014-10-25T21:30:00Z", "2014-10-25T22:30:00Z");
        once("Europe/Moscow", "2015-10-25T01:30", "2015-10-24T22:30:00Z");
        // It went over the date line: a whole day is missing.
        once("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z");
    }
}
