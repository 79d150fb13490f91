//! Functions of one window, from its values alone. No window is empty.

use std::cmp::Ordering;

use crate::kahan::{Kahan, Mean};

pub(super) fn sum(values: &[f64]) -> f64 {
    Kahan::of(values).total()
}

pub(super) fn mean(values: &[f64]) -> f64 {
    let sum = Kahan::of(values);
    if sum.is_finite() {
        let count = values.len() as f64;
        return sum.sum / count + sum.rest / count;
    }
    let mut mean = Mean::default();
    for value in values {
        mean.add(*value);
    }
    mean.total()
}

/// The smallest number; not-a-number when there is none.
pub(super) fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

pub(super) fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}

/// The population's variance, by Welford's algorithm.
pub(super) fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (Kahan::default(), Kahan::default());
    let mut count = 0.0;
    for value in values {
        count += 1.0;
        let delta = value - mean.total();
        mean.add(delta / count);
        squares.add(delta * (value - mean.total()));
    }
    squares.total() / count
}

/// Interpolates between the two values whose ranks are next to `q`; not-a-number ranks first.
/// `room` is for sorting.
pub(crate) fn quantile(q: f64, values: &[f64], room: &mut Vec<f64>) -> f64 {
    if let Some(value) = beyond(q) {
        return value;
    }
    let (lower, weight) = rank(q, values.len());
    room.clear();
    room.extend_from_slice(values);
    let (_, low, above) = room.select_nth_unstable_by(lower, not_a_number_first);
    let low = *low;
    let high = above.iter().copied().min_by(not_a_number_first).unwrap_or(low);
    low * (1.0 - weight) + high * weight
}

/// The quantile of what is no quantile.
pub(super) fn beyond(q: f64) -> Option<f64> {
    if q.is_nan() {
        Some(f64::NAN)
    } else if q < 0.0 {
        Some(f64::NEG_INFINITY)
    } else if q > 1.0 {
        Some(f64::INFINITY)
    } else {
        None
    }
}

/// The index below the quantile among `count` sorted values, and how far above it is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and count")]
pub(super) fn rank(q: f64, count: usize) -> (usize, f64) {
    let rank = q * (count as f64 - 1.0);
    (rank.floor().max(0.0) as usize, rank - rank.floor())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "sorting passes references")]
pub(super) fn not_a_number_first(a: &f64, b: &f64) -> Ordering {
    a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// The median of the distances from the median.
pub(super) fn mad(values: &[f64], room: &mut Vec<f64>, distances: &mut Vec<f64>) -> f64 {
    let median = quantile(0.5, values, room);
    distances.clear();
    distances.extend(values.iter().map(|value| (value - median).abs()));
    quantile(0.5, distances, room)
}

/// The index of the last value that none before it beats.
pub(super) fn last_where(values: &[f64], at_least: impl Fn(f64, f64) -> bool) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        let known = values.get(best).copied().unwrap_or(f64::NAN);
        if at_least(*value, known) || known.is_nan() {
            best = index;
        }
    }
    best
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_rank_not_a_number_first() {
        let mut room = Vec::new();
        assert_eq!(quantile(0.5, &[4.0, 0.0, 1.0], &mut room), 1.0);
        assert!((quantile(0.8, &[4.0, 0.0, 1.0], &mut room) - 2.8).abs() < 1e-12);
        assert!(quantile(0.2, &[1.0, f64::NAN, 0.0], &mut room).is_nan());
        assert!((quantile(0.8, &[1.0, f64::NAN, 0.0], &mut room) - 0.6).abs() < 1e-12);
        assert_eq!(quantile(1.5, &[1.0], &mut room), f64::INFINITY);
    }

    #[test]
    fn extremes_pass_over_not_a_number() {
        assert_eq!(max(&[f64::NAN, 1.0, 3.0]), 3.0);
        assert_eq!(min(&[2.0, f64::NAN, 1.0]), 1.0);
        assert!(min(&[f64::NAN]).is_nan());
        assert_eq!(last_where(&[1.0, 3.0, 3.0, 2.0], |new, best| new >= best), 2);
    }
}
