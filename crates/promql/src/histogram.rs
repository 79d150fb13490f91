//! Classic histograms: series with an upper bound each in the label `le`.

use std::collections::HashMap;

use barograph_model::Labels;

use crate::EvalError;
use crate::frame::{Frame, Line, without};
use crate::grid::{ABSENT, is_absent};
use crate::notes::Notes;
use crate::window::quantile;

/// The label with the upper bound.
const BOUND: &str = "le";

/// The number of observations up to a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub bound: f64,
    pub count: f64,
}

/// The series that make one histogram.
#[derive(Debug)]
pub(crate) struct Histogram<'f> {
    pub labels: Labels,
    /// By bound.
    lines: Vec<(f64, &'f Line)>,
}

/// What had to be repaired in a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Decrease {
    pub min_bound: f64,
    pub max_bound: f64,
    pub max_diff: f64,
}

/// Puts the series of a vector together to histograms. Says which have no usable bound; `part` is
/// the vector's.
pub(crate) fn histograms<'f>(
    frame: &'f Frame,
    part: usize,
    notes: &Notes,
) -> Result<Vec<Histogram<'f>>, EvalError> {
    let mut found: Vec<Histogram<'f>> = Vec::new();
    let mut at: HashMap<Labels, usize> = HashMap::new();
    for line in &frame.lines {
        let text = line.labels.get(BOUND).unwrap_or_default();
        let Ok(bound) = text.parse::<f64>() else {
            if line.values.iter().any(|value| !is_absent(*value)) {
                notes.warn(part, bad_bound(line.labels.name(), text));
            }
            continue;
        };
        let labels = without(&line.labels, &[BOUND])?;
        let next = found.len();
        let index = *at.entry(labels.clone()).or_insert(next);
        if index == next {
            found.push(Histogram { labels, lines: Vec::new() });
        }
        found[index].lines.push((bound, line));
    }
    for histogram in &mut found {
        histogram.lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(found)
}

fn bad_bound(metric: &str, text: &str) -> String {
    let what = format!("bucket label \"le\" is missing or has a malformed value of {text:?}");
    if metric.is_empty() { what } else { format!("{what} for metric name {metric:?}") }
}

impl Histogram<'_> {
    /// Replaces `room` by the buckets at a point, bounds ascending, each once.
    pub(crate) fn buckets(&self, point: usize, room: &mut Vec<Bucket>) {
        room.clear();
        for (bound, line) in &self.lines {
            let count = line.values.get(point).copied().unwrap_or(ABSENT);
            if is_absent(count) {
                continue;
            }
            match room.last_mut() {
                #[expect(clippy::float_cmp, reason = "two spellings of one bound")]
                Some(last) if last.bound == *bound => last.count += count,
                _ => room.push(Bucket { bound: *bound, count }),
            }
        }
    }
}

/// The quantile by linear interpolation within a bucket, and what had to be repaired before:
/// counts that are smaller than those before them.
pub(crate) fn bucket_quantile(q: f64, buckets: &mut [Bucket]) -> (f64, Option<Decrease>) {
    if !(0.0..=1.0).contains(&q) {
        return (quantile(q, &[0.0], &mut Vec::new()), None);
    }
    if buckets.last().is_none_or(|last| last.bound != f64::INFINITY) {
        return (f64::NAN, None);
    }
    let decrease = make_cumulative(buckets);
    (interpolated(q, buckets), decrease)
}

fn interpolated(q: f64, buckets: &[Bucket]) -> f64 {
    let Some((last, finite)) = buckets.split_last() else { return f64::NAN };
    let Some(largest) = finite.last() else { return f64::NAN };
    if last.count == 0.0 || last.count.is_nan() {
        return f64::NAN;
    }
    let rank = q * last.count;
    let index = finite.partition_point(|bucket| bucket.count < rank);
    let Some(bucket) = finite.get(index) else { return largest.bound };
    match index.checked_sub(1).and_then(|before| finite.get(before)) {
        None if bucket.bound <= 0.0 => bucket.bound,
        None => bucket.bound * (rank / bucket.count),
        Some(before) => {
            let part = (rank - before.count) / (bucket.count - before.count);
            before.bound + (bucket.bound - before.bound) * part
        }
    }
}

/// Removes decreases; those that only rounding made go unsaid.
fn make_cumulative(buckets: &mut [Bucket]) -> Option<Decrease> {
    let mut decrease: Option<Decrease> = None;
    let mut buckets = buckets.iter_mut();
    let mut known = buckets.next()?.count;
    for bucket in buckets {
        let count = bucket.count;
        if nearly_same(known, count) {
            bucket.count = known;
        } else if count < known {
            bucket.count = known;
            let (bound, diff) = (bucket.bound, known - count);
            let so_far =
                decrease.unwrap_or(Decrease { min_bound: bound, max_bound: bound, max_diff: diff });
            decrease = Some(Decrease {
                min_bound: so_far.min_bound.min(bound),
                max_bound: so_far.max_bound.max(bound),
                max_diff: so_far.max_diff.max(diff),
            });
        } else {
            known = count;
        }
    }
    decrease
}

/// Within the rounding of floating-point numbers.
fn nearly_same(a: f64, b: f64) -> bool {
    const TOLERANCE: f64 = 1e-12;
    let (sum, diff) = (a.abs() + b.abs(), (a - b).abs());
    diff == 0.0
        || if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
            diff < TOLERANCE * f64::MIN_POSITIVE
        } else {
            diff / sum.min(f64::MAX) < TOLERANCE
        }
}

/// Which part of the observations is between two values. In a bucket without an end there is
/// nothing to interpolate between: its observations count as being at that end.
pub(crate) fn bucket_fraction(lower: f64, upper: f64, buckets: &[Bucket]) -> f64 {
    let Some(last) = buckets.last().filter(|last| last.bound == f64::INFINITY) else {
        return f64::NAN;
    };
    if last.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets, last.count) - rank_of(lower, buckets, last.count)) / last.count
}

/// How many observations are below a value.
fn rank_of(value: f64, buckets: &[Bucket], all: f64) -> f64 {
    let mut below = 0.0;
    let first = buckets.first().map_or(f64::NEG_INFINITY, |first| first.bound);
    let mut start = if first > 0.0 { 0.0 } else { f64::NEG_INFINITY };
    for bucket in buckets {
        if start >= value {
            return f64::min(below, all);
        }
        if bucket.bound > value {
            let rank = if bucket.bound.is_infinite() {
                below
            } else if start.is_infinite() {
                bucket.count
            } else {
                below + (bucket.count - below) * (value - start) / (bucket.bound - start)
            };
            return rank.min(all);
        }
        below = bucket.count;
        start = bucket.bound;
    }
    all
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|(bound, count)| Bucket { bound: *bound, count: *count }).collect()
    }

    #[test]
    fn quantiles_are_interpolated_within_the_bucket() {
        let known = buckets(&[(0.1, 50.0), (0.2, 70.0), (1.0, 110.0), (f64::INFINITY, 110.0)]);
        for (q, expected) in [(0.0, 0.0), (0.25, 0.055), (0.5, 0.125), (0.75, 0.45), (1.0, 1.0)] {
            let (found, decrease) = bucket_quantile(q, &mut known.clone());
            assert!((found - expected).abs() < 1e-12, "{q}: {found} is not {expected}");
            assert_eq!(decrease, None);
        }
    }

    #[test]
    fn quantiles_need_a_last_bucket_and_another() {
        assert!(bucket_quantile(0.5, &mut buckets(&[(1.0, 3.0), (2.0, 4.0)])).0.is_nan());
        assert!(bucket_quantile(0.5, &mut buckets(&[(f64::INFINITY, 4.0)])).0.is_nan());
        assert_eq!(bucket_quantile(0.9, &mut buckets(&[(1.0, 0.0), (f64::INFINITY, 4.0)])).0, 1.0);
        assert_eq!(bucket_quantile(2.0, &mut []).0, f64::INFINITY);
    }

    #[test]
    fn decreases_are_removed_and_told() {
        let mut uneven = buckets(&[(1.0, 10.0), (2.0, 7.0), (f64::INFINITY, 20.0)]);
        let (found, decrease) = bucket_quantile(0.5, &mut uneven);
        assert_eq!(found, 1.0);
        let expected = Decrease { min_bound: 2.0, max_bound: 2.0, max_diff: 3.0 };
        assert_eq!(decrease, Some(expected));
    }

    #[test]
    fn fractions_follow_the_bounds() {
        let known = buckets(&[(1.0, 1.0), (2.0, 3.0), (3.0, 6.0), (f64::INFINITY, 100.0)]);
        assert!((bucket_fraction(0.0, 1.5, &known) - 0.02).abs() < 1e-12);
        assert!((bucket_fraction(400.0, f64::INFINITY, &known) - 0.94).abs() < 1e-12);
        assert_eq!(bucket_fraction(3.0, 2.0, &known), 0.0);
        let negative = buckets(&[(-3.0, 10.0), (-2.0, 12.0), (f64::INFINITY, 100.0)]);
        assert!((bucket_fraction(-4.0, -2.0, &negative) - 0.02).abs() < 1e-12);
        assert!((bucket_fraction(f64::NEG_INFINITY, -2.0, &negative) - 0.12).abs() < 1e-12);
    }
}
