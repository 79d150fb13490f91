//! Starts and ends of processes as they happen: from the kernel's trace.
//!
//! Of Windows' two ways to hear of them this is the one that tells each process, with its exit
//! code, at no cost to others; events of WMI are made by comparing lists, or from the same trace by
//! a service between. Where the trace cannot be had, lists are compared.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use tracing_mutex::stdsync::Mutex;

use super::clock::unix_ms;
use super::drive::letters_by_device;
use super::failure;
use super::process::ProcessReader;
use super::service::names_by_pid;
use super::trace::{self, News, Session};
use super::wine::under_wine;
use crate::parse::kernel_process::{self, KernelProcessEvent};
use crate::process::events::{self, Exit};
use crate::process::{Facts, Vitals};
use crate::rate::Rate;
use crate::{Error, Setup};

const WHAT: &str = "trace of processes";

/// A thread that hears of every start and end and tells the events. It needs an administrator.
#[derive(Debug)]
pub(crate) struct ProcessListener {
    shared: Arc<Shared>,
    /// Its end is the thread's end.
    _session: Session,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl ProcessListener {
    /// # Errors
    /// Nobody wants events, or Windows refuses.
    pub(crate) fn start(setup: &Setup) -> Result<Self, Error> {
        if !setup.events.is_listening() {
            return Err(failure::absent(WHAT, "nobody listens to events"));
        }
        if under_wine() {
            // Its sessions start, and hear nothing.
            return Err(failure::absent(WHAT, "Wine keeps none"));
        }
        let session = Session::start()?;
        let shared = Arc::new(Shared::default());
        let hearing = Hearing::new(setup);
        let for_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("process-events".into())
            .spawn(move || hear(hearing, &for_thread))
            .map_err(|source| Error::Call {
                call: "spawn",
                object: "thread process-events".into(),
                source,
            })?;
        Ok(Self { shared, _session: session })
    }

    /// Why it has ended.
    pub(crate) fn failure(&self) -> Option<String> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ProcessListener {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn hear(mut hearing: Hearing, shared: &Shared) {
    // The session is on already: what starts meanwhile waits in its buffers.
    hearing.list_alive();
    let ended = trace::listen(&mut |news| hearing.take(&news));
    if !shared.stop.load(Ordering::Relaxed) {
        let why = match ended {
            Ok(()) => "another program has ended the trace of processes".to_owned(),
            Err(error) => crate::chain(&error),
        };
        *shared.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// What the thread knows.
struct Hearing {
    setup: Setup,
    reader: ProcessReader,
    rate: Rate,
    /// Processes whose start was told, or that were there before.
    alive: HashMap<u32, Alive>,
    /// `\Device\HarddiskVolume3` and its letter.
    letters: Vec<(String, char)>,
}

struct Alive {
    created: u64,
    parent: u32,
    facts: Facts,
}

impl Hearing {
    /// Each costs several calls.
    const PER_SECOND: u32 = 50;
    const BURST: u32 = 2000;
    /// What is there beyond these ends without particulars.
    const MAX_KNOWN: usize = 100_000;

    fn new(setup: &Setup) -> Self {
        Self {
            setup: setup.clone(),
            reader: ProcessReader::new(&setup.roots),
            rate: Rate::new(Self::PER_SECOND, Self::BURST),
            alive: HashMap::new(),
            letters: letters_by_device(),
        }
    }

    /// What runs already, so that its end can be told with its particulars.
    fn list_alive(&mut self) {
        let mut vitals = Vitals::default();
        let mut listed = self.reader.begin().map(drop);
        while listed.is_ok() && self.alive.len() < Self::MAX_KNOWN {
            match self.reader.next(&mut vitals, |_| true) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    listed = Err(error);
                    break;
                }
            }
            let facts = self.reader.facts_of(vitals.id.pid).unwrap_or_default();
            let facts = Facts { name: vitals.name.clone(), ..facts };
            let alive = Alive { created: vitals.id.start, parent: vitals.parent, facts };
            self.alive.insert(vitals.id.pid, alive);
        }
        if let Err(error) = listed {
            tracing::warn!(error = crate::chain(&error), "running processes not listed");
        }
    }

    fn take(&mut self, news: &News<'_>) {
        let event = match *news {
            News::Lost => {
                self.setup.events.lost(1);
                return;
            }
            News::Event { id, version, data } => kernel_process::parse(id, version, data),
        };
        let now_ms = self.setup.clock.now_ms();
        match event {
            None => {}
            Some(KernelProcessEvent::Started { pid, created, parent, image }) => {
                let Some(facts) = self.details(pid, parent, &image) else { return };
                let time_ms = unix_ms(created).unwrap_or(now_ms);
                self.setup.events.happened(events::started(time_ms, pid, parent, &facts));
                self.alive.insert(pid, Alive { created, parent, facts });
            }
            Some(KernelProcessEvent::Ended { pid, created, ended, exit_code, name }) => {
                let alive = self.alive.remove(&pid).filter(|alive| alive.created == created);
                // One whose start was lost.
                let nameless = || Facts { name: if_any(&name), ..Facts::default() };
                let (parent, facts) =
                    alive.map_or_else(|| (0, nameless()), |alive| (alive.parent, alive.facts));
                let time_ms = unix_ms(ended).unwrap_or(now_ms);
                let exit = Exit::Code(exit_code.into());
                self.setup.events.happened(events::ended(time_ms, pid, parent, &facts, exit));
            }
        }
    }

    /// Nothing when there are too many to look at. Of a process that is gone already the event
    /// alone tells.
    fn details(&mut self, pid: u32, parent: u32, image: &str) -> Option<Facts> {
        if self.alive.len() >= Self::MAX_KNOWN || !self.rate.allows(self.setup.clock.monotonic()) {
            self.setup.events.lost(1);
            return None;
        }
        let name = if_any(file_name(image));
        // Its number may have been given anew meanwhile.
        let is_same = |facts: &Facts| {
            let path = facts.path.as_deref();
            path.is_none_or(|path| file_name(path).eq_ignore_ascii_case(&name))
        };
        let mut facts = self.reader.facts_of(pid).filter(is_same).unwrap_or_default();
        facts.path = facts.path.or_else(|| with_letter(image, &self.letters));
        let parent = self.alive.get(&parent);
        if parent.is_some_and(|parent| parent.facts.name.eq_ignore_ascii_case("services.exe")) {
            facts.service = names_by_pid().remove(&pid);
        }
        Some(Facts { name, ..facts })
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

fn if_any(name: &str) -> String {
    if name.is_empty() { "?".to_owned() } else { name.to_owned() }
}

/// The path that people know, where the device has a letter; without one, the device's.
fn with_letter(image: &str, letters: &[(String, char)]) -> Option<String> {
    if image.is_empty() {
        return None;
    }
    let known = letters.iter().find_map(|(device, letter)| {
        let rest = image.strip_prefix(device.as_str()).filter(|rest| rest.starts_with('\\'))?;
        Some(format!("{letter}:{rest}"))
    });
    Some(known.unwrap_or_else(|| image.to_owned()))
}

#[cfg(test)]
mod tests;
