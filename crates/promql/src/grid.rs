//! Steps in time, and columns of values over them.

use barograph_model::{STALE, is_stale};

/// The moments at which an expression is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub start_ms: i64,
    /// At least 1; 0 for one moment.
    pub step_ms: i64,
    /// At least 1.
    pub points: usize,
}

impl Grid {
    pub(crate) fn instant(time_ms: i64) -> Self {
        Self { start_ms: time_ms, step_ms: 0, points: 1 }
    }

    /// Whether it is for one moment and not for a range.
    pub(crate) fn is_instant(&self) -> bool {
        self.step_ms == 0
    }

    pub(crate) fn time(&self, point: usize) -> i64 {
        let steps = i64::try_from(point).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(self.step_ms.saturating_mul(steps))
    }

    pub(crate) fn end_ms(&self) -> i64 {
        self.time(self.points - 1)
    }

    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let grid = *self;
        (0..grid.points).map(move |point| grid.time(point))
    }
}

/// Where a column has no value. A stale marker is never a value, so it is free to say that.
pub(crate) const ABSENT: f64 = STALE;

pub(crate) fn is_absent(value: f64) -> bool {
    is_stale(value)
}

/// Replaces each value that is there.
pub(crate) fn map_present(column: &mut [f64], map: impl Fn(f64) -> f64) {
    for value in column {
        *value = if is_absent(*value) { ABSENT } else { map(*value) };
    }
}

/// The times and values that are there.
pub(crate) fn present<'a>(
    grid: &Grid,
    column: &'a [f64],
) -> impl Iterator<Item = (i64, f64)> + use<'a> {
    grid.times().zip(column.iter().copied()).filter(|(_, value)| !is_absent(*value))
}

/// Milliseconds as the seconds that PromQL counts in.
pub(crate) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
