//! Functions of how a series grows.

use barograph_model::Columns;

use super::{Bounds, Span, at, slice};
use crate::grid::seconds;
use crate::plan::RangeFn;

/// What the times of a window's samples, in seconds, say about its rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    /// From the first sample to the last.
    sampled: f64,
    /// How far is extrapolated, as long as that leads no counter below zero.
    to_start: f64,
    to_end: f64,
    /// What the window's growth is multiplied by then.
    factor: f64,
    /// For the rate per second.
    per: f64,
}

impl Edge {
    /// `rate`, `increase` and `delta` as Prometheus extrapolates them: to the window's edge where
    /// that is less than 1.1 of the samples' distance away, else by half the distance.
    pub(super) fn between(
        func: RangeFn,
        (first_ms, last_ms): (i64, i64),
        samples: f64,
        span: &Span,
        point: usize,
    ) -> Self {
        let (start, end) = span.window(point);
        let sampled = seconds(last_ms - first_ms);
        let distance = sampled / (samples - 1.0);
        let threshold = distance * 1.1;
        let to_edge = |left: i64| match seconds(left) {
            left if left >= threshold => distance / 2.0,
            left => left,
        };
        let (to_start, to_end) = (to_edge(first_ms - start), to_edge(end - last_ms));
        let per = if func == RangeFn::Rate { seconds(span.range_ms) } else { 1.0 };
        let mut edge = Self { sampled, to_start, to_end, factor: 0.0, per };
        edge.factor = edge.factor(to_start);
        edge
    }

    /// Of a window with these samples; of no use when there are less than two.
    pub(super) fn of(func: RangeFn, times: &[i64], span: &Span, point: usize) -> Self {
        let ends = times.first().copied().zip(times.last().copied()).unwrap_or_default();
        Self::between(func, ends, times.len() as f64, span, point)
    }

    fn factor(&self, to_start: f64) -> f64 {
        (self.sampled + to_start + self.to_end) / self.sampled / self.per
    }

    /// A counter that grew by so much, extrapolated, never below zero.
    pub(super) fn of_counter(&self, first: f64, growth: f64) -> f64 {
        // It was above zero before it began to grow so, or it would have had to start before the
        // window: spares most of the divisions.
        let starts_at_zero = growth > 0.0 && first >= 0.0 && {
            (first < growth || self.to_start > self.sampled)
                && self.sampled * (first / growth) < self.to_start
        };
        if starts_at_zero {
            return growth * self.factor(self.sampled * (first / growth));
        }
        growth * self.factor
    }

    pub(super) fn of_gauge(&self, growth: f64) -> f64 {
        growth * self.factor
    }
}

pub(super) fn is_extrapolated(func: RangeFn) -> bool {
    matches!(func, RangeFn::Rate | RangeFn::Increase | RangeFn::Delta)
}

/// `rate`, `increase`, `delta`
pub(super) fn extrapolated(func: RangeFn, samples: Columns<'_>, bounds: &Bounds, out: &mut [f64]) {
    let Columns { values, may_fall, .. } = samples;
    let is_counter = func != RangeFn::Delta;
    let lost = if is_counter && may_fall { Lost::between(values) } else { Lost::default() };
    let mut near = 0;
    for (out, ((lo, hi), edge)) in out.iter_mut().zip(bounds.with_edges()) {
        if hi - lo < 2 {
            continue;
        }
        let first = at(values, lo);
        let growth = at(values, hi - 1) - first;
        *out = if is_counter {
            edge.of_counter(first, lost.added_to(growth, lo, hi, &mut near))
        } else {
            edge.of_gauge(growth)
        };
    }
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
        // Most counters are never reset: so many pairs at once are soon looked through.
        const MANY: usize = 64;
        let falls = |(last, next): (&f64, &f64)| next < last;
        let pairs = (values, slice(values, 1, values.len()));
        let with_any = pairs.0.chunks(MANY).zip(pairs.1.chunks(MANY)).enumerate().filter(
            |(_, (last, next))| last.iter().zip(*next).fold(false, |any, pair| any | falls(pair)),
        );
        Self::at(with_any.flat_map(|(chunk, (last, next))| {
            let pairs = last.iter().zip(next).enumerate().filter(move |(_, pair)| falls(*pair));
            pairs.map(move |(index, (last, _))| (chunk * MANY + index + 1, *last))
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
pub(super) fn last_two(func: RangeFn, samples: Columns<'_>, bounds: &Bounds, out: &mut [f64]) {
    let Columns { times, values, .. } = samples;
    bounds.each(|point, lo, hi| {
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
    values: &[f64],
    bounds: &Bounds,
    out: &mut [f64],
    counts: impl Fn(f64, f64) -> bool,
) {
    let mut sum = 0_u32;
    let sums: Vec<u32> = std::iter::once(0)
        .chain(values.windows(2).map(|pair| {
            sum += u32::from(matches!(*pair, [last, next] if counts(last, next)));
            sum
        }))
        .collect();
    bounds.each(|point, lo, hi| {
        if lo < hi
            && let (Some(out), Some(from), Some(to)) =
                (out.get_mut(point), sums.get(lo), sums.get(hi - 1))
        {
            *out = f64::from(to - from);
        }
    });
}
