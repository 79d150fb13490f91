//! Functions of windows that the source has summed up already.

use barograph_model::Buckets;

use super::rate::{Edge, Lost};
use super::{Span, at, slice};
use crate::grid::ABSENT;
use crate::kahan::Kahan;
use crate::plan::RangeFn;

/// Whether a function can be computed from buckets as exactly as from samples.
pub(crate) fn has_buckets(func: RangeFn) -> bool {
    matches!(
        func,
        RangeFn::Avg
            | RangeFn::Count
            | RangeFn::Delta
            | RangeFn::First
            | RangeFn::Increase
            | RangeFn::Last
            | RangeFn::Max
            | RangeFn::Min
            | RangeFn::Present
            | RangeFn::Rate
            | RangeFn::Sum
    )
}

/// Replaces `out` by the function's value at each point. Not a function without
/// [`has_buckets`].
pub(crate) fn over_buckets(func: RangeFn, buckets: &Buckets, span: &Span, out: &mut Vec<f64>) {
    out.clear();
    out.resize(span.grid.points, ABSENT);
    let sums: Vec<u64> = std::iter::once(0)
        .chain(buckets.count.iter().scan(0_u64, |sum, count| {
            *sum += count;
            Some(*sum)
        }))
        .collect();
    let lost = match func {
        RangeFn::Rate | RangeFn::Increase => lost(buckets),
        _ => Lost::default(),
    };
    let mut near = 0;
    // A bucket is in a window as a whole or not at all, so its last sample decides.
    span.each(&buckets.last_times, |point, lo, hi| {
        if lo >= hi {
            return;
        }
        let count = sums.get(hi).zip(sums.get(lo)).map_or(0, |(to, from)| to - from) as f64;
        let value = match func {
            RangeFn::Count => count,
            RangeFn::Present => 1.0,
            RangeFn::First => at(&buckets.first, lo),
            RangeFn::Last => at(&buckets.last, hi - 1),
            RangeFn::Min => slice(&buckets.min, lo, hi).iter().copied().fold(f64::NAN, f64::min),
            RangeFn::Max => slice(&buckets.max, lo, hi).iter().copied().fold(f64::NAN, f64::max),
            RangeFn::Sum => Kahan::of(slice(&buckets.sum, lo, hi)).total(),
            RangeFn::Avg => Kahan::of(slice(&buckets.sum, lo, hi)).total() / count,
            _ if count < 2.0 => ABSENT,
            _ => {
                let first = at(&buckets.first, lo);
                let difference = at(&buckets.last, hi - 1) - first;
                // What was lost within the window's first bucket stands at 2 * lo + 1.
                let growth = lost.added_to(difference, 2 * lo, 2 * hi, &mut near);
                let ends = (buckets.first_times.get(lo), buckets.last_times.get(hi - 1));
                let ends = ends.0.copied().zip(ends.1.copied()).unwrap_or_default();
                let edge = Edge::between(func, ends, count, span, point);
                match func {
                    RangeFn::Delta => edge.of_gauge(growth),
                    _ => edge.of_counter(first, growth),
                }
            }
        };
        if let Some(out) = out.get_mut(point) {
            *out = value;
        }
    });
}

/// What was lost from bucket to bucket (at even places) and within each (at odd ones).
fn lost(buckets: &Buckets) -> Lost {
    Lost::at((0..buckets.count.len()).flat_map(|index| {
        let before = index.checked_sub(1).map(|before| at(&buckets.last, before));
        let between = before.filter(|before| at(&buckets.first, index) < *before);
        let within = Some(at(&buckets.lost, index)).filter(|lost| *lost != 0.0);
        [between.map(|lost| (2 * index, lost)), within.map(|lost| (2 * index + 1, lost))]
            .into_iter()
            .flatten()
    }))
}
