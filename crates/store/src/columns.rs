//! Timestamps and values side by side, and how several sources become one series.

/// Samples of one series. `times` and `values` are equally long.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Columns {
    pub(crate) times: Vec<i64>,
    pub(crate) values: Vec<f64>,
}

impl Columns {
    pub(crate) fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
    }

    /// Puts samples in order of time; of several at one time the last in the columns stays.
    /// Sources are appended from the oldest to the newest, so later writes win.
    pub(crate) fn normalise(&mut self) {
        if self.times.is_sorted_by(|a, b| a < b) {
            return;
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        // Stable, and fast on what it mostly meets: a few ascending stretches.
        order.sort_by_key(|i| self.times[*i]);
        let mut sorted = Self {
            times: Vec::with_capacity(self.times.len()),
            values: Vec::with_capacity(self.values.len()),
        };
        for i in order {
            if sorted.times.last() == Some(&self.times[i]) {
                sorted.times.pop();
                sorted.values.pop();
            }
            sorted.times.push(self.times[i]);
            sorted.values.push(self.values[i]);
        }
        *self = sorted;
    }

    /// Keeps `[from_ms, to_ms]` of columns that are in order.
    pub(crate) fn clip(&mut self, from_ms: i64, to_ms: i64) {
        let end = self.times.partition_point(|time| *time <= to_ms);
        self.times.truncate(end);
        self.values.truncate(end);
        let start = self.times.partition_point(|time| *time < from_ms);
        self.times.drain(..start);
        self.values.drain(..start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_writes_win_and_times_ascend() {
        let mut columns =
            Columns { times: vec![1, 3, 5, 2, 3, 3], values: vec![1.0, 3.0, 5.0, 2.0, 30.0, 31.0] };
        columns.normalise();
        assert_eq!(columns.times, [1, 2, 3, 5]);
        assert_eq!(columns.values, [1.0, 2.0, 31.0, 5.0]);
        columns.clip(2, 3);
        assert_eq!(columns.times, [2, 3]);
    }
}
