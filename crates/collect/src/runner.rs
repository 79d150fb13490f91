//! Runs the collectors: every interval, aligned to the wall clock, one after the other on one
//! thread, and never two runs of one collector at once.
//!
//! A collector that does not come back within its hard deadline keeps the thread that it hangs
//! on; a new thread goes on with the others. When it does come back, what it read is thrown away,
//! since it belongs to a time that has passed, and it takes part again.

mod governor;
mod health;
mod schedule;
mod series;
mod threads;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Batch, Clock};

pub use health::{CollectorState, CollectorStatus};

use crate::Collector;
use threads::Shared;

/// How to run the collectors.
#[derive(Debug, Clone)]
pub struct RunnerSettings {
    /// The label `host` of every series.
    pub host: String,
    /// Time between two ticks. A collector can ask for more.
    pub interval: Duration,
    /// A run that takes longer is counted as slow.
    pub soft_deadline: Duration,
    /// A run that takes longer is given up.
    pub hard_deadline: Duration,
    /// Share of one processor that collecting may take, averaged over ten seconds. Over it the
    /// dearest collectors are read more rarely, down to a sixteenth; when that is not enough, the
    /// ticks get rarer: every second one, every fifth, every tenth.
    pub cpu_budget: f64,
    pub clock: Arc<dyn Clock>,
}

impl RunnerSettings {
    pub const MIN_INTERVAL: Duration = Duration::from_millis(100);
    pub const MAX_INTERVAL: Duration = Duration::from_secs(3600);

    /// One tick a second, and the deadlines that fit.
    pub fn new(host: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            host: host.into(),
            interval: Duration::from_secs(1),
            soft_deadline: Duration::from_millis(50),
            hard_deadline: Duration::from_millis(500),
            cpu_budget: 0.05,
            clock,
        }
    }
}

/// Why the collectors could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "the interval is {} ms, allowed are {} to {} ms",
        .0.as_millis(),
        RunnerSettings::MIN_INTERVAL.as_millis(),
        RunnerSettings::MAX_INTERVAL.as_millis()
    )]
    Interval(Duration),
    #[error("the host's name is empty or has more than {} bytes", Runner::MAX_HOST_BYTES)]
    Host,
    #[error("cannot start the thread `{name}`")]
    Thread { name: &'static str, source: io::Error },
}

/// How the collectors are doing.
#[derive(Debug, Clone, PartialEq)]
pub struct RunnerStatus {
    /// Ticks delivered.
    pub ticks: u64,
    /// Ticks left out, because the one before took too long or the machine stood still.
    pub missed_ticks: u64,
    /// Steps of the wall clock that the ticks were aligned to anew.
    pub clock_jumps: u64,
    /// Intervals between two ticks: 1, or more while collecting is over its budget.
    pub pace: u32,
    /// Processor time that the collectors have taken.
    pub cpu: Duration,
    /// By name.
    pub collectors: Vec<CollectorStatus>,
}

/// The running collectors. Dropping it stops them.
pub struct Runner {
    shared: Arc<Shared>,
}

impl Runner {
    pub const MAX_HOST_BYTES: usize = 253;

    /// Starts two threads: one that reads and delivers, and one that watches it. `deliver` gets
    /// one batch per tick, on the reading thread: while it does not return, nothing is read.
    ///
    /// # Errors
    /// A setting out of its range, or no threads to be had.
    pub fn start(
        settings: RunnerSettings,
        collectors: Vec<Box<dyn Collector>>,
        deliver: impl FnMut(Batch) + Send + 'static,
    ) -> Result<Self, StartError> {
        let allowed = RunnerSettings::MIN_INTERVAL..=RunnerSettings::MAX_INTERVAL;
        if !allowed.contains(&settings.interval) {
            return Err(StartError::Interval(settings.interval));
        }
        if settings.host.is_empty() || settings.host.len() > Self::MAX_HOST_BYTES {
            return Err(StartError::Host);
        }
        let shared = Arc::new(Shared::new(settings, collectors, Box::new(deliver)));
        threads::start(&shared)?;
        Ok(Self { shared })
    }

    pub fn status(&self) -> RunnerStatus {
        self.shared.status()
    }

    /// Stops at the end of the tick that is under way, and waits for that, but not longer than
    /// two hard deadlines. Returns the names of collectors that hang: their threads are left.
    pub fn stop(self) -> Vec<&'static str> {
        self.shared.stop()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
