//! Functions of windows that overlap much, without looking at each sample once for each window.

use std::collections::VecDeque;

use super::scan::{beyond, mean, not_a_number_first, rank};
use super::{Bounds, at, slice};
use crate::kahan::Kahan;
use crate::plan::RangeFn;

/// `sum_over_time` and `avg_over_time`. A window is the end of one run and the start of the next;
/// the sums of all ends of the first and of the growing start of the second are known, so that
/// nothing is ever subtracted and no rounding error piles up.
pub(super) fn sums(func: RangeFn, values: &[f64], bounds: &Bounds, out: &mut [f64]) {
    // ends[i] is the sum of values[base + i..split].
    let mut ends: Vec<Kahan> = Vec::new();
    let (mut base, mut split, mut added) = (0, 0, 0);
    let mut start = Kahan::default();
    bounds.each(|point, lo, hi| {
        if lo >= hi {
            return;
        }
        if lo >= split {
            split = hi;
            base = lo;
            added = hi;
            start = Kahan::default();
            ends.clear();
            let mut sum = Kahan::default();
            ends.extend(slice(values, lo, hi).iter().rev().map(|value| {
                sum.add(*value);
                sum
            }));
            ends.reverse();
        }
        for value in slice(values, added, hi) {
            start.add(*value);
        }
        added = added.max(hi);
        let mut total = ends.get(lo - base).copied().unwrap_or_default();
        total.merge(start);
        if let Some(out) = out.get_mut(point) {
            *out = match func {
                RangeFn::Sum => total.total(),
                // The sum has left the numbers; the mean may not have.
                _ if !total.is_finite() => mean(slice(values, lo, hi)),
                _ => total.total() / (hi - lo) as f64,
            };
        }
    });
}

/// `min_over_time` and `max_over_time`: of the samples in the window only those are kept that no
/// later one beats.
pub(super) fn extremes(func: RangeFn, values: &[f64], bounds: &Bounds, out: &mut [f64]) {
    let beats = |new: f64, old: f64| match func {
        RangeFn::Min => new <= old,
        _ => new >= old,
    };
    let mut kept: VecDeque<usize> = VecDeque::new();
    let mut added = 0;
    bounds.each(|point, lo, hi| {
        for index in added.max(lo)..hi {
            let value = at(values, index);
            if value.is_nan() {
                continue;
            }
            while kept.back().is_some_and(|old| beats(value, at(values, *old))) {
                kept.pop_back();
            }
            kept.push_back(index);
        }
        added = added.max(hi);
        while kept.front().is_some_and(|index| *index < lo) {
            kept.pop_front();
        }
        if lo < hi
            && let Some(out) = out.get_mut(point)
        {
            *out = kept.front().map_or(f64::NAN, |index| at(values, *index));
        }
    });
}

/// `quantile_over_time`: the window's values are kept sorted.
pub(super) fn quantiles(q: &[f64], values: &[f64], bounds: &Bounds, out: &mut [f64]) {
    let mut sorted: Vec<f64> = Vec::new();
    let (mut from, mut to) = (0, 0);
    bounds.each(|point, lo, hi| {
        if lo >= to {
            sorted.clear();
            sorted.extend_from_slice(slice(values, lo, hi));
            sorted.sort_unstable_by(not_a_number_first);
        } else {
            for old in slice(values, from, lo) {
                let place = sorted.partition_point(|v| not_a_number_first(v, old).is_lt());
                sorted.remove(place);
            }
            for new in slice(values, to, hi) {
                let place = sorted.partition_point(|v| not_a_number_first(v, new).is_lt());
                sorted.insert(place, *new);
            }
        }
        (from, to) = (lo, hi);
        if lo < hi
            && let (Some(out), Some(q)) = (out.get_mut(point), q.get(point))
        {
            *out = beyond(*q).unwrap_or_else(|| {
                let (lower, weight) = rank(*q, sorted.len());
                let low = at(&sorted, lower);
                let high = sorted.get(lower + 1).copied().unwrap_or(low);
                low * (1.0 - weight) + high * weight
            });
        }
    });
}
