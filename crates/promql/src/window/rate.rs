//! Functions of how a series grows.

use barograph_model::Samples;

use super::{Span, at, slice};
use crate::grid::seconds;
use crate::plan::RangeFn;

/// What a window is known to hold for [`extrapolate`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub first_ms: i64,
    pub last_ms: i64,
    pub first: f64,
    /// The sum of all steps from sample to sample; of a counter those upwards.
    pub growth: f64,
    pub samples: f64,
}

/// `rate`, `increase` and `delta` as Prometheus extrapolates them: to the window's edge where that
/// is less than 1.1 of the samples' distance away, else by half the distance; a counter never
/// below zero.
pub(super) fn extrapolate(func: RangeFn, ends: &Ends, span: &Span, point: usize) -> f64 {
    let end = span.end(point);
    let start = end.saturating_sub(span.range_ms);
    let sampled = seconds(ends.last_ms - ends.first_ms);
    let distance = sampled / (ends.samples - 1.0);
    let threshold = distance * 1.1;
    let mut to_start = seconds(ends.first_ms - start);
    if to_start >= threshold {
        to_start = distance / 2.0;
    }
    if func != RangeFn::Delta && ends.growth > 0.0 && ends.first >= 0.0 {
        to_start = to_start.min(sampled * (ends.first / ends.growth));
    }
    let mut to_end = seconds(end - ends.last_ms);
    if to_end >= threshold {
        to_end = distance / 2.0;
    }
    let mut factor = (sampled + to_start + to_end) / sampled;
    if func == RangeFn::Rate {
        factor /= seconds(span.range_ms);
    }
    ends.growth * factor
}

/// `rate`, `increase`, `delta`
pub(super) fn extrapolated(func: RangeFn, samples: &Samples, span: &Span, out: &mut [f64]) {
    let Samples { times, values } = samples;
    let lost = match func {
        RangeFn::Delta => Lost::default(),
        _ => Lost::between(values),
    };
    let mut near = 0;
    span.each(times, |point, lo, hi| {
        if hi - lo < 2 {
            return;
        }
        let (Some(first_ms), Some(last_ms)) = (times.get(lo), times.get(hi - 1)) else { return };
        let first = at(values, lo);
        let growth = lost.added_to(at(values, hi - 1) - first, lo, hi, &mut near);
        let samples = (hi - lo) as f64;
        let ends = Ends { first_ms: *first_ms, last_ms: *last_ms, first, growth, samples };
        if let Some(out) = out.get_mut(point) {
            *out = extrapolate(func, &ends, span, point);
        }
    });
}

/// What a counter's resets took away.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// Where a reset was, and what the counter had been.
    resets: Vec<(usize, f64)>,
    /// Sums of all before each of the resets.
    sums: Vec<f64>,
}

impl Lost {
    pub(super) fn between(values: &[f64]) -> Self {
        Self::at(values.windows(2).enumerate().filter_map(|(index, pair)| match *pair {
            [last, next] if next < last => Some((index + 1, last)),
            _ => None,
        }))
    }

    /// Each where it takes effect: within a window that also holds the entry before.
    pub(super) fn at(resets: impl Iterator<Item = (usize, f64)>) -> Self {
        let resets: Vec<(usize, f64)> = resets.collect();
        let mut sum = 0.0;
        let sums = std::iter::once(0.0)
            .chain(resets.iter().map(|(_, lost)| {
                sum += lost;
                sum
            }))
            .collect();
        Self { resets, sums }
    }

    /// Adds what was lost after the entry `lo` and before `hi`. `near` remembers where to look, as
    /// windows only move forward.
    pub(super) fn added_to(&self, growth: f64, lo: usize, hi: usize, near: &mut usize) -> f64 {
        const FEW: usize = 64;
        while self.resets.get(*near).is_some_and(|(index, _)| *index <= lo) {
            *near += 1;
        }
        let rest = self.resets.get(*near..).unwrap_or_default();
        if rest.first().is_none_or(|(index, _)| *index >= hi) {
            return growth;
        }
        let within = rest.partition_point(|(index, _)| *index < hi);
        let (from, to) = (at(&self.sums, *near), at(&self.sums, *near + within));
        if within <= FEW || !to.is_finite() {
            return slice(rest, 0, within).iter().fold(growth, |sum, (_, lost)| sum + lost);
        }
        growth + (to - from)
    }
}

/// `irate` and `idelta`
pub(super) fn last_two(func: RangeFn, samples: &Samples, span: &Span, out: &mut [f64]) {
    let Samples { times, values } = samples;
    span.each(times, |point, lo, hi| {
        if hi - lo < 2 {
            return;
        }
        let (Some(before_ms), Some(last_ms)) = (times.get(hi - 2), times.get(hi - 1)) else {
            return;
        };
        let (before, last) = (at(values, hi - 2), at(values, hi - 1));
        let growth = if func == RangeFn::Irate && last < before { last } else { last - before };
        if let Some(out) = out.get_mut(point) {
            *out = match func {
                RangeFn::Irate => growth / seconds(last_ms - before_ms),
                _ => growth,
            };
        }
    });
}

/// Two not-a-numbers do not differ.
#[expect(clippy::float_cmp, reason = "any change is a change")]
pub(super) fn differ(last: f64, next: f64) -> bool {
    next != last && !(next.is_nan() && last.is_nan())
}

/// How many samples in each window stand so to the one before, which is in the window, too.
pub(super) fn count_pairs(
    samples: &Samples,
    span: &Span,
    out: &mut [f64],
    counts: impl Fn(f64, f64) -> bool,
) {
    let Samples { times, values } = samples;
    let mut sum = 0_u32;
    let sums: Vec<u32> = std::iter::once(0)
        .chain(values.windows(2).map(|pair| {
            sum += u32::from(matches!(*pair, [last, next] if counts(last, next)));
            sum
        }))
        .collect();
    span.each(times, |point, lo, hi| {
        if lo < hi
            && let (Some(out), Some(from), Some(to)) =
                (out.get_mut(point), sums.get(lo), sums.get(hi - 1))
        {
            *out = f64::from(to - from);
        }
    });
}
