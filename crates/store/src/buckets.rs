//! Several samples in a row become one bucket.

use barograph_model::{Buckets, Samples, is_stale};

/// Appends what samples in order of time come to in buckets `((k - 1) * width_ms, k * width_ms]`:
/// the last moment belongs to a bucket, the first does not, as in PromQL's ranges. Stale markers
/// are in no bucket.
pub(crate) fn roll_up(samples: &Samples, width_ms: i64, out: &mut Buckets) {
    let mut open: Option<i64> = None;
    let mut rest = 0.0;
    for (time, value) in samples.times.iter().zip(&samples.values) {
        if is_stale(*value) {
            continue;
        }
        let bucket = time.saturating_sub(1).div_euclid(width_ms);
        if open == Some(bucket) {
            add(*time, *value, &mut rest, out);
        } else {
            close(&mut rest, out);
            push_sample(*time, *value, out);
        }
        open = Some(bucket);
    }
    close(&mut rest, out);
}

/// A sample is a bucket of its own.
pub(crate) fn push_sample(time: i64, value: f64, out: &mut Buckets) {
    out.first_times.push(time);
    out.last_times.push(time);
    out.first.push(value);
    out.last.push(value);
    out.min.push(value);
    out.max.push(value);
    out.sum.push(value);
    out.count.push(1);
    out.lost.push(0.0);
}

/// Adds a sample to the last bucket. Sums are Neumaier's: `rest` is what their rounding lost.
fn add(time: i64, value: f64, rest: &mut f64, out: &mut Buckets) {
    let Buckets { last_times, last, min, max, sum, count, lost, .. } = out;
    let (Some(last_time), Some(last), Some(min), Some(max)) =
        (last_times.last_mut(), last.last_mut(), min.last_mut(), max.last_mut())
    else {
        return;
    };
    let (Some(sum), Some(count), Some(lost)) = (sum.last_mut(), count.last_mut(), lost.last_mut())
    else {
        return;
    };
    if value < *last {
        *lost += *last;
    }
    *last_time = time;
    *last = value;
    *count += 1;
    // Not-a-numbers are no extremes, unless there is nothing else: as in PromQL.
    if value < *min || min.is_nan() {
        *min = value;
    }
    if value > *max || max.is_nan() {
        *max = value;
    }
    let new = *sum + value;
    if new.is_finite() {
        *rest += if sum.abs() >= value.abs() { (*sum - new) + value } else { (value - new) + *sum };
    }
    *sum = new;
}

fn close(rest: &mut f64, out: &mut Buckets) {
    if let Some(sum) = out.sum.last_mut()
        && sum.is_finite()
        && *rest != 0.0
    {
        *sum += *rest;
    }
    *rest = 0.0;
}

pub(crate) fn clear(buckets: &mut Buckets) {
    truncate(buckets, 0);
}

pub(crate) fn truncate(buckets: &mut Buckets, len: usize) {
    let Buckets { first_times, last_times, first, last, min, max, sum, count, lost } = buckets;
    for times in [first_times, last_times] {
        times.truncate(len);
    }
    for column in [first, last, min, max, sum, lost] {
        column.truncate(len);
    }
    count.truncate(len);
}

/// Keeps buckets that end in one of the stretches of time, and puts them in order.
pub(crate) fn keep(buckets: &mut Buckets, from: usize, wanted: impl Fn(i64) -> bool) {
    if buckets.last_times[from..].iter().all(|time| wanted(*time)) {
        return;
    }
    let order: Vec<usize> = (0..buckets.last_times.len())
        .filter(|i| *i < from || wanted(buckets.last_times[*i]))
        .collect();
    pick(buckets, &order);
}

/// Keeps buckets by where they begin.
pub(crate) fn keep_by_first(buckets: &mut Buckets, wanted: impl Fn(i64) -> bool) {
    let times = &buckets.first_times;
    let order: Vec<usize> = (0..times.len()).filter(|i| wanted(times[*i])).collect();
    if order.len() < times.len() {
        pick(buckets, &order);
    }
}

pub(crate) fn sort(buckets: &mut Buckets) {
    if buckets.last_times.is_sorted() {
        return;
    }
    let mut order: Vec<usize> = (0..buckets.last_times.len()).collect();
    order.sort_by_key(|i| buckets.last_times[*i]);
    pick(buckets, &order);
}

fn pick(buckets: &mut Buckets, order: &[usize]) {
    fn picked<T: Copy>(column: &mut Vec<T>, order: &[usize]) {
        *column = order.iter().map(|i| column[*i]).collect();
    }
    let Buckets { first_times, last_times, first, last, min, max, sum, count, lost } = buckets;
    picked(first_times, order);
    picked(last_times, order);
    for column in [first, last, min, max, sum, lost] {
        picked(column, order);
    }
    picked(count, order);
}

#[cfg(test)]
mod tests {
    use barograph_model::STALE;

    use super::*;

    #[test]
    fn a_bucket_holds_its_end_and_not_its_start() {
        let samples = Samples {
            times: vec![0, 1, 59, 60, 61, 120, 121],
            values: vec![9.0, 1.0, 5.0, 3.0, 7.0, STALE, 4.0],
        };
        let mut buckets = Buckets::default();
        roll_up(&samples, 60, &mut buckets);
        assert_eq!(buckets.first_times, [0, 1, 61, 121]);
        assert_eq!(buckets.last_times, [0, 60, 61, 121]);
        assert_eq!(buckets.first, [9.0, 1.0, 7.0, 4.0]);
        assert_eq!(buckets.last, [9.0, 3.0, 7.0, 4.0]);
        assert_eq!(buckets.min, [9.0, 1.0, 7.0, 4.0]);
        assert_eq!(buckets.max, [9.0, 5.0, 7.0, 4.0]);
        assert_eq!(buckets.sum, [9.0, 9.0, 7.0, 4.0]);
        assert_eq!(buckets.count, [1, 3, 1, 1]);
        assert_eq!(buckets.lost, [0.0, 5.0, 0.0, 0.0]);
    }

    #[test]
    fn sums_are_exact_where_plain_ones_are_not() {
        let samples = Samples { times: vec![1, 2, 3], values: vec![1.0, 1e100, -1e100] };
        let mut buckets = Buckets::default();
        roll_up(&samples, 60, &mut buckets);
        assert_eq!(buckets.sum, [1.0]);
    }
}
