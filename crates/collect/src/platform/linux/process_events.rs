//! Starts and ends of processes as they happen, from the kernel's process connector.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

use super::process::ProcessReader;
use super::process_connector::{Heard, ProcessConnector};
use crate::parse::proc_connector::ProcEvent;
use crate::process::events::{self, Exit};
use crate::process::{Facts, Vitals};
use crate::rate::Rate;
use crate::{Error, Setup};

/// A thread that hears of every start and end and tells the events. It needs `CAP_NET_ADMIN`,
/// and the process namespace that the machine booted with.
#[derive(Debug)]
pub(crate) struct ProcessListener {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    failure: Mutex<Option<String>>,
}

const CONNECTOR: &str = "process connector";

impl ProcessListener {
    /// Starts to listen. Whether the kernel has agreed turns out later, in
    /// [`ProcessListener::failure`].
    ///
    /// # Errors
    /// Nobody wants events, another machine's `/proc` is read, or the kernel refuses.
    pub(crate) fn start(setup: &Setup) -> Result<Self, Error> {
        let absent = |why: &str| Error::Absent { what: CONNECTOR, why: why.to_owned() };
        if !setup.events.is_listening() {
            return Err(absent("nobody listens to events"));
        }
        if setup.roots.proc != Path::new("/proc") {
            return Err(absent("it tells of this system, and another one's /proc is read"));
        }
        let connector = ProcessConnector::open().map_err(|errno| match errno {
            Errno::PERM | Errno::ACCESS => absent("the capability CAP_NET_ADMIN is missing"),
            Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT => absent("this kernel has none"),
            errno => {
                Error::Call { call: "socket", object: CONNECTOR.to_owned(), source: errno.into() }
            }
        })?;
        let shared = Arc::new(Shared::default());
        let hearing = Hearing::new(setup, connector, Arc::clone(&shared));
        std::thread::Builder::new()
            .name("process-events".into())
            .spawn(move || hearing.run())
            .map_err(|source| Error::Call {
                call: "spawn",
                object: "thread process-events".into(),
                source,
            })?;
        Ok(Self { shared })
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

/// What the thread knows.
struct Hearing {
    setup: Setup,
    connector: ProcessConnector,
    shared: Arc<Shared>,
    reader: ProcessReader,
    rate: Rate,
    /// Processes whose start was told, or that were there before.
    alive: HashMap<u32, Alive>,
    /// Forked, and perhaps about to run another program.
    young: HashMap<u32, Young>,
    vitals: Vitals,
}

struct Alive {
    parent: u32,
    facts: Facts,
}

#[derive(Clone, Copy)]
struct Young {
    parent: u32,
    time_ms: i64,
    since: Duration,
}

/// What is known of a process that is to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Runs,
    /// There is nothing left to look at.
    HasEnded,
}

impl Hearing {
    /// The kernel answers at once, or not at all where it does not let us listen.
    const LONGEST_WAIT_FOR_ANSWER: Duration = Duration::from_secs(2);
    /// A fork that has run no other program for so long is a process of its parent's program.
    const GROWN_UP: Duration = Duration::from_millis(250);
    /// Each costs a look at several files.
    const PER_SECOND: u32 = 50;
    const BURST: u32 = 2000;
    /// What is there beyond these ends without an event.
    const MAX_KNOWN: usize = 100_000;

    fn new(setup: &Setup, connector: ProcessConnector, shared: Arc<Shared>) -> Self {
        Self {
            setup: setup.clone(),
            connector,
            shared,
            reader: ProcessReader::new(&setup.roots),
            rate: Rate::new(Self::PER_SECOND, Self::BURST),
            alive: HashMap::new(),
            young: HashMap::new(),
            vitals: Vitals::default(),
        }
    }

    fn run(mut self) {
        let ended = self.hear();
        if let Err(why) = ended {
            *self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        }
    }

    fn hear(&mut self) -> Result<(), String> {
        self.wait_for_answer()?;
        self.list_alive().map_err(|error| barograph_model::chain(&error))?;
        let mut heard = Vec::new();
        while !self.shared.stop.load(Ordering::Relaxed) {
            match self.connector.wait() {
                Ok(news) => heard.extend_from_slice(news),
                Err(Errno::NOBUFS) => self.catch_up()?,
                Err(errno) => return Err(format!("the process connector broke off: {errno}")),
            }
            for one in heard.drain(..) {
                self.take(one);
            }
            self.tell_grown_up();
        }
        Ok(())
    }

    fn wait_for_answer(&mut self) -> Result<(), String> {
        let until = self.setup.clock.monotonic() + Self::LONGEST_WAIT_FOR_ANSWER;
        while self.setup.clock.monotonic() < until {
            match self.connector.is_agreed() {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    return Err(format!("the kernel refuses the process connector: {error}"));
                }
            }
        }
        Err("the process connector does not answer; in a container it tells nothing".into())
    }

    /// What runs already, so that its end can be told with its name.
    fn list_alive(&mut self) -> Result<(), Error> {
        self.reader.begin()?;
        while self.reader.next(&mut self.vitals, |_| true)? {
            if self.alive.len() < Self::MAX_KNOWN {
                let facts = self.reader.facts(&self.vitals);
                let parent = self.vitals.parent;
                self.alive.insert(self.vitals.id.pid, Alive { parent, facts });
            }
        }
        Ok(())
    }

    /// The kernel had more to tell than there was room for.
    fn catch_up(&mut self) -> Result<(), String> {
        self.setup.events.lost(1);
        self.young.clear();
        self.alive.clear();
        self.list_alive().map_err(|error| barograph_model::chain(&error))
    }

    fn take(&mut self, Heard { event, age }: Heard) {
        let since = self.setup.clock.monotonic().saturating_sub(age);
        let age_ms = i64::try_from(age.as_millis()).unwrap_or(0);
        let time_ms = self.setup.clock.now_ms().saturating_sub(age_ms);
        match event {
            ProcEvent::Listening { .. } => {}
            ProcEvent::Forked { parent, child } => {
                if self.young.len() < Self::MAX_KNOWN {
                    self.young.insert(child, Young { parent, time_ms, since });
                }
            }
            ProcEvent::Executed { pid } => {
                if let Some(young) = self.young.remove(&pid) {
                    self.tell_started(pid, young, Now::Runs);
                } else if let Some(before) = self.alive.get(&pid) {
                    let parent = before.parent;
                    self.tell_executed(pid, parent, time_ms);
                }
            }
            ProcEvent::Exited { pid, status, parent } => {
                if let Some(young) = self.young.remove(&pid) {
                    self.tell_started(pid, young, Now::HasEnded);
                }
                if let Some(ended) = self.alive.remove(&pid) {
                    let parent = parent.unwrap_or(ended.parent);
                    let exit = exit(status);
                    let event = events::ended(time_ms, pid, parent, &ended.facts, exit);
                    self.setup.events.happened(event);
                }
            }
        }
    }

    /// Forks that go on as they are.
    fn tell_grown_up(&mut self) {
        let now = self.setup.clock.monotonic();
        let grown_up: Vec<(u32, Young)> = self
            .young
            .extract_if(|_, young| now.saturating_sub(young.since) >= Self::GROWN_UP)
            .collect();
        for (pid, young) in grown_up {
            self.tell_started(pid, young, Now::Runs);
        }
    }

    fn tell_started(&mut self, pid: u32, young: Young, now: Now) {
        let Some(facts) = self.details(pid, young.parent, now) else { return };
        let event = events::started(young.time_ms, pid, young.parent, &facts);
        self.setup.events.happened(event);
        self.alive.insert(pid, Alive { parent: young.parent, facts });
    }

    fn tell_executed(&mut self, pid: u32, parent: u32, time_ms: i64) {
        let Some(facts) = self.details(pid, parent, Now::Runs) else { return };
        self.setup.events.happened(events::executed(time_ms, pid, parent, &facts));
        self.alive.insert(pid, Alive { parent, facts });
    }

    /// Nothing when there are too many to look at. Of a process that is gone already its parent
    /// tells the name: it had run no other program, or not for long.
    fn details(&mut self, pid: u32, parent: u32, now: Now) -> Option<Facts> {
        if self.alive.len() >= Self::MAX_KNOWN || !self.rate.allows(self.setup.clock.monotonic()) {
            self.setup.events.lost(1);
            return None;
        }
        if now == Now::Runs
            && let Some(facts) = self.reader.facts_of(pid)
        {
            return Some(facts);
        }
        let parent = self.alive.get(&parent);
        // A fork that has run no other program was in all of this what its parent is.
        if now == Now::HasEnded
            && let Some(parent) = parent
        {
            return Some(parent.facts.clone());
        }
        Some(Facts {
            name: parent.map_or_else(|| "?".to_owned(), |parent| parent.facts.name.clone()),
            user: parent.and_then(|parent| parent.facts.user.clone()),
            ..Facts::default()
        })
    }
}

/// From what `wait` gives.
fn exit(status: u32) -> Exit {
    match status & 0x7f {
        0 => Exit::Code(i64::from((status >> 8) & 0xff)),
        signal => Exit::Signal(signal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_code_or_a_signal() {
        assert_eq!(exit(0), Exit::Code(0));
        assert_eq!(exit(3 << 8), Exit::Code(3));
        assert_eq!(exit(9), Exit::Signal(9));
        assert_eq!(exit(0x8b), Exit::Signal(11));
    }
}
