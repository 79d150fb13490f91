//! Samples and buckets of one series side by side.

use barograph_model::{Buckets, Columns};

use crate::point::Point;

/// What a series has at a time: a sample, or where samples have expired the bucket with this index;
/// a bucket of one sample is that sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Sample(Point),
    Bucket(usize),
}

/// All parts in order of time; a bucket is where its last sample is.
pub(crate) fn in_order(samples: Columns<'_>, buckets: &Buckets) -> impl Iterator<Item = Part> {
    let (mut next_sample, mut next_bucket) = (0, 0);
    std::iter::from_fn(move || {
        let sample_ms = samples.times.get(next_sample).copied();
        let bucket_ms = buckets.last_times.get(next_bucket).copied();
        match (sample_ms, bucket_ms) {
            (_, Some(bucket_ms)) if sample_ms.is_none_or(|time_ms| bucket_ms <= time_ms) => {
                next_bucket += 1;
                let index = next_bucket - 1;
                let value = buckets.last.get(index).copied()?;
                Some(match buckets.count.get(index) {
                    Some(1) => Part::Sample(Point { time_ms: bucket_ms, value }),
                    _ => Part::Bucket(index),
                })
            }
            (Some(time_ms), _) => {
                let value = samples.values.get(next_sample).copied()?;
                next_sample += 1;
                Some(Part::Sample(Point { time_ms, value }))
            }
            (None, _) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use barograph_model::Samples;

    use super::*;

    #[test]
    fn the_earlier_comes_first() {
        let samples = Samples { times: vec![10, 40], values: vec![1.0, 2.0] };
        let buckets = Buckets {
            last_times: vec![5, 30, 50],
            last: vec![7.0, 8.0, 9.0],
            count: vec![2, 2, 1],
            ..Buckets::default()
        };
        let sample = |time_ms, value| Part::Sample(Point { time_ms, value });
        let parts: Vec<Part> = in_order(Columns::from(&samples), &buckets).collect();
        let expected =
            [Part::Bucket(0), sample(10, 1.0), Part::Bucket(1), sample(40, 2.0), sample(50, 9.0)];
        assert_eq!(parts, expected);
    }
}
