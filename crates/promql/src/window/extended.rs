//! `anchored` and `smoothed`: ranges that look a lookback beyond their ends, so that rates need no
//! extrapolation. Anchored, a range starts from the sample before it; smoothed, its ends are
//! interpolated between the samples around them.

use barograph_model::Columns;

use super::{Span, at, slice};
use crate::ast::Extended;
use crate::grid::{ABSENT, is_absent, seconds};
use crate::plan::RangeFn;

/// How far beyond a range is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    pub mode: Extended,
    pub lookback_ms: i64,
}

impl Reach {
    pub(crate) fn before_ms(&self) -> i64 {
        self.lookback_ms
    }

    pub(crate) fn after_ms(&self) -> i64 {
        match self.mode {
            Extended::Anchored => 0,
            Extended::Smoothed => self.lookback_ms,
        }
    }

    /// The windows with all that is looked at.
    fn widened(&self, span: &Span) -> Span {
        let mut wide = *span;
        wide.range_ms += self.before_ms() + self.after_ms();
        wide.shift.offset_ms -= self.after_ms();
        wide
    }
}

/// Replaces `out` by the function's value at each point, from samples without stale markers.
pub(crate) fn over_extended(
    func: RangeFn,
    reach: Reach,
    samples: Columns<'_>,
    span: &Span,
    out: &mut Vec<f64>,
) {
    out.clear();
    out.resize(span.grid.points, ABSENT);
    reach.widened(span).each(samples.times, |point, lo, hi| {
        let range = Range {
            times: slice(samples.times, lo, hi),
            values: slice(samples.values, lo, hi),
            start: span.end(point).saturating_sub(span.range_ms),
            end: span.end(point),
            is_smoothed: reach.mode == Extended::Smoothed,
            is_counter: matches!(func, RangeFn::Rate | RangeFn::Increase),
        };
        if let Some(out) = out.get_mut(point)
            && lo < hi
        {
            let value = match func {
                RangeFn::Changes => range.pairs(super::rate::differ),
                RangeFn::Resets => range.pairs(|last, next| next < last),
                _ => range.growth(),
            };
            *out = value.map_or(ABSENT, |value| match func {
                RangeFn::Rate => value / seconds(span.range_ms),
                _ => value,
            });
        }
    });
}

/// Replaces `out` by the value at each point, interpolated between the samples around it; the
/// last one stays where there is none after it.
pub(crate) fn smoothed(reach: Reach, samples: Columns<'_>, span: &Span, out: &mut Vec<f64>) {
    out.clear();
    out.resize(span.grid.points, ABSENT);
    let Columns { times, values, .. } = samples;
    for (point, out) in out.iter_mut().enumerate() {
        let now = span.end(point);
        let next = times.partition_point(|time| *time <= now);
        let Some(last) = next.checked_sub(1) else { continue };
        let (Some(last_ms), value) = (times.get(last), at(values, last)) else { continue };
        if *last_ms <= now.saturating_sub(reach.lookback_ms) || is_absent(value) {
            continue;
        }
        *out = match times.get(next) {
            Some(next_ms)
                if *last_ms < now
                    && *next_ms <= now.saturating_add(reach.lookback_ms)
                    && !is_absent(at(values, next)) =>
            {
                between((*last_ms, value), (*next_ms, at(values, next)), now, false)
            }
            _ => value,
        };
    }
}

/// A range with the samples around it, of which there is at least one.
struct Range<'a> {
    times: &'a [i64],
    values: &'a [f64],
    start: i64,
    end: i64,
    is_smoothed: bool,
    is_counter: bool,
}

impl Range<'_> {
    fn sample(&self, index: usize) -> (i64, f64) {
        (self.times.get(index).copied().unwrap_or_default(), at(self.values, index))
    }

    /// The last sample that is not after the start, or the first of all.
    fn first(&self) -> usize {
        let all_but_last = slice(self.times, 0, self.times.len() - 1);
        all_but_last.partition_point(|time| *time <= self.start).saturating_sub(1)
    }

    fn growth(&self) -> Option<f64> {
        let mut first = self.first();
        let mut last = self.times.len() - 1;
        if self.is_smoothed {
            last = slice(self.times, 0, last).partition_point(|time| *time < self.end);
        }
        if self.sample(last).0 <= self.start || self.is_smoothed && self.sample(first).0 > self.end
        {
            return None;
        }
        let left = match self.sample(first) {
            (time, _) if self.is_smoothed && time < self.start => {
                between(self.sample(first), self.sample(first + 1), self.start, self.is_counter)
            }
            (_, value) => value,
        };
        let right = match self.sample(last) {
            (time, _) if self.is_smoothed && last > 0 && time > self.end => {
                between(self.sample(last - 1), self.sample(last), self.end, self.is_counter)
            }
            (_, value) => value,
        };
        let growth = right - left;
        if !self.is_counter {
            return Some(growth);
        }
        // The ends have seen to resets beyond them.
        first += usize::from(self.sample(first).0 <= self.start);
        let inner = last + usize::from(self.sample(last).0 < self.end);
        let mut before = left;
        let lost = slice(self.values, first, inner).iter().chain([&right]).map(|value| {
            let lost = if *value < before { before } else { 0.0 };
            before = *value;
            lost
        });
        Some(growth + lost.sum::<f64>())
    }

    /// How many samples stand so to the one before.
    fn pairs(&self, counts: impl Fn(f64, f64) -> bool) -> Option<f64> {
        let (last_ms, _) = self.sample(self.times.len() - 1);
        if last_ms <= self.start {
            return None;
        }
        let values = slice(self.values, self.first_anchor(), self.values.len());
        let pairs = values.windows(2);
        Some(pairs.filter(|pair| matches!(pair, [a, b] if counts(*a, *b))).count() as f64)
    }

    fn first_anchor(&self) -> usize {
        self.times.partition_point(|time| *time <= self.start).saturating_sub(1)
    }
}

/// On the line between two samples; a counter that was reset between them started from zero.
fn between(left: (i64, f64), right: (i64, f64), time: i64, is_counter: bool) -> f64 {
    let from = if is_counter && right.1 < left.1 { 0.0 } else { left.1 };
    from + (right.1 - from) * (time - left.0) as f64 / (right.0 - left.0) as f64
}
