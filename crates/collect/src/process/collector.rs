//! Reads all processes, as often as their number allows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Desc};

use super::events;
use super::group::{self, GroupTotals};
use super::latest::EventSource;
use super::reading::Vitals;
use super::snapshot::ProcessSnapshot;
use super::table::{Known, Look, Moment, ProcessTable};
use crate::platform::{ProcessListener, ProcessReader};
use crate::{Collector, Error, Setup, Sink};

/// Reads in slices, so that thousands of processes do not keep the other collectors waiting;
/// what a whole pass found becomes the latest snapshot, the series of watched names, and events.
#[derive(Debug)]
pub(crate) struct ProcessCollector {
    setup: Setup,
    reader: ProcessReader,
    table: ProcessTable,
    totals: Vec<GroupTotals>,
    pass: Pass,
    /// When somebody last asked for the list.
    asked: Option<Duration>,
    listener: Listener,
    told_of_denied: bool,
    vitals: Vitals,
}

/// The pass that is under way, or the last one.
#[derive(Debug, Clone, Copy)]
enum Pass {
    None,
    UnderWay { began: Duration },
    Done { began: Duration },
}

/// Where events come from.
#[derive(Debug)]
enum Listener {
    Untried,
    Kernel(ProcessListener),
    Differences,
}

impl ProcessCollector {
    /// Of a tick that everything else has to share.
    const SLICE: Duration = Duration::from_millis(20);
    /// Once, so that the first snapshot is there soon.
    const FIRST_SLICE: Duration = Duration::from_millis(200);
    /// Processes between two looks at the clock.
    const BETWEEN_LOOKS: usize = 32;
    /// A tick that comes this much early is not left out.
    const TOLERANCE: Duration = Duration::from_millis(500);
    /// Between two passes when nobody looks: as often as lists are stored.
    const UNWATCHED: Duration = Duration::from_secs(10);
    /// For how long somebody who has asked is taken to look.
    const LOOKS_FOR: Duration = Duration::from_secs(30);

    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            reader: ProcessReader::new(&setup.roots),
            table: ProcessTable::new(setup.watch.get()),
            totals: Vec::new(),
            pass: Pass::None,
            asked: None,
            listener: Listener::Untried,
            told_of_denied: false,
            vitals: Vitals::default(),
            setup: setup.clone(),
        }
    }

    /// The time between two passes over so many processes while somebody looks.
    fn cadence(processes: usize) -> Duration {
        Duration::from_secs(match processes {
            0..=500 => 2,
            501..=2000 => 5,
            2001..=10_000 => 15,
            _ => 60,
        })
    }

    /// The time between two passes now. Who watches a name wants its series, and where the kernel
    /// does not tell of starts and ends, the passes find them.
    fn interval(&self, now: Duration) -> Duration {
        let is_asked = self.asked.is_some_and(|at| now.saturating_sub(at) < Self::LOOKS_FOR);
        let is_told = matches!(self.listener, Listener::Kernel(_));
        let cadence = Self::cadence(self.table.len());
        // The first two make the first shares of the processor.
        if is_asked || !is_told || self.table.watch().names().len() > 0 || self.table.passes() < 2 {
            cadence
        } else {
            cadence.max(Self::UNWATCHED)
        }
    }

    /// Passes in which an idle process is looked at once: in ten seconds, as often as lists are
    /// stored, or in each pass where these are rarer.
    fn idle_turns(interval: Duration) -> u64 {
        Self::UNWATCHED.as_secs() / interval.as_secs().max(1)
    }

    /// Names that are watched from now on begin with nothing used; those that stay go on.
    fn take_watch(&mut self) {
        let watch = self.setup.watch.get();
        if watch == *self.table.watch() {
            return;
        }
        let before = self.table.watch().names().map(str::to_owned).zip(self.totals.drain(..));
        let before: HashMap<String, GroupTotals> = before.collect();
        self.totals =
            watch.names().map(|name| before.get(name).copied().unwrap_or_default()).collect();
        self.table.set_watch(watch);
    }

    fn listen(&mut self) {
        let failure = match &self.listener {
            Listener::Differences => return,
            Listener::Kernel(listener) => match listener.failure() {
                None => return,
                Some(why) => why,
            },
            Listener::Untried => match ProcessListener::start(&self.setup) {
                Ok(listener) => {
                    self.listener = Listener::Kernel(listener);
                    self.setup.processes.set_event_source(EventSource::Kernel);
                    return;
                }
                Err(error) => barograph_model::chain(&error),
            },
        };
        tracing::info!(why = failure, "starts and ends of processes are found by comparing lists");
        self.listener = Listener::Differences;
        self.setup.processes.set_event_source(EventSource::Differences { why: failure });
    }

    /// One slice of the pass; whether it was the last, and the first thing that was odd.
    fn slice(&mut self) -> (bool, Option<Error>) {
        let length = if self.table.is_first_pass() { Self::FIRST_SLICE } else { Self::SLICE };
        let until = self.setup.clock.monotonic() + length;
        let mut odd = None;
        for read in 1_usize.. {
            if read.is_multiple_of(Self::BETWEEN_LOOKS) && self.setup.clock.monotonic() >= until {
                return (false, odd);
            }
            let table = &mut self.table;
            match self.reader.next(&mut self.vitals, |pid| table.wants(pid)) {
                Ok(true) => {
                    if let Err(error) = self.look() {
                        odd.get_or_insert(error);
                    }
                }
                Ok(false) => break,
                Err(error) => {
                    odd.get_or_insert(error);
                }
            }
        }
        (true, odd)
    }

    fn look(&mut self) -> Result<(), Error> {
        let clock: &Arc<dyn Clock> = &self.setup.clock;
        let now = Moment { monotonic: clock.monotonic(), time_ms: clock.now_ms() };
        let (look, replaced) = self.table.look(&self.vitals, now, &mut self.reader)?;
        if let Some(ended) = &replaced {
            self.tell_ended(now.time_ms, ended);
        }
        if look == Look::New && self.tells_differences() {
            let id = self.vitals.id;
            if let Some(known) = self.table.get(id.pid) {
                let time_ms = known.vitals.started_ms.unwrap_or(now.time_ms).min(now.time_ms);
                let event = events::started(time_ms, id.pid, self.vitals.parent, &known.facts);
                self.setup.events.happened(event);
            }
        }
        Ok(())
    }

    /// What is there at the first pass started before, at a time nobody asked about.
    fn tells_differences(&self) -> bool {
        matches!(self.listener, Listener::Differences) && !self.table.is_first_pass()
    }

    fn tell_ended(&mut self, time_ms: i64, known: &Known) {
        if self.tells_differences() {
            let (id, parent) = (known.vitals.id, known.vitals.parent);
            let exit = self.reader.exit(id);
            let event = events::ended(time_ms, id.pid, parent, &known.facts, exit);
            self.setup.events.happened(event);
        }
    }

    fn finish(&mut self, out: &mut dyn Sink) {
        let time_ms = self.setup.clock.now_ms();
        for ended in self.table.end() {
            self.tell_ended(time_ms, &ended);
        }
        let mut processes = Vec::with_capacity(self.table.len());
        processes.extend(self.table.iter().map(Known::process));
        processes.sort_unstable_by_key(|process| process.id);
        let denied = self.table.iter().filter(|known| known.is_denied()).count();
        if denied > 0 && !self.told_of_denied {
            self.told_of_denied = true;
            tracing::info!(denied, "the system refuses to tell particulars of some processes");
        }
        let total = processes.len();
        self.setup.processes.set_snapshot(ProcessSnapshot { time_ms, processes, total, denied });
        group::push(&mut self.totals, &self.table, out);
    }
}

impl Collector for ProcessCollector {
    fn name(&self) -> &'static str {
        "process"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &group::DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        self.listen();
        let now = self.setup.clock.monotonic();
        if self.setup.processes.was_asked() {
            self.asked = Some(now);
        }
        self.take_watch();
        let interval = self.interval(now);
        let began = match self.pass {
            Pass::UnderWay { began } => began,
            Pass::Done { began } if now + Self::TOLERANCE < began + interval => return Ok(()),
            Pass::Done { .. } | Pass::None => {
                self.reader.begin()?;
                self.table.begin(Self::idle_turns(interval));
                self.pass = Pass::UnderWay { began: now };
                now
            }
        };
        let (is_whole, odd) = self.slice();
        if is_whole {
            self.pass = Pass::Done { began };
            self.finish(out);
        }
        odd.map_or(Ok(()), Err)
    }
}
