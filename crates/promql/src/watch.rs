//! Keeps an evaluation within its limits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use barograph_model::Clock;

use crate::{EvalError, Options, Settings, Stats};

/// The limits of one evaluation and what it has used of them; shared by its threads.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    clock: &'a dyn Clock,
    started: Duration,
    timeout: Duration,
    pub cancel: Option<&'a AtomicBool>,
    pub max_series: usize,
    pub max_samples: usize,
    series: AtomicUsize,
    samples: AtomicUsize,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(clock: &'a dyn Clock, settings: &Settings, options: &Options<'a>) -> Self {
        let tighter =
            |setting: usize, wish: Option<usize>| wish.map_or(setting, |w| w.min(setting));
        Self {
            clock,
            started: clock.monotonic(),
            timeout: options.timeout.map_or(settings.timeout, |wish| wish.min(settings.timeout)),
            cancel: options.cancel,
            max_series: tighter(settings.max_series, options.max_series),
            max_samples: tighter(settings.max_samples, options.max_samples),
            series: AtomicUsize::new(0),
            samples: AtomicUsize::new(0),
        }
    }

    /// Ends the evaluation when it is no longer wanted or takes too long. Cheap enough for every
    /// series.
    pub(crate) fn check(&self) -> Result<(), EvalError> {
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(EvalError::Cancelled);
        }
        if self.clock.monotonic().saturating_sub(self.started) > self.timeout {
            return Err(EvalError::Timeout { after: self.timeout });
        }
        Ok(())
    }

    /// Notes that a selector matched so many series.
    pub(crate) fn found(&self, series: usize) {
        self.series.fetch_add(series, Ordering::Relaxed);
    }

    /// Notes that so many samples were read.
    pub(crate) fn read(&self, samples: usize) -> Result<(), EvalError> {
        let before = self.samples.fetch_add(samples, Ordering::Relaxed);
        if before.saturating_add(samples) > self.max_samples {
            return Err(EvalError::TooManySamples { max: self.max_samples });
        }
        Ok(())
    }

    /// Allows so many values to be held at a time.
    pub(crate) fn hold(&self, series: usize, points: usize) -> Result<(), EvalError> {
        if series.saturating_mul(points) > self.max_samples {
            return Err(EvalError::TooManySamples { max: self.max_samples });
        }
        self.check()
    }

    pub(crate) fn stats(&self) -> Stats {
        let count = |n: &AtomicUsize| u64::try_from(n.load(Ordering::Relaxed)).unwrap_or(u64::MAX);
        Stats {
            series: count(&self.series),
            samples: count(&self.samples),
            elapsed: self.clock.monotonic().saturating_sub(self.started),
        }
    }
}
