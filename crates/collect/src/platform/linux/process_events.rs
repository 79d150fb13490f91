//! Starts and ends of processes as they happen, from the kernel's process connector.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use tracing_mutex::stdsync::Mutex;

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
    /// Programs that began in processes whose fork is not heard of yet, in their order.
    begun: Vec<Begun>,
    /// Forked, and perhaps about to run another program.
    young: HashMap<u32, Young>,
    vitals: Vitals,
}

struct Alive {
    parent: u32,
    facts: Arc<Facts>,
}

/// A program that began.
struct Begun {
    pid: u32,
    time_ms: i64,
    look: Look,
}

#[derive(Clone, Copy)]
struct Young {
    parent: u32,
    time_ms: i64,
    since: Duration,
}

/// What is known of a process that is to be told of.
enum Look {
    Facts(Arc<Facts>),
    /// It is gone, with the program it had run.
    Gone,
    /// It has run no other program: it was in all of this what its parent is.
    AsParent,
    /// There were too many to look at.
    Refused,
}

/// One moment by three clocks.
#[derive(Clone, Copy)]
struct Now {
    system: Duration,
    monotonic: Duration,
    time_ms: i64,
}

impl Now {
    /// The same for something that was heard.
    fn back_to(self, at: Duration) -> Self {
        let age = self.system.saturating_sub(at);
        let age_ms = i64::try_from(age.as_millis()).unwrap_or(0);
        Self {
            system: at,
            monotonic: self.monotonic.saturating_sub(age),
            time_ms: self.time_ms.saturating_sub(age_ms),
        }
    }
}

impl Hearing {
    /// The kernel answers at once, or not at all where it does not let us listen.
    const LONGEST_WAIT_FOR_ANSWER: Duration = Duration::from_secs(2);
    /// While programs begin all the time, forks and ends are fetched so often.
    const BETWEEN_LIVES: Duration = Duration::from_millis(200);
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
            begun: Vec::new(),
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
        let mut lives_due = Duration::ZERO;
        while !self.shared.stop.load(Ordering::Relaxed) {
            heard.clear();
            let waited = self.connector.wait(&mut heard);
            self.or_catch_up(waited)?;
            let now = self.now();
            for one in &heard {
                self.begins(*one, now);
            }
            if heard.is_empty() || now.monotonic >= lives_due {
                lives_due = now.monotonic + Self::BETWEEN_LIVES;
                heard.clear();
                let fetched = self.connector.lives(&mut heard);
                self.or_catch_up(fetched)?;
                self.take(&heard);
            }
        }
        Ok(())
    }

    fn now(&self) -> Now {
        let clock = &self.setup.clock;
        Now {
            system: ProcessConnector::now(),
            monotonic: clock.monotonic(),
            time_ms: clock.now_ms(),
        }
    }

    /// What had to be dropped for lack of room is made up for by a list.
    fn or_catch_up(&mut self, heard: Result<(), Errno>) -> Result<(), String> {
        match heard {
            Ok(()) => Ok(()),
            Err(Errno::NOBUFS) => self.catch_up(),
            Err(errno) => Err(format!("the process connector broke off: {errno}")),
        }
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
                let facts = Arc::new(self.reader.facts(&self.vitals));
                let parent = self.vitals.parent;
                self.alive.insert(self.vitals.id.pid, Alive { parent, facts });
            }
        }
        self.reader.close_kept();
        Ok(())
    }

    /// The kernel had more to tell than there was room for.
    fn catch_up(&mut self) -> Result<(), String> {
        self.setup.events.lost(1);
        self.begun.clear();
        self.young.clear();
        self.alive.clear();
        self.list_alive().map_err(|error| barograph_model::chain(&error))
    }

    /// A program may end any moment, so it is looked at before anything else.
    fn begins(&mut self, Heard { event, at }: Heard, now: Now) {
        if let ProcEvent::Executed { pid } = event {
            let look = self.look(pid);
            self.begun.push(Begun { pid, time_ms: now.back_to(at).time_ms, look });
        }
    }

    /// Forks, with the programs that have begun since, and then ends.
    fn take(&mut self, lives: &[Heard]) {
        let now = self.now();
        let forks = lives.partition_point(|one| !matches!(one.event, ProcEvent::Exited { .. }));
        let (forks, ends) = lives.split_at(forks);
        for Heard { event, at } in forks {
            if let ProcEvent::Forked { parent, child } = *event
                && self.young.len() < Self::MAX_KNOWN
            {
                let Now { monotonic: since, time_ms, .. } = now.back_to(*at);
                self.young.insert(child, Young { parent, time_ms, since });
            }
        }
        for Begun { pid, time_ms, look } in std::mem::take(&mut self.begun) {
            if let Some(young) = self.young.remove(&pid) {
                self.tell_started(pid, young, look);
            } else if let Some(before) = self.alive.get(&pid) {
                let parent = before.parent;
                self.tell_executed(pid, parent, time_ms, look);
            }
        }
        for Heard { event, at } in ends {
            if let ProcEvent::Exited { pid, status, parent } = *event {
                self.ended(pid, status, parent, now.back_to(*at).time_ms);
            }
        }
        self.tell_grown_up(now.monotonic);
    }

    fn ended(&mut self, pid: u32, status: u32, parent: Option<u32>, time_ms: i64) {
        if let Some(young) = self.young.remove(&pid) {
            let look = if self.has_room() { Look::AsParent } else { Look::Refused };
            self.tell_started(pid, young, look);
        }
        if let Some(ended) = self.alive.remove(&pid) {
            let parent = parent.unwrap_or(ended.parent);
            let event = events::ended(time_ms, pid, parent, &ended.facts, exit(status));
            self.setup.events.happened(event);
        }
    }

    /// Forks that go on as they are.
    fn tell_grown_up(&mut self, now: Duration) {
        let grown_up: Vec<(u32, Young)> = self
            .young
            .extract_if(|_, young| now.saturating_sub(young.since) >= Self::GROWN_UP)
            .collect();
        for (pid, young) in grown_up {
            let look = self.look(pid);
            self.tell_started(pid, young, look);
        }
    }

    fn tell_started(&mut self, pid: u32, young: Young, look: Look) {
        let Young { parent, time_ms, .. } = young;
        let Some(facts) = self.facts(look, parent) else { return };
        self.setup.events.happened(events::started(time_ms, pid, parent, &facts));
        self.alive.insert(pid, Alive { parent, facts });
    }

    fn tell_executed(&mut self, pid: u32, parent: u32, time_ms: i64, look: Look) {
        let Some(facts) = self.facts(look, parent) else { return };
        self.setup.events.happened(events::executed(time_ms, pid, parent, &facts));
        self.alive.insert(pid, Alive { parent, facts });
    }

    fn look(&mut self, pid: u32) -> Look {
        if !self.has_room() {
            return Look::Refused;
        }
        self.reader.facts_of(pid).map_or(Look::Gone, |facts| Look::Facts(Arc::new(facts)))
    }

    /// Whether one more process can be looked at; one that cannot is counted.
    fn has_room(&mut self) -> bool {
        let has_room =
            self.alive.len() < Self::MAX_KNOWN && self.rate.allows(self.setup.clock.monotonic());
        if !has_room {
            self.setup.events.lost(1);
        }
        has_room
    }

    /// Of a process that is gone its parent tells the name: it had run no other program, or not
    /// for long.
    fn facts(&self, look: Look, parent: u32) -> Option<Arc<Facts>> {
        let parent = self.alive.get(&parent).map(|parent| &parent.facts);
        match (look, parent) {
            (Look::Refused, _) => None,
            (Look::Facts(facts), _) => Some(facts),
            (Look::AsParent, Some(parent)) => Some(Arc::clone(parent)),
            (Look::AsParent | Look::Gone, parent) => Some(Arc::new(Facts {
                name: parent.map_or_else(|| "?".to_owned(), |parent| parent.name.clone()),
                user: parent.and_then(|parent| parent.user.clone()),
                ..Facts::default()
            })),
        }
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
