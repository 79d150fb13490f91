//! What is known about every process from one reading to the next.
//!
//! A pass finds all processes. It looks at those that did something at their last look, are young
//! or are watched, and in turn at some of the idle ones: on most machines nine of ten are idle.
//! Now and then a process is looked at closely.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use super::reading::{Extras, Facts, IoTotals, Vitals};
use super::snapshot::Process;
use super::watch::{Groups, Watch};
use crate::Error;
use crate::increase::increase;
use crate::platform::ProcessReader;

/// The processes, by number.
#[derive(Debug, Default)]
pub(crate) struct ProcessTable {
    known: HashMap<u32, Known>,
    /// Counts the passes, from 1.
    pass: u64,
    watch: Watch,
    /// Whether every process is looked at closely in every pass.
    is_thorough: bool,
    /// An idle process is looked at in one of so many passes.
    idle_turns: u64,
}

/// When a look is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) monotonic: Duration,
    /// Since 1970-01-01 UTC.
    pub(crate) time_ms: i64,
}

/// One process.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) vitals: Vitals,
    pub(crate) facts: Arc<Facts>,
    pub(crate) extras: Extras,
    /// What it used since the pass before; at the first one, all that it ever did.
    pub(crate) used: Used,
    pub(crate) groups: Groups,
    /// The time in which it used that, where it is known.
    pub(crate) seconds: Option<f64>,
    /// When the vitals were read, monotonic.
    read_at: Duration,
    /// When the extras were.
    extras_at: Option<Duration>,
    /// Whether it started after the first pass, so that all it did is new.
    is_new: bool,
    io_rates: Option<[f64; 2]>,
    cpu_percent: Option<[f64; 2]>,
    pub(crate) first_pass: u64,
    last_pass: u64,
    looks: u64,
}

/// Increases between two passes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Used {
    pub(crate) user_seconds: f64,
    pub(crate) privileged_seconds: f64,
    pub(crate) read_bytes: f64,
    pub(crate) written_bytes: f64,
    pub(crate) reads: f64,
    pub(crate) writes: f64,
    pub(crate) page_faults: f64,
}

/// What a look at one process found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Same,
    New,
}

impl ProcessTable {
    /// One in so many looks at a process that does something is a close one.
    const LOOKS_PER_CLOSE_LOOK: u64 = 4;
    /// The same for an idle one: its memory and files hardly change.
    const LOOKS_PER_CLOSE_LOOK_IF_IDLE: u64 = 16;
    /// Of which a process is young, and changes: it loads its program and finds its work.
    const YOUNG_PASSES: u64 = 5;

    pub(crate) fn new(watch: Watch) -> Self {
        Self { watch, ..Self::default() }
    }

    /// Looks at every process closely in every pass.
    pub(crate) fn thorough(watch: Watch) -> Self {
        Self { is_thorough: true, ..Self::new(watch) }
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Watches other names, also those of processes that are there.
    pub(crate) fn set_watch(&mut self, watch: Watch) {
        for known in self.known.values_mut() {
            known.groups = watch.groups(&known.facts.name);
        }
        self.watch = watch;
    }

    /// Starts a pass in which one in `idle_turns` of the idle processes is looked at.
    pub(crate) fn begin(&mut self, idle_turns: u64) {
        self.pass += 1;
        self.idle_turns = idle_turns.max(1);
    }

    /// Takes notice that a process is there. Whether it is to be looked at as well.
    pub(crate) fn wants(&mut self, pid: u32) -> bool {
        let turn = (u64::from(pid) + self.pass).is_multiple_of(self.idle_turns);
        match self.known.get_mut(&pid) {
            Some(known) if !turn && !self.is_thorough && known.rests(self.pass) => {
                known.last_pass = self.pass;
                false
            }
            _ => true,
        }
    }

    /// Passes that were begun.
    pub(crate) fn passes(&self) -> u64 {
        self.pass
    }

    pub(crate) fn is_first_pass(&self) -> bool {
        self.pass <= 1
    }

    /// Takes in what was read of one process, and reads more where that is due. Also gives the
    /// process that had the number before.
    ///
    /// # Errors
    /// The system says something that is not understood.
    pub(crate) fn look(
        &mut self,
        vitals: &Vitals,
        now: Moment,
        reader: &mut ProcessReader,
    ) -> Result<(Look, Option<Known>), Error> {
        let pid = vitals.id.pid;
        let is_other = self.known.get(&pid).is_some_and(|known| known.vitals.id != vitals.id);
        let replaced = if is_other { self.known.remove(&pid) } else { None };
        let (look, known) = match self.known.entry(pid) {
            Entry::Occupied(known) => {
                let known = known.into_mut();
                known.update(vitals, now, self.pass, reader, &self.watch);
                (Look::Same, known)
            }
            Entry::Vacant(place) => {
                let facts = Arc::new(reader.facts(vitals));
                let groups = self.watch.groups(&facts.name);
                (Look::New, place.insert(Known::new(vitals, facts, groups, now, self.pass)))
            }
        };
        // Many processes end before a second look, and a first one says little.
        let is_first = look == Look::New && self.pass > 1;
        let worked = known.used.user_seconds + known.used.privileged_seconds > 0.0;
        let looks_per_close_look =
            if worked { Self::LOOKS_PER_CLOSE_LOOK } else { Self::LOOKS_PER_CLOSE_LOOK_IF_IDLE };
        let is_turn = known.looks.is_multiple_of(looks_per_close_look);
        let close = !is_first && (is_turn || known.extras_at.is_none());
        let is_watched = known.groups != Groups::NONE;
        if self.is_thorough || close || is_watched {
            if reader.knows_better(&known.facts) {
                known.facts = Arc::new(reader.facts(vitals));
            }
            let extras = reader.extras(vitals.id)?;
            known.take_extras(extras, now);
        } else if worked {
            let io = reader.io_totals(vitals.id)?;
            known.take_extras(Extras { io, ..known.extras }, now);
        } else {
            known.io_rates = known.io_rates.map(|_| [0.0; 2]);
            known.set_io_used([0.0; 4]);
        }
        Ok((look, replaced))
    }

    /// Ends the pass, and gives what was not seen in it.
    pub(crate) fn end(&mut self) -> Vec<Known> {
        let pass = self.pass;
        let gone = self.known.extract_if(|_, known| known.last_pass != pass);
        gone.map(|(_, known)| known).collect()
    }

    pub(crate) fn get(&self, pid: u32) -> Option<&Known> {
        self.known.get(&pid)
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }
}

fn age_seconds(vitals: &Vitals, now: Moment) -> Option<f64> {
    let age_ms = now.time_ms.saturating_sub(vitals.started_ms?);
    Some(age_ms.max(10) as f64 / 1e3)
}

impl Known {
    fn new(vitals: &Vitals, facts: Arc<Facts>, groups: Groups, now: Moment, pass: u64) -> Self {
        // Of what was there before the first pass nobody can tell what it used just now.
        let is_new = pass > 1;
        let age_seconds = if is_new { age_seconds(vitals, now) } else { None };
        let used = [vitals.user_seconds, vitals.privileged_seconds];
        Self {
            vitals: vitals.clone(),
            facts,
            extras: Extras::default(),
            used: Used {
                user_seconds: used[0],
                privileged_seconds: used[1],
                page_faults: vitals.page_faults as f64,
                ..Used::default()
            },
            groups,
            seconds: age_seconds,
            read_at: now.monotonic,
            extras_at: None,
            is_new,
            io_rates: None,
            cpu_percent: age_seconds.map(|seconds| used.map(|used| 100.0 * used / seconds)),
            first_pass: pass,
            last_pass: pass,
            // Not all that started together get their close looks together.
            looks: vitals.id.pid.into(),
        }
    }

    /// Whether nothing is missed by not looking for a while.
    fn rests(&self, pass: u64) -> bool {
        let worked = self.used.user_seconds + self.used.privileged_seconds > 0.0;
        let is_young = pass - self.first_pass < ProcessTable::YOUNG_PASSES;
        !worked && !is_young && self.groups == Groups::NONE
    }

    fn update(
        &mut self,
        vitals: &Vitals,
        now: Moment,
        pass: u64,
        reader: &mut ProcessReader,
        watch: &Watch,
    ) {
        // It runs another program.
        if vitals.name != self.vitals.name {
            let facts = reader.facts(vitals);
            if facts != *self.facts {
                self.groups = watch.groups(&facts.name);
                self.facts = Arc::new(facts);
            }
        }
        let seconds = now.monotonic.saturating_sub(self.read_at).as_secs_f64();
        self.used.user_seconds = increase(self.vitals.user_seconds, vitals.user_seconds);
        self.used.privileged_seconds =
            increase(self.vitals.privileged_seconds, vitals.privileged_seconds);
        self.used.page_faults = increase(self.vitals.page_faults as f64, vitals.page_faults as f64);
        self.seconds = Some(seconds).filter(|seconds| *seconds > 0.0);
        if seconds > 0.0 {
            let used = [self.used.user_seconds, self.used.privileged_seconds];
            self.cpu_percent = Some(used.map(|used| 100.0 * used / seconds));
        }
        self.vitals.clone_from(vitals);
        self.read_at = now.monotonic;
        self.last_pass = pass;
        self.looks += 1;
    }

    fn take_extras(&mut self, extras: Extras, now: Moment) {
        let before = match self.extras_at {
            Some(_) => self.extras.io,
            None => Some(IoTotals::default()),
        };
        let seconds = match self.extras_at {
            Some(at) => Some(now.monotonic.saturating_sub(at).as_secs_f64()),
            None if self.is_new => age_seconds(&self.vitals, now),
            None => None,
        };
        let increases = before.zip(extras.io).map(|(before, io)| {
            [
                (before.read_bytes, io.read_bytes),
                (before.written_bytes, io.written_bytes),
                (before.reads, io.reads),
                (before.writes, io.writes),
            ]
            .map(|(before, now)| increase(before as f64, now as f64))
        });
        self.io_rates = match (increases, seconds) {
            (Some([read, written, ..]), Some(seconds)) if seconds > 0.0 => {
                Some([read, written].map(|increase| increase / seconds))
            }
            _ => None,
        };
        self.set_io_used(increases.unwrap_or_default());
        self.extras = extras;
        self.extras_at = Some(now.monotonic);
    }

    fn set_io_used(&mut self, [read_bytes, written_bytes, reads, writes]: [f64; 4]) {
        self.used = Used { read_bytes, written_bytes, reads, writes, ..self.used };
    }

    pub(crate) fn is_denied(&self) -> bool {
        self.extras.denied || self.facts.denied
    }

    pub(crate) fn process(&self) -> Process {
        Process {
            id: self.vitals.id,
            parent: self.vitals.parent,
            started_ms: self.vitals.started_ms,
            facts: Arc::clone(&self.facts),
            state: self.vitals.state,
            cpu_user_percent: self.cpu_percent.map(|[user, _]| user),
            cpu_privileged_percent: self.cpu_percent.map(|[_, privileged]| privileged),
            working_set_bytes: self.vitals.working_set_bytes,
            virtual_bytes: self.vitals.virtual_bytes,
            page_file_bytes: self.extras.page_file_bytes,
            threads: self.vitals.threads,
            handles: self.extras.handles,
            read_bytes_per_second: self.io_rates.map(|[read, _]| read),
            written_bytes_per_second: self.io_rates.map(|[_, written]| written),
        }
    }
}
