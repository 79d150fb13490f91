//! The sampler thread, the thread that watches it, and what they share.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use barograph_model::{Batch, Sample};
use tracing_mutex::stdsync::{Condvar, Mutex, MutexGuard};

use super::governor::{Governor, Spent};
use super::health::{CollectorState, Health, Run};
use super::schedule::{Next, Schedule, floor};
use super::series::Series;
use super::{RunnerSettings, RunnerStatus, StartError};
use crate::platform::thread_cpu_time;
use crate::{Collector, Error};

pub(super) struct Shared {
    settings: RunnerSettings,
    state: Mutex<State>,
    /// Told when the state changes in a way that a waiting thread must see before its time.
    changed: Condvar,
    deliver: Mutex<Deliver>,
}

type Deliver = Box<dyn FnMut(Batch) + Send>;

struct State {
    schedule: Schedule,
    /// In the order of their turns.
    slots: Vec<Slot>,
    round: Option<Round>,
    running: Option<Running>,
    /// The number of the sampler thread that is in charge. Earlier ones hang in a collector.
    sampler: u64,
    sampler_ended: bool,
    stopping: bool,
    ticks: u64,
    missed_ticks: u64,
    clock_jumps: u64,
    governor: Governor,
    /// Processor time of all runs that came back.
    cpu: Duration,
}

struct Slot {
    /// Away while it runs.
    worker: Option<Box<Worker>>,
    health: Health,
    /// The first tick at which it runs again, in milliseconds since 1970.
    due_ms: i64,
    is_essential: bool,
}

impl Slot {
    fn spent(&self) -> Spent {
        let status = self.health.status();
        Spent {
            cpu: status.total_cpu,
            runs: status.runs,
            interval: self.health.unstretched(),
            is_essential: self.is_essential,
        }
    }
}

struct Worker {
    collector: Box<dyn Collector>,
    series: Series,
    samples: Vec<Sample>,
}

/// A tick under way.
struct Round {
    time_ms: i64,
    /// Monotonic.
    opened: Duration,
    /// Whose turn has not come yet, the next one last.
    turns: Vec<usize>,
    samples: Vec<Sample>,
}

struct Running {
    slot: usize,
    /// Monotonic.
    since: Duration,
}

/// What the sampler thread does next.
enum Step {
    Wait(Duration),
    Run(usize, Box<Worker>),
    Deliver(Batch),
    End,
}

/// Starts the threads.
pub(super) fn start(shared: &Arc<Shared>) -> Result<(), StartError> {
    spawn("barograph-watch", shared, watch)?;
    spawn_sampler(shared, 0).inspect_err(|_| {
        shared.lock().stopping = true;
        shared.changed.notify_all();
    })
}

fn spawn_sampler(shared: &Arc<Shared>, number: u64) -> Result<(), StartError> {
    spawn("barograph-sample", shared, move |shared| shared.sample(number))
}

fn spawn(
    name: &'static str,
    shared: &Arc<Shared>,
    body: impl FnOnce(&Arc<Shared>) + Send + 'static,
) -> Result<(), StartError> {
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name(name.into())
        .spawn(move || body(&shared))
        .map(drop)
        .map_err(|source| StartError::Thread { name, source })
}

/// Gives up collectors that pass their hard deadline.
fn watch(shared: &Arc<Shared>) {
    let RunnerSettings { hard_deadline, clock, .. } = &shared.settings;
    let mut state = shared.lock();
    while !state.stopping {
        let now = clock.monotonic();
        let wait = match &state.running {
            None => state.schedule.until_next(clock.now_ms()) + *hard_deadline,
            Some(running) => (running.since + *hard_deadline).saturating_sub(now),
        };
        if wait.is_zero() {
            match spawn_sampler(shared, state.sampler + 1) {
                Ok(()) => state.give_up(*hard_deadline),
                // Try again: the collector may come back, or memory be had again.
                Err(error) => {
                    tracing::error!(error = crate::chain(&error), "sampler thread not started");
                    state = shared.wait(state, *hard_deadline);
                }
            }
            continue;
        }
        state = shared.wait(state, wait);
    }
}

impl Shared {
    pub(super) fn new(
        settings: RunnerSettings,
        mut collectors: Vec<Box<dyn Collector>>,
        deliver: Deliver,
    ) -> Self {
        // Stable: within each kind, the order of the registry.
        collectors.sort_by_key(|collector| collector.may_block());
        let slots = collectors
            .into_iter()
            .map(|collector| Slot {
                health: Health::new(collector.name(), collector.interval().max(settings.interval)),
                due_ms: i64::MIN,
                is_essential: collector.is_essential(),
                worker: Some(Box::new(Worker {
                    series: Series::new(settings.host.clone(), collector.descs()),
                    collector,
                    samples: Vec::new(),
                })),
            })
            .collect();
        let state = State {
            schedule: Schedule::new(settings.interval),
            slots,
            round: None,
            running: None,
            sampler: 0,
            sampler_ended: false,
            stopping: false,
            ticks: 0,
            missed_ticks: 0,
            clock_jumps: 0,
            governor: Governor::new(settings.cpu_budget, settings.interval),
            cpu: Duration::ZERO,
        };
        Self {
            settings,
            state: Mutex::new(state),
            changed: Condvar::new(),
            deliver: Mutex::new(deliver),
        }
    }

    pub(super) fn status(&self) -> RunnerStatus {
        let state = self.lock();
        let mut collectors: Vec<_> =
            state.slots.iter().map(|slot| slot.health.status().clone()).collect();
        collectors.sort_by_key(|status| status.name);
        RunnerStatus {
            ticks: state.ticks,
            missed_ticks: state.missed_ticks,
            clock_jumps: state.clock_jumps,
            pace: state.governor.pace(),
            cpu: state.cpu,
            collectors,
        }
    }

    pub(super) fn stop(&self) -> Vec<&'static str> {
        let mut state = self.lock();
        // The second to ask does not wait: the first has, as long as it is worth.
        let was_stopping = std::mem::replace(&mut state.stopping, true);
        self.changed.notify_all();
        let patience = if was_stopping { Duration::ZERO } else { self.settings.hard_deadline * 2 };
        state = self
            .changed
            .wait_timeout_while(state, patience, |state| !state.sampler_ended)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        state.slots.iter().filter(|s| s.worker.is_none()).map(|s| s.health.status().name).collect()
    }

    /// The life of a sampler thread.
    fn sample(&self, number: u64) {
        let mut state = self.lock();
        // Processor time of the thread when the run before ended: asking the system for it costs
        // as much as some collectors do.
        let mut spent = None;
        while state.sampler == number {
            match state.step(&self.settings) {
                Step::Wait(time) => {
                    state = self.wait(state, time);
                    spent = None;
                }
                Step::Run(slot, mut worker) => {
                    drop(state);
                    let before = spent.unwrap_or_else(thread_cpu_time);
                    let run = worker.run(before, &self.settings);
                    spent = Some(before + run.cpu);
                    state = self.lock();
                    state.came_back(number, slot, worker, &run, &self.settings);
                }
                Step::Deliver(batch) => {
                    drop(state);
                    self.deliver(batch);
                    state = self.lock();
                    spent = None;
                }
                Step::End => {
                    state.sampler_ended = true;
                    self.changed.notify_all();
                    return;
                }
            }
        }
    }

    fn deliver(&self, batch: Batch) {
        let mut deliver = self.deliver.lock().unwrap_or_else(PoisonError::into_inner);
        let time_ms = batch.time_ms;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| deliver(batch))) {
            let error = message(panic.as_ref());
            tracing::error!(time_ms, error, "a tick was lost: its receiver panicked");
        }
    }

    /// The state is whole after any panic: nothing panics while it is half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn step(&mut self, settings: &RunnerSettings) -> Step {
        let now = settings.clock.monotonic();
        if let Some(round) = &mut self.round {
            let is_late = now.saturating_sub(round.opened) >= max_age(settings);
            while let Some(slot) = round.turns.pop() {
                let taken = &mut self.slots[slot];
                if is_late {
                    taken.health.late();
                } else if let Some(worker) = taken.worker.take() {
                    self.running = Some(Running { slot, since: now });
                    return Step::Run(slot, worker);
                }
            }
        }
        if let Some(round) = self.round.take() {
            self.ticks += 1;
            self.keep_to_budget(settings, now);
            return Step::Deliver(Batch { time_ms: round.time_ms, samples: round.samples });
        }
        if self.stopping {
            return Step::End;
        }
        let (next, leapt) = self.schedule.look(settings.clock.now_ms(), now);
        if leapt {
            self.clock_jumps += 1;
            for slot in &mut self.slots {
                slot.due_ms = i64::MIN;
            }
        }
        match next {
            Next::Wait(time) => Step::Wait(time),
            Next::Tick(tick) => {
                self.missed_ticks += tick.missed;
                self.open(tick.time_ms, now);
                self.step(settings)
            }
        }
    }

    fn keep_to_budget(&mut self, settings: &RunnerSettings, now: Duration) {
        let slots = &self.slots;
        let spent = || slots.iter().map(Slot::spent).collect();
        let pace_before = self.governor.pace();
        if !self.governor.look(now, self.cpu, spent) {
            return;
        }
        for (number, slot) in self.slots.iter_mut().enumerate() {
            slot.health.set_stretch(self.governor.stretch(number));
        }
        let pace = self.governor.pace();
        if pace == pace_before {
            return;
        }
        self.schedule.set_interval(settings.interval * pace);
        if pace == 1 {
            tracing::info!("collecting keeps its budget again, back to every tick");
        } else {
            let budget_percent = settings.cpu_budget * 100.0;
            tracing::warn!(pace, budget_percent, "collecting costs too much, ticks get rarer");
        }
    }

    fn open(&mut self, time_ms: i64, now: Duration) {
        let mut turns = Vec::with_capacity(self.slots.len());
        let mut samples = 0;
        for (i, slot) in self.slots.iter_mut().enumerate().rev() {
            let status = slot.health.status();
            if slot.worker.is_some() && time_ms >= slot.due_ms {
                let interval_ms = i64::try_from(status.interval.as_millis()).unwrap_or(i64::MAX);
                slot.due_ms = floor(time_ms, interval_ms).saturating_add(interval_ms);
                samples += status.samples;
                turns.push(i);
            }
        }
        let samples = Vec::with_capacity(samples);
        self.round = Some(Round { time_ms, opened: now, turns, samples });
    }

    fn came_back(
        &mut self,
        sampler: u64,
        slot: usize,
        mut worker: Box<Worker>,
        run: &Run,
        settings: &RunnerSettings,
    ) {
        let now = settings.clock.monotonic();
        self.cpu += run.cpu;
        let taken = &mut self.slots[slot];
        if self.sampler == sampler {
            self.running = None;
            taken.health.ran(run, settings.soft_deadline, now);
            if let Some(round) = &mut self.round {
                let status = taken.health.status();
                if status.state == CollectorState::Absent {
                    let wait_ms = i64::try_from(status.interval.as_millis()).unwrap_or(i64::MAX);
                    taken.due_ms = round.time_ms.saturating_add(wait_ms);
                }
                if now.saturating_sub(round.opened) < max_age(settings) {
                    round.samples.append(&mut worker.samples);
                } else {
                    taken.health.late();
                }
            }
        } else {
            taken.health.unstuck(run);
        }
        worker.samples.clear();
        taken.worker = Some(worker);
    }

    /// Leaves the running collector with the thread that it hangs on.
    fn give_up(&mut self, hard_deadline: Duration) {
        self.sampler += 1;
        if let Some(running) = self.running.take() {
            self.slots[running.slot].health.stuck(hard_deadline);
        }
    }
}

impl Worker {
    fn run(&mut self, cpu_before: Duration, settings: &RunnerSettings) -> Run {
        let started = settings.clock.monotonic();
        let mut sink = self.series.sink(&mut self.samples);
        let collector = &mut self.collector;
        let result = catch_unwind(AssertUnwindSafe(|| collector.collect(&mut sink)))
            .unwrap_or_else(|panic| {
                Err(Error::Panic { message: message(panic.as_ref()).to_owned() })
            });
        let refused = self.series.finish();
        Run {
            duration: settings.clock.monotonic().saturating_sub(started),
            cpu: thread_cpu_time().saturating_sub(cpu_before),
            samples: self.samples.len(),
            result: result.and(refused),
        }
    }
}

/// How long after its opening a tick still takes samples: later they would stand at the wrong
/// time.
fn max_age(settings: &RunnerSettings) -> Duration {
    settings.interval.min(Duration::from_secs(1))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}
