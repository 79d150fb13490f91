//! Exponential histograms as classic buckets.
//!
//! Bucket `i` of a histogram with scale `s` holds values above `b^i` up to `b^(i+1)`, where `b` is
//! 2^(2^-s). The bounds are made coarser to powers of two, which lose nothing but resolution: each
//! of them is a bound at every scale from 0, and at lower scales all bounds are powers of two. So
//! the series of a histogram stay the same ones when its scale changes.

use std::collections::BTreeMap;

use super::message::ExponentialPoint;
use super::translate::PointError;

/// Exponents that numbers of eight bytes have.
const MIN_EXPONENT: i64 = -1074;
const MAX_EXPONENT: i64 = 1023;

/// Upper bounds with how many values are at most that, ascending, without the infinite one.
pub(super) fn classic(point: &ExponentialPoint) -> Result<Vec<(f64, u64)>, PointError> {
    let scale = point.scale;
    if !(-10..=20).contains(&scale) {
        return Err(PointError::Scale { scale });
    }
    let offset = point.positive.offset;
    let offset = i64::from(i32::try_from(offset).map_err(|_| PointError::Offset { offset })?);
    // By the exponent of the upper bound.
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for (index, count) in (offset..).zip(&point.positive.bucket_counts) {
        if *count == 0 {
            continue;
        }
        let (low, high) = if scale >= 0 {
            let low = index >> scale;
            (low, low + 1)
        } else {
            let width = 1_i64 << -scale;
            let low = index.saturating_mul(width);
            (low, low.saturating_add(width))
        };
        let at_high = counts.entry(high).or_default();
        *at_high = at_high.saturating_add(*count);
        counts.entry(low).or_default();
    }
    let negative: u64 =
        point.negative.bucket_counts.iter().fold(0, |sum, count| sum.saturating_add(*count));
    let mut below = negative.saturating_add(point.zero_count);
    let mut buckets = Vec::with_capacity(counts.len() + 1);
    if below > 0 {
        buckets.push((0.0, below));
    }
    for (exponent, count) in counts {
        below = below.saturating_add(count);
        if (MIN_EXPONENT..=MAX_EXPONENT).contains(&exponent)
            && let Ok(exponent) = i32::try_from(exponent)
        {
            buckets.push((2_f64.powi(exponent), below));
        }
    }
    Ok(buckets)
}

#[cfg(test)]
mod tests {
    use super::super::message::Buckets;
    use super::*;

    fn point(scale: i64, offset: i64, counts: &[u64]) -> ExponentialPoint {
        let positive = Buckets { offset, bucket_counts: counts.to_vec() };
        ExponentialPoint { scale, positive, ..ExponentialPoint::default() }
    }

    #[test]
    fn finer_buckets_are_put_together_at_powers_of_two() {
        // At scale 1 the bounds are 1, 1.41, 2, 2.83, 4.
        let buckets = classic(&point(1, 0, &[1, 2, 3, 4])).unwrap();
        assert_eq!(buckets, [(1.0, 0), (2.0, 3), (4.0, 10)]);
        // Below one, too: 0.5, 0.71, 1.
        assert_eq!(classic(&point(1, -2, &[1, 2])).unwrap(), [(0.5, 0), (1.0, 3)]);
    }

    #[test]
    fn coarser_buckets_keep_their_bounds() {
        // At scale -1 the bounds are 1, 4, 16.
        let buckets = classic(&point(-1, 0, &[5, 6])).unwrap();
        assert_eq!(buckets, [(1.0, 0), (4.0, 5), (16.0, 11)]);
    }

    #[test]
    fn zeros_and_negative_values_are_at_most_zero() {
        let mut one = point(0, 0, &[4]);
        one.zero_count = 2;
        one.negative.bucket_counts = vec![3];
        assert_eq!(classic(&one).unwrap(), [(0.0, 5), (1.0, 5), (2.0, 9)]);
    }

    #[test]
    fn impossible_scales_and_exponents_do_no_harm() {
        assert_eq!(classic(&point(99, 0, &[1])), Err(PointError::Scale { scale: 99 }));
        let far = i64::from(i32::MAX);
        assert!(classic(&point(-10, far, &[1, u64::MAX])).unwrap().is_empty());
        assert!(classic(&point(0, -far, &[1])).unwrap().is_empty());
        let offset = i64::MAX;
        assert_eq!(classic(&point(0, offset, &[1])), Err(PointError::Offset { offset }));
    }
}
