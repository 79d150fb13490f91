//! Slows the ticks down while collecting costs more than its budget. Pure: times come in, a pace
//! goes out.

use std::time::Duration;

/// Judges what collecting costs.
#[derive(Debug)]
pub(super) struct Governor {
    /// Share of one processor that collecting may take.
    budget: f64,
    /// Place in [`PACES`].
    pace: usize,
    window: Option<Window>,
    /// Windows one after the other in which a faster pace would have kept the budget.
    calm_windows: u32,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    /// Monotonic.
    started: Duration,
    cpu: Duration,
}

/// The tick's interval is the configured one times one of these.
const PACES: [u32; 4] = [1, 2, 5, 10];
/// A short burst is no reason; ten seconds are a habit.
const WINDOW: Duration = Duration::from_secs(10);
/// Going back is slower than slowing down, or the pace would swing.
const CALM_WINDOWS: u32 = 6;
/// Of the budget that the faster pace may take by reckoning.
const MARGIN: f64 = 0.7;

impl Governor {
    pub(super) fn new(budget: f64) -> Self {
        Self { budget, pace: 0, window: None, calm_windows: 0 }
    }

    /// How many intervals lie between two ticks.
    pub(super) fn pace(&self) -> u32 {
        PACES[self.pace]
    }

    /// Takes the processor time that collecting has taken so far. Tells whether the pace changed.
    pub(super) fn look(&mut self, now: Duration, cpu: Duration) -> bool {
        let window = *self.window.get_or_insert(Window { started: now, cpu });
        let elapsed = now.saturating_sub(window.started);
        if elapsed < WINDOW.max(2 * WINDOW / 10 * self.pace()) {
            return false;
        }
        let share = cpu.saturating_sub(window.cpu).as_secs_f64() / elapsed.as_secs_f64();
        self.window = Some(Window { started: now, cpu });
        let before = self.pace;
        if share > self.budget {
            self.calm_windows = 0;
            self.pace = (self.pace + 1).min(PACES.len() - 1);
        } else if self.pace > 0 && self.share_if_faster(share) < MARGIN * self.budget {
            self.calm_windows += 1;
            if self.calm_windows == CALM_WINDOWS {
                self.calm_windows = 0;
                self.pace -= 1;
            }
        } else {
            self.calm_windows = 0;
        }
        self.pace != before
    }

    fn share_if_faster(&self, share: f64) -> f64 {
        share * f64::from(PACES[self.pace]) / f64::from(PACES[self.pace - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets ticks that each cost `cost_ms` go by for so many seconds, and gives the pace.
    fn run(governor: &mut Governor, time: &mut (u64, u64), seconds: u64, cost_ms: u64) -> u32 {
        let end = time.0 + seconds;
        while time.0 < end {
            time.0 += u64::from(governor.pace());
            time.1 += cost_ms;
            governor.look(Duration::from_secs(time.0), Duration::from_millis(time.1));
        }
        governor.pace()
    }

    #[test]
    fn within_the_budget_nothing_changes() {
        let (mut governor, mut time) = (Governor::new(0.05), (0, 0));
        assert_eq!(run(&mut governor, &mut time, 600, 40), 1);
    }

    #[test]
    fn a_burst_is_forgiven() {
        let (mut governor, mut time) = (Governor::new(0.05), (0, 0));
        run(&mut governor, &mut time, 15, 10);
        run(&mut governor, &mut time, 2, 150);
        assert_eq!(run(&mut governor, &mut time, 60, 10), 1);
    }

    #[test]
    fn over_the_budget_the_ticks_get_rarer_until_it_is_kept() {
        let (mut governor, mut time) = (Governor::new(0.05), (0, 0));
        assert_eq!(run(&mut governor, &mut time, 25, 80), 2);
        let (mut governor, mut time) = (Governor::new(0.05), (0, 0));
        assert_eq!(run(&mut governor, &mut time, 200, 400), 10);
    }

    #[test]
    fn it_goes_back_when_the_cost_is_gone_and_stays_when_it_is_not() {
        let (mut governor, mut time) = (Governor::new(0.05), (0, 0));
        run(&mut governor, &mut time, 200, 400);
        assert_eq!(run(&mut governor, &mut time, 600, 400), 10);
        assert_eq!(run(&mut governor, &mut time, 600, 5), 1);
    }
}
