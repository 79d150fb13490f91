//! How one collector is doing, and how often it is run for that.

use std::time::Duration;

use crate::{Error, chain};

/// What a collector does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectorState {
    Running,
    /// This system does not have what it reads; it is tried again every five minutes.
    Absent,
    /// Missed its deadline too often and is run less often for now.
    BackedOff,
    /// Takes so much processor time that it is run less often for now.
    Slowed,
    /// Has not come back from its last run.
    Stuck,
}

impl CollectorState {
    /// The word of the interfaces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Absent => "absent",
            Self::BackedOff => "backed_off",
            Self::Slowed => "slowed",
            Self::Stuck => "stuck",
        }
    }
}

/// A collector's record.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectorStatus {
    pub name: &'static str,
    /// Between two runs; more than the collector asked for while it is backed off or slowed.
    pub interval: Duration,
    /// How many times its interval it waits since it takes too much processor time; 1 normally.
    pub stretch: u32,
    pub state: CollectorState,
    /// Of the last run that came back.
    pub last_duration: Option<Duration>,
    pub total_duration: Duration,
    /// Processor time of all runs.
    pub total_cpu: Duration,
    /// Runs that came back.
    pub runs: u64,
    /// Runs that gave an error; panics are not among them.
    pub failures: u64,
    /// Runs that passed the hard deadline; their samples were dropped.
    pub timeouts: u64,
    pub panics: u64,
    /// Runs that passed the soft deadline only.
    pub slow: u64,
    /// Runs whose samples came, or would have come, too late for their tick.
    pub late: u64,
    /// The last error with its causes; it stays until a run succeeds.
    pub last_error: Option<String>,
    /// Samples of the last run.
    pub samples: usize,
    pub total_samples: u64,
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) duration: Duration,
    /// Processor time of the thread.
    pub(super) cpu: Duration,
    pub(super) samples: usize,
    pub(super) result: Result<(), Error>,
}

/// Keeps a collector's record and says what becomes of it.
#[derive(Debug)]
pub(super) struct Health {
    status: CollectorStatus,
    /// What the collector and the runner ask for.
    base_interval: Duration,
    /// The interval is 2^backoff times the base.
    backoff: u32,
    /// Deadlines missed, or panics, one after the other.
    misses: u32,
    last_warning: Option<Duration>,
}

impl Health {
    const MISSES_BEFORE_BACKOFF: u32 = 3;
    const MAX_INTERVAL: Duration = Duration::from_secs(300);
    /// A driver that brings what is absent may be loaded at any time.
    const BETWEEN_LOOKS: Duration = Duration::from_secs(300);
    const BETWEEN_WARNINGS: Duration = Duration::from_secs(300);

    pub(super) fn new(name: &'static str, interval: Duration) -> Self {
        let status = CollectorStatus {
            name,
            interval,
            stretch: 1,
            state: CollectorState::Running,
            last_duration: None,
            total_duration: Duration::ZERO,
            total_cpu: Duration::ZERO,
            runs: 0,
            failures: 0,
            timeouts: 0,
            panics: 0,
            slow: 0,
            late: 0,
            last_error: None,
            samples: 0,
            total_samples: 0,
        };
        Self { status, base_interval: interval, backoff: 0, misses: 0, last_warning: None }
    }

    pub(super) fn status(&self) -> &CollectorStatus {
        &self.status
    }

    /// A run came back in time. `now` is monotonic.
    pub(super) fn ran(&mut self, run: &Run, soft_deadline: Duration, now: Duration) {
        self.came_back(run);
        self.status.slow += u64::from(run.duration > soft_deadline);
        match &run.result {
            Ok(()) => {
                if self.status.last_error.take().is_some() {
                    tracing::info!(collector = self.status.name, "collector works again");
                }
                self.succeeded();
            }
            Err(error @ Error::Absent { what, why }) => {
                let text = error.to_string();
                if self.status.last_error.as_ref() != Some(&text) {
                    let collector = self.status.name;
                    tracing::info!(collector, what, why, "collector switched off for now");
                    self.status.last_error = Some(text);
                }
                self.status.state = CollectorState::Absent;
                self.status.interval = self.base_interval.max(Self::BETWEEN_LOOKS);
            }
            Err(error @ Error::Panic { .. }) => {
                self.status.panics += 1;
                self.failed(error, now);
                self.missed();
            }
            Err(error) => {
                self.status.failures += 1;
                self.failed(error, now);
                self.succeeded();
            }
        }
    }

    /// A run has passed the hard deadline and is given up.
    pub(super) fn stuck(&mut self, hard_deadline: Duration) {
        self.status.timeouts += 1;
        self.status.state = CollectorState::Stuck;
        let deadline_ms = hard_deadline.as_millis();
        self.status.last_error = Some(format!("no answer within {deadline_ms} ms"));
        tracing::warn!(
            collector = self.status.name,
            deadline_ms = u64::try_from(deadline_ms).unwrap_or(u64::MAX),
            "collector hangs, the others go on without it"
        );
    }

    /// A run that was given up has come back after all.
    pub(super) fn unstuck(&mut self, run: &Run) {
        self.came_back(run);
        self.status.samples = 0;
        self.status.total_samples -= run.samples as u64;
        tracing::info!(
            collector = self.status.name,
            duration_ms = u64::try_from(run.duration.as_millis()).unwrap_or(u64::MAX),
            "collector came back"
        );
        self.missed();
    }

    /// Its turn came, or ended, too late for the tick.
    pub(super) fn late(&mut self) {
        self.status.late += 1;
    }

    fn came_back(&mut self, run: &Run) {
        self.status.runs += 1;
        self.status.last_duration = Some(run.duration);
        self.status.total_duration += run.duration;
        self.status.total_cpu += run.cpu;
        self.status.samples = run.samples;
        self.status.total_samples += run.samples as u64;
    }

    fn failed(&mut self, error: &Error, now: Duration) {
        let text = chain(error);
        if self.is_warning_due(now) {
            tracing::warn!(collector = self.status.name, error = text, "collector failed");
            self.last_warning = Some(now);
        }
        self.status.last_error = Some(text);
    }

    /// What fails at every tick is told now and then, not at every tick.
    fn is_warning_due(&self, now: Duration) -> bool {
        self.last_warning.is_none_or(|last| now >= last + Self::BETWEEN_WARNINGS)
    }

    fn missed(&mut self) {
        self.misses += 1;
        if self.misses >= Self::MISSES_BEFORE_BACKOFF {
            self.set_backoff(self.backoff + 1);
        } else {
            self.set_backoff(self.backoff);
        }
    }

    fn succeeded(&mut self) {
        self.misses = 0;
        self.set_backoff(self.backoff.saturating_sub(1));
    }

    /// Between two runs if they cost nothing.
    pub(super) fn unstretched(&self) -> Duration {
        self.interval(self.backoff, 1)
    }

    /// Lets it wait so many times as long between two runs.
    pub(super) fn set_stretch(&mut self, stretch: u32) {
        if stretch == self.status.stretch {
            return;
        }
        let interval = self.interval(self.backoff, stretch);
        let (collector, interval_s) = (self.status.name, interval.as_secs_f64());
        if stretch > self.status.stretch {
            tracing::warn!(
                collector,
                interval_s,
                "collector costs too much, it is read less often"
            );
        } else {
            tracing::info!(collector, interval_s, "collector is read more often again");
        }
        self.status.stretch = stretch;
        self.status.interval = interval;
        if matches!(self.status.state, CollectorState::Running | CollectorState::Slowed) {
            self.status.state = self.state();
        }
    }

    fn interval(&self, backoff: u32, stretch: u32) -> Duration {
        let longest = Self::MAX_INTERVAL.max(self.base_interval);
        let times = stretch.saturating_mul(1 << backoff.min(16));
        self.base_interval.saturating_mul(times).min(longest)
    }

    fn state(&self) -> CollectorState {
        match (self.backoff, self.status.stretch) {
            (0, 1) => CollectorState::Running,
            (0, _) => CollectorState::Slowed,
            _ => CollectorState::BackedOff,
        }
    }

    fn set_backoff(&mut self, backoff: u32) {
        let interval = self.interval(backoff, self.status.stretch);
        if backoff > self.backoff && interval > self.status.interval {
            tracing::warn!(
                collector = self.status.name,
                interval_s = interval.as_secs(),
                "collector backed off"
            );
        }
        // Not further than the longest interval needs, so that the way back is as short.
        if backoff < self.backoff || interval > self.status.interval {
            self.backoff = backoff;
        }
        self.status.interval = interval;
        self.status.state = self.state();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const SOFT: Duration = Duration::from_millis(50);

    fn run(result: Result<(), Error>) -> Run {
        let duration = Duration::from_millis(1);
        Run { duration, cpu: duration, samples: 2, result }
    }

    fn miss(health: &mut Health) {
        health.stuck(Duration::from_millis(500));
        health.unstuck(&run(Ok(())));
    }

    #[test]
    fn three_misses_back_off_and_good_runs_lead_back() {
        let mut health = Health::new("x", SECOND);
        let mut intervals = Vec::new();
        for _ in 0..15 {
            miss(&mut health);
            intervals.push(health.status().interval.as_secs());
        }
        assert_eq!(intervals[..6], [1, 1, 2, 4, 8, 16]);
        assert_eq!(intervals[14], 300);
        assert_eq!(health.status().state, CollectorState::BackedOff);
        assert_eq!(health.status().timeouts, 15);
        let mut good_runs = 0;
        while health.status().state == CollectorState::BackedOff {
            health.ran(&run(Ok(())), SOFT, SECOND);
            good_runs += 1;
        }
        assert_eq!((good_runs, health.status().interval), (9, SECOND));
    }

    #[test]
    fn dropped_samples_are_not_counted() {
        let mut health = Health::new("x", SECOND);
        miss(&mut health);
        assert_eq!((health.status().runs, health.status().total_samples), (1, 0));
    }

    #[test]
    fn errors_stay_until_a_run_succeeds() {
        let mut health = Health::new("x", SECOND);
        let error = Error::Read {
            path: "/proc/x".into(),
            source: std::io::Error::from(std::io::ErrorKind::PermissionDenied),
        };
        health.ran(&run(Err(error)), SOFT, SECOND);
        assert_eq!(
            health.status().last_error.as_deref(),
            Some("cannot read /proc/x: permission denied")
        );
        health.ran(&run(Ok(())), SOFT, SECOND);
        assert_eq!((health.status().last_error.as_deref(), health.status().failures), (None, 1));
    }

    #[test]
    fn what_is_denied_at_every_tick_is_told_every_five_minutes_and_counted_each_time() {
        let mut health = Health::new("x", Duration::from_secs(1));
        let mut told = Vec::new();
        for second in 1..=601 {
            let now = Duration::from_secs(second);
            if health.is_warning_due(now) {
                told.push(second);
            }
            let source = std::io::ErrorKind::PermissionDenied.into();
            let denied = Error::Read { path: "/proc/x".into(), source };
            health.ran(&run(Err(denied)), Duration::from_millis(500), now);
        }
        assert_eq!((told, health.status.failures), (vec![1, 301, 601], 601));
        assert_eq!(health.status.interval, Duration::from_secs(1));
    }

    #[test]
    fn what_is_absent_is_no_failure() {
        let mut health = Health::new("x", SECOND);
        let error = Error::Absent { what: "pressure", why: "old kernel".into() };
        health.ran(&run(Err(error)), SOFT, SECOND);
        assert_eq!(health.status().state, CollectorState::Absent);
        assert_eq!(health.status().failures, 0);
        assert_eq!(health.status().interval, Duration::from_secs(300));
        health.ran(&run(Ok(())), SOFT, SECOND);
        assert_eq!(health.status().state, CollectorState::Running);
        assert_eq!((health.status().interval, &health.status().last_error), (SECOND, &None));
    }

    #[test]
    fn what_costs_too_much_and_fails_besides_waits_for_both_reasons() {
        let mut health = Health::new("x", SECOND);
        health.set_stretch(4);
        assert_eq!(
            (health.status().state, health.status().interval),
            (CollectorState::Slowed, 4 * SECOND)
        );
        for _ in 0..3 {
            miss(&mut health);
        }
        assert_eq!(health.status().state, CollectorState::BackedOff);
        assert_eq!(health.status().interval, 8 * SECOND);
        assert_eq!(health.unstretched(), 2 * SECOND);
        health.ran(&run(Ok(())), SOFT, SECOND);
        assert_eq!(
            (health.status().state, health.status().interval),
            (CollectorState::Slowed, 4 * SECOND)
        );
        health.set_stretch(1);
        assert_eq!(
            (health.status().state, health.status().interval),
            (CollectorState::Running, SECOND)
        );
    }

    #[test]
    fn a_long_interval_is_not_shortened_by_backing_off() {
        let mut health = Health::new("x", Duration::from_secs(600));
        for _ in 0..5 {
            miss(&mut health);
        }
        assert_eq!(health.status().interval, Duration::from_secs(600));
    }
}
