//! Times as the interfaces write and read them.

use jiff::Timestamp;

/// ISO 8601 in UTC, with milliseconds: `2026-11-22T12:00:00.000Z`.
pub(crate) fn iso(time_ms: i64) -> String {
    match Timestamp::from_millisecond(time_ms) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        // Outside the years -9999 to 9999 there is no such text.
        Err(_) => time_ms.to_string(),
    }
}

/// Milliseconds since 1970 from a number of them, or from ISO 8601 with a zone.
pub(crate) fn parse(text: &str) -> Option<i64> {
    text.parse::<i64>()
        .ok()
        .or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_milliseconds_and_zone() {
        assert_eq!(iso(1_763_812_800_000), "2025-11-22T12:00:00.000Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(parse("1763812800000"), Some(1_763_812_800_000));
        assert_eq!(parse("2025-11-22T13:00:00+01:00"), Some(1_763_812_800_000));
        assert_eq!(parse("yesterday"), None);
    }
}
