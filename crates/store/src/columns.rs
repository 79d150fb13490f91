//! Timestamps and values side by side, and how several sources become one series.

/// A range that holds everything.
pub(crate) const ALL_TIMES: (i64, i64) = (i64::MIN, i64::MAX);

/// Samples of one series: what the query engine gets is what is decoded into.
pub(crate) type Columns = barograph_model::Samples;

pub(crate) fn clear(columns: &mut Columns) {
    truncate(columns, 0);
}

pub(crate) fn truncate(columns: &mut Columns, len: usize) {
    columns.times.truncate(len);
    columns.values.truncate(len);
}

pub(crate) fn append(columns: &mut Columns, newer: &Columns) {
    columns.times.extend_from_slice(&newer.times);
    columns.values.extend_from_slice(&newer.values);
}

/// Puts samples in order of time; of several at one time the last in the columns stays.
/// Sources are appended from the oldest to the newest, so later writes win.
pub(crate) fn normalise(columns: &mut Columns) {
    if columns.times.is_sorted_by(|a, b| a < b) {
        return;
    }
    let mut order: Vec<usize> = (0..columns.times.len()).collect();
    // Stable, and fast on what it mostly meets: a few ascending stretches.
    order.sort_by_key(|i| columns.times[*i]);
    let mut sorted = Columns {
        times: Vec::with_capacity(columns.times.len()),
        values: Vec::with_capacity(columns.values.len()),
    };
    for i in order {
        if sorted.times.last() == Some(&columns.times[i]) {
            sorted.times.pop();
            sorted.values.pop();
        }
        sorted.times.push(columns.times[i]);
        sorted.values.push(columns.values[i]);
    }
    *columns = sorted;
}

/// Keeps `[from_ms, to_ms]` of columns that are in order.
pub(crate) fn clip(columns: &mut Columns, range_ms: (i64, i64)) {
    let end = columns.times.partition_point(|time| *time <= range_ms.1);
    truncate(columns, end);
    let start = columns.times.partition_point(|time| *time < range_ms.0);
    columns.times.drain(..start);
    columns.values.drain(..start);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_writes_win_and_times_ascend() {
        let mut columns =
            Columns { times: vec![1, 3, 5, 2, 3, 3], values: vec![1.0, 3.0, 5.0, 2.0, 30.0, 31.0] };
        normalise(&mut columns);
        assert_eq!(columns.times, [1, 2, 3, 5]);
        assert_eq!(columns.values, [1.0, 2.0, 31.0, 5.0]);
        clip(&mut columns, (2, 3));
        assert_eq!(columns.times, [2, 3]);
    }
}
