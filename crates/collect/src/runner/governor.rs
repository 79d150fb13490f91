//! Keeps what collecting costs within its budget: the dearest collectors are read more rarely,
//! and only when that does not help, everything. Pure: what was spent comes in, decisions go out.

use std::time::Duration;

/// Judges what collecting costs.
#[derive(Debug)]
pub(super) struct Governor {
    /// Share of one processor that collecting may take.
    budget: f64,
    /// Between two ticks at the full pace.
    interval: Duration,
    /// Place in [`PACES`].
    pace: usize,
    window: Option<Window>,
    /// In the order of the collectors.
    costs: Vec<Cost>,
    /// Windows one after the other in which something could have been given back.
    calm_windows: u32,
}

/// What a collector has spent so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    pub(super) cpu: Duration,
    pub(super) runs: u64,
    /// Between two runs, unless this judge slows it down.
    pub(super) interval: Duration,
    /// It is slowed down last, together with everything.
    pub(super) is_essential: bool,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    /// Monotonic.
    started: Duration,
    cpu: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Cost {
    last: Spent,
    /// Seconds of processor time that a run takes, as the newest runs were.
    of_run: f64,
    /// Its interval is taken two to the power of this as long.
    halvings: u32,
}

/// The tick's interval is the configured one times one of these.
const PACES: [u32; 4] = [1, 2, 5, 10];
/// A collector is read 16 times more rarely at most: what is read every second still comes four
/// times a minute.
const MAX_HALVINGS: u32 = 4;
/// Part of the budget below which slowing a collector down gains nothing.
const NEGLIGIBLE: f64 = 0.01;
/// A short burst is no reason; ten seconds are a habit.
const WINDOW: Duration = Duration::from_secs(10);
/// Going back is slower than slowing down, or the pace would swing.
const CALM_WINDOWS: u32 = 6;
/// Of the budget that may be taken by reckoning after something was given back.
const MARGIN: f64 = 0.7;

impl Governor {
    pub(super) fn new(budget: f64, interval: Duration) -> Self {
        Self { budget, interval, pace: 0, window: None, costs: Vec::new(), calm_windows: 0 }
    }

    /// How many intervals lie between two ticks.
    pub(super) fn pace(&self) -> u32 {
        PACES[self.pace]
    }

    /// How many times its interval a collector is to wait between two runs.
    pub(super) fn stretch(&self, collector: usize) -> u32 {
        self.costs.get(collector).map_or(1, |cost| 1 << cost.halvings)
    }

    /// Takes the processor time that collecting has taken so far, and, when it is time to judge,
    /// that of each collector. Tells whether something changed.
    pub(super) fn look(
        &mut self,
        now: Duration,
        cpu: Duration,
        spent: impl FnOnce() -> Vec<Spent>,
    ) -> bool {
        let Some(window) = self.window else {
            // What the first runs cost says nothing about those that follow.
            self.window = Some(Window { started: now, cpu });
            let new = |last| Cost { last, of_run: 0.0, halvings: 0 };
            self.costs = spent().into_iter().map(new).collect();
            return false;
        };
        let elapsed = now.saturating_sub(window.started);
        if elapsed < WINDOW.max(2 * WINDOW / 10 * self.pace()) {
            return false;
        }
        self.window = Some(Window { started: now, cpu });
        for (cost, spent) in self.costs.iter_mut().zip(spent()) {
            cost.take(spent);
        }
        let share = cpu.saturating_sub(window.cpu).as_secs_f64() / elapsed.as_secs_f64();
        if share > self.budget {
            self.calm_windows = 0;
            // One costly run of what is read rarely is no habit either.
            self.expected(self.pace) > self.budget && self.slow_down()
        } else {
            self.give_back()
        }
    }

    /// The share of one processor that collecting takes in the long run at a pace.
    fn expected(&self, pace: usize) -> f64 {
        self.costs.iter().map(|cost| cost.share(self.tick(pace))).sum()
    }

    fn tick(&self, pace: usize) -> Duration {
        self.interval * PACES[pace]
    }

    /// Reads the dearest more rarely until the rest fits; when that is not enough, everything.
    fn slow_down(&mut self) -> bool {
        let tick = self.tick(self.pace);
        let mut changed = false;
        while self.expected(self.pace) > self.budget {
            let slowable = self.costs.iter_mut().filter(|cost| {
                let can = !cost.last.is_essential && cost.halvings < MAX_HALVINGS;
                can && cost.share(tick) > NEGLIGIBLE * self.budget
            });
            let dearest = slowable.max_by(|a, b| a.share(tick).total_cmp(&b.share(tick)));
            let Some(dearest) = dearest else {
                let pace = (self.pace + 1).min(PACES.len() - 1);
                changed |= pace != self.pace;
                self.pace = pace;
                break;
            };
            dearest.halvings += 1;
            changed = true;
        }
        changed
    }

    /// Gives the pace back first, then to the collectors that take least, while there is room.
    fn give_back(&mut self) -> bool {
        let room = MARGIN * self.budget;
        if self.pace > 0 {
            let fits = self.expected(self.pace - 1) < room;
            let give = fits && self.is_calm();
            self.calm_windows = if fits { self.calm_windows } else { 0 };
            self.pace -= usize::from(give);
            return give;
        }
        let Some(cheapest) = self.cheapest_slowed(room) else {
            self.calm_windows = 0;
            return false;
        };
        if !self.is_calm() {
            return false;
        }
        let mut next = Some(cheapest);
        while let Some(collector) = next {
            self.costs[collector].halvings -= 1;
            next = self.cheapest_slowed(room);
        }
        true
    }

    /// Counts a window in which something could be given back.
    fn is_calm(&mut self) -> bool {
        self.calm_windows += 1;
        let is_calm = self.calm_windows >= CALM_WINDOWS;
        if is_calm {
            self.calm_windows = 0;
        }
        is_calm
    }

    /// The slowed collector that takes least, if there is room for it to take twice as much.
    fn cheapest_slowed(&self, room: f64) -> Option<usize> {
        let tick = self.tick(self.pace);
        let share = |at: &usize| self.costs[*at].share(tick);
        let slowed = (0..self.costs.len()).filter(|at| self.costs[*at].halvings > 0);
        let cheapest = slowed.min_by(|a, b| share(a).total_cmp(&share(b)))?;
        (self.expected(self.pace) + share(&cheapest) < room).then_some(cheapest)
    }
}

impl Cost {
    fn take(&mut self, spent: Spent) {
        let runs = spent.runs.saturating_sub(self.last.runs);
        if runs > 0 {
            let cpu = spent.cpu.saturating_sub(self.last.cpu);
            self.of_run = cpu.as_secs_f64() / runs as f64;
        }
        self.last = spent;
    }

    /// Of one processor, in the long run.
    fn share(&self, tick: Duration) -> f64 {
        let interval = self.last.interval.saturating_mul(1 << self.halvings).max(tick);
        self.of_run / interval.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESSENTIAL: usize = 0;
    const CHEAP: usize = 1;
    const DEAR: usize = 2;
    /// Every 60 seconds.
    const RARE: usize = 3;

    /// A host whose collectors cost what they are told to.
    struct Host {
        governor: Governor,
        seconds: u64,
        spent: Vec<Spent>,
        cost_ms: [u64; 4],
    }

    impl Host {
        /// With a budget of 50 ms in a second.
        fn new(cost_ms: [u64; 4]) -> Self {
            let second = Duration::from_secs(1);
            let spent = |at| Spent {
                cpu: Duration::ZERO,
                runs: 0,
                interval: if at == RARE { 60 * second } else { second },
                is_essential: at == ESSENTIAL,
            };
            Self {
                governor: Governor::new(0.05, second),
                seconds: 0,
                spent: (0..4).map(spent).collect(),
                cost_ms,
            }
        }

        /// Lets time pass, and gives what has become of the pace and of the collectors.
        fn run(&mut self, seconds: u64) -> (u32, [u32; 4]) {
            let end = self.seconds + seconds;
            while self.seconds < end {
                self.seconds += 1;
                if !self.seconds.is_multiple_of(u64::from(self.governor.pace())) {
                    continue;
                }
                for (at, spent) in self.spent.iter_mut().enumerate() {
                    let every = spent.interval.as_secs() * u64::from(self.governor.stretch(at));
                    if self.seconds.is_multiple_of(every.max(u64::from(self.governor.pace()))) {
                        spent.runs += 1;
                        spent.cpu += Duration::from_millis(self.cost_ms[at]);
                    }
                }
                let cpu = self.spent.iter().map(|spent| spent.cpu).sum();
                let now = Duration::from_secs(self.seconds);
                self.governor.look(now, cpu, || self.spent.clone());
            }
            (self.governor.pace(), std::array::from_fn(|at| self.governor.stretch(at)))
        }
    }

    #[test]
    fn within_the_budget_nothing_changes() {
        assert_eq!(Host::new([10, 10, 20, 300]).run(3600), (1, [1; 4]));
    }

    #[test]
    fn a_burst_is_forgiven_and_so_is_a_costly_run_of_what_is_read_rarely() {
        let mut host = Host::new([5, 5, 10, 600]);
        host.run(15);
        host.cost_ms[DEAR] = 150;
        host.run(2);
        host.cost_ms[DEAR] = 10;
        assert_eq!(host.run(3600), (1, [1; 4]));
    }

    #[test]
    fn the_dearest_is_read_more_rarely_until_the_budget_is_kept() {
        assert_eq!(Host::new([10, 10, 50, 0]).run(15), (1, [1, 1, 2, 1]));
        assert_eq!(Host::new([10, 10, 200, 0]).run(15), (1, [1, 1, 8, 1]));
        // Also one that is read rarely, if it takes most.
        assert_eq!(Host::new([10, 10, 10, 6000]).run(150), (1, [1, 1, 1, 8]));
    }

    #[test]
    fn the_essential_ones_keep_their_pace_until_nothing_else_is_left() {
        let mut host = Host::new([40, 40, 400, 0]);
        assert_eq!(host.run(15), (2, [1, 16, 16, 1]));
        let mut host = Host::new([400, 10, 10, 0]);
        assert_eq!(host.run(15).1[ESSENTIAL], 1);
        assert_eq!(host.run(200).0, 10);
    }

    #[test]
    fn what_was_taken_is_given_back_when_the_cost_is_gone_and_not_before() {
        let mut host = Host::new([10, 10, 200, 0]);
        host.run(15);
        assert_eq!(host.run(3600), (1, [1, 1, 8, 1]));
        host.cost_ms[DEAR] = 5;
        assert_eq!(host.run(600), (1, [1; 4]));
        let mut host = Host::new([400, 10, 10, 0]);
        assert_eq!(host.run(600).0, 10);
        host.cost_ms[ESSENTIAL] = 5;
        assert_eq!(host.run(900), (1, [1; 4]));
        assert_eq!(host.governor.stretch(CHEAP), 1);
    }

    #[test]
    fn a_budget_of_nothing_stops_nothing() {
        let mut host = Host::new([1, 1, 1, 1]);
        host.governor.budget = 0.0;
        assert_eq!(host.run(300), (10, [1, 16, 16, 16]));
    }
}
