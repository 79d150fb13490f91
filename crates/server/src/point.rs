//! A moment's value, and what follows from two of them.

/// The value of a series at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) time_ms: i64,
    pub(crate) value: f64,
}

impl Point {
    /// Neighbours further apart give no rate: what happened between is not known well enough to
    /// be put on one moment.
    pub(crate) const MAX_RATE_GAP_MS: i64 = 5 * 60 * 1000;

    /// Per-second increase of a counter since an earlier point. A counter that fell has started
    /// again at zero, as in Prometheus.
    pub(crate) fn rate_since(self, before: Self) -> Option<f64> {
        let elapsed_ms = self.time_ms - before.time_ms;
        if elapsed_ms <= 0 || elapsed_ms > Self::MAX_RATE_GAP_MS {
            return None;
        }
        let increase =
            if self.value < before.value { self.value } else { self.value - before.value };
        Some(increase * 1000.0 / elapsed_ms as f64).filter(|rate| rate.is_finite())
    }
}

/// How long a series' last value still stands, given the time between its samples: until a sample
/// is missing for certain. So a source that is read every ten seconds has no holes at one.
pub(crate) fn holds_for_ms(spacing_ms: i64) -> i64 {
    spacing_ms.saturating_mul(3) / 2
}

/// Six significant digits: what a page can show, at half the size on the wire.
pub(crate) fn six_digits(value: f64) -> Option<f64> {
    /// Beyond it, powers of ten are not exact enough, and nothing that a host counts is.
    const MAX_EXPONENT: i32 = 200;
    if !value.is_finite() {
        return None;
    }
    if value == 0.0 {
        return Some(0.0);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of an f64 fits")]
    let digits_before = value.abs().log10().floor() as i32;
    if digits_before.abs() > MAX_EXPONENT {
        return Some(value);
    }
    let shift = 10_f64.powi(5 - digits_before);
    Some((value * shift).round() / shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time_ms: i64, value: f64) -> Point {
        Point { time_ms, value }
    }

    #[test]
    fn rates_are_per_second() {
        assert_eq!(at(2000, 30.0).rate_since(at(0, 10.0)), Some(10.0));
    }

    #[test]
    fn fallen_counter_started_at_zero() {
        assert_eq!(at(1000, 4.0).rate_since(at(0, 1e6)), Some(4.0));
    }

    #[test]
    fn no_rate_over_a_long_gap_or_backwards() {
        assert_eq!(at(Point::MAX_RATE_GAP_MS + 1, 2.0).rate_since(at(0, 1.0)), None);
        assert_eq!(at(0, 2.0).rate_since(at(0, 1.0)), None);
        assert_eq!(at(0, 2.0).rate_since(at(1000, 1.0)), None);
    }

    #[test]
    fn six_digits_are_kept_at_every_size() {
        assert_eq!(six_digits(12.345_678_9), Some(12.3457));
        assert_eq!(six_digits(-1_234_567.0), Some(-1_234_570.0));
        assert_eq!(six_digits(0.000_123_456_78), Some(0.000_123_457));
        assert_eq!(six_digits(0.0), Some(0.0));
        assert_eq!(six_digits(5e-324), Some(5e-324));
        assert_eq!(six_digits(f64::MAX), Some(f64::MAX));
        assert_eq!(six_digits(f64::NAN), None);
        assert_eq!(six_digits(f64::INFINITY), None);
    }
}
