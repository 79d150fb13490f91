//! What bringing samples over a grid takes, to within a factor of two: enough to tell whether a
//! second thread pays.

use super::Span;
use crate::plan::RangeFn;

/// Nanoseconds for each point in any case: finding its window, and what the series is added to.
const POINT: usize = 7;
/// Samples of which only those at the ends of windows are looked at.
const PASSED_OVER_PER_NANOSECOND: usize = 4;

/// Nanoseconds for the newest of so many samples at each point.
pub(crate) fn of_newest(samples: usize, points: usize) -> usize {
    (samples / PASSED_OVER_PER_NANOSECOND).saturating_add(points.saturating_mul(POINT))
}

/// Nanoseconds for a function over the windows of so many samples.
///
/// It does not depend on what is kept where: threads add in another order than one does, and the
/// same question has the same answer.
pub(crate) fn of_function(func: RangeFn, samples: usize, span: &Span) -> usize {
    if func.looks_at_ends() {
        return of_newest(samples, span.grid.points);
    }
    let slides = span.overlaps(samples);
    let (seen, each) = match func {
        RangeFn::Sum | RangeFn::Avg | RangeFn::Min | RangeFn::Max if slides => (samples, 4),
        RangeFn::Quantile if slides => (samples, 50),
        RangeFn::Changes | RangeFn::Resets => (samples, 2),
        RangeFn::Sum | RangeFn::Avg | RangeFn::Min | RangeFn::Max => (visits(samples, span), 2),
        RangeFn::Quantile => (visits(samples, span), 3),
        _ => (visits(samples, span), 10),
    };
    seen.saturating_mul(each).saturating_add(span.grid.points.saturating_mul(POINT))
}

/// How often a sample is looked at where each window is looked through by itself.
fn visits(samples: usize, span: &Span) -> usize {
    let grid = &span.grid;
    if span.shift.at_ms.is_some() {
        return samples.saturating_mul(grid.points);
    }
    let all_ms = span.range_ms.saturating_add(grid.end_ms().saturating_sub(grid.start_ms));
    let part = span.range_ms as f64 / all_ms.max(1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
    let visits = (samples as f64 * part * grid.points as f64) as usize;
    visits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Grid;
    use crate::plan::Shift;

    fn span(points: usize, step_ms: i64, range_ms: i64) -> Span {
        let shift = Shift { at_ms: None, offset_ms: 0 };
        Span { grid: Grid { start_ms: 0, step_ms, points }, range_ms, shift }
    }

    #[test]
    fn windows_that_overlap_count_each_time_unless_the_function_slides() {
        let one = of_function(RangeFn::Stddev, 3600, &span(1, 0, 3_600_000));
        assert!((36_000..37_000).contains(&one), "{one}");
        let many = of_function(RangeFn::Stddev, 7200, &span(241, 15_000, 3_600_000));
        assert!(many > 200 * one, "{many}");
        let sums = of_function(RangeFn::Avg, 7200, &span(241, 15_000, 3_600_000));
        assert!(sums < one, "{sums}");
    }

    #[test]
    fn windows_far_apart_leave_samples_out() {
        let few = of_function(RangeFn::Stddev, 10_000, &span(10, 1_000_000, 10_000));
        assert!(few < 2000, "{few}");
    }
}
