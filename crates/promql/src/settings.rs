//! What bounds an evaluation.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What holds for every question that an engine answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a sample counts as the present value.
    pub lookback: Duration,
    /// The step of a subquery that names none.
    pub default_step: Duration,
    /// Series that one selector may match.
    pub max_series: usize,
    /// Samples that a question may read, and values that it may hold at a time.
    pub max_samples: usize,
    /// Steps of a range.
    pub max_points: usize,
    /// Threads that work on one question. Small questions use one.
    pub threads: usize,
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lookback: Duration::from_secs(5 * 60),
            default_step: Duration::from_secs(60),
            max_series: 200_000,
            max_samples: 50_000_000,
            max_points: 11_000,
            threads: std::thread::available_parallelism().map_or(1, usize::from).min(8),
            timeout: Duration::from_secs(2 * 60),
        }
    }
}

impl Settings {
    pub(crate) fn default_step_ms(&self) -> i64 {
        i64::try_from(self.default_step.as_millis()).unwrap_or(i64::MAX)
    }
}

/// What one question wants otherwise than the engine's [`Settings`] say; limits can only be
/// tightened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    pub lookback: Option<Duration>,
    pub timeout: Option<Duration>,
    pub max_series: Option<usize>,
    pub max_samples: Option<usize>,
    pub threads: Option<usize>,
    /// Set from another thread, it ends the evaluation.
    pub cancel: Option<&'a AtomicBool>,
}
