//! Users that `/etc/passwd` does not list: those of a directory service (SSSD, LDAP, Winbind,
//! systemd). The C library asks the service, and that takes as long as the service takes: so a
//! thread of its own asks, and whoever wants a name waits for it only for a moment.

use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use nix::unistd::{Uid, User};
use tracing_mutex::stdsync::{Condvar, Mutex, MutexGuard};

/// Asks on a thread, and remembers.
#[derive(Debug, Default)]
pub(super) struct NameService {
    shared: Arc<Shared>,
    asks: Option<SyncSender<u32>>,
    lookup: Option<Lookup>,
}

type Lookup = fn(u32) -> Option<String>;

#[derive(Debug, Default)]
struct Shared {
    answers: Mutex<Answers>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct Answers {
    names: HashMap<u32, Answer>,
    /// Asked and not answered yet. While there are some, nobody waits.
    waiting: usize,
}

#[derive(Debug, Clone)]
enum Answer {
    NotYet,
    Nobody,
    Name(String),
}

impl NameService {
    /// Most services answer from their memory, in less than a millisecond.
    const PATIENCE: Duration = Duration::from_millis(20);
    /// Questions that wait while the service does not answer; others are asked again later.
    const MAX_WAITING: usize = 256;
    /// What is remembered; then all is asked anew.
    const MAX_NAMES: usize = 20_000;
    /// The thread ends after so long without a question, and with it what is remembered: people
    /// come, go and are renamed.
    const LASTS: Duration = Duration::from_secs(3600);

    /// The name of a user, if the service tells one soon or has told it before.
    pub(super) fn name(&mut self, uid: u32) -> Option<String> {
        let mut answers = self.shared.lock();
        match answers.names.get(&uid) {
            Some(Answer::Name(name)) => return Some(name.clone()),
            Some(Answer::Nobody | Answer::NotYet) => return None,
            None => {}
        }
        let waits = answers.waiting == 0;
        if answers.names.len() >= Self::MAX_NAMES {
            answers.names.retain(|_, answer| matches!(answer, Answer::NotYet));
        }
        answers.names.insert(uid, Answer::NotYet);
        answers.waiting += 1;
        drop(answers);
        if !self.ask(uid) {
            let mut answers = self.shared.lock();
            answers.names.remove(&uid);
            answers.waiting -= 1;
            return None;
        }
        if !waits {
            return None;
        }
        let is_open =
            |answers: &mut Answers| matches!(answers.names.get(&uid), Some(Answer::NotYet));
        let answers =
            self.shared.answered.wait_timeout_while(self.shared.lock(), Self::PATIENCE, is_open);
        match answers.unwrap_or_else(PoisonError::into_inner).0.names.get(&uid) {
            Some(Answer::Name(name)) => Some(name.clone()),
            _ => None,
        }
    }

    /// The name of a user, if it has been told.
    pub(super) fn known(&self, uid: u32) -> Option<String> {
        match self.shared.lock().names.get(&uid) {
            Some(Answer::Name(name)) => Some(name.clone()),
            _ => None,
        }
    }

    /// Whether the question will be answered.
    fn ask(&mut self, uid: u32) -> bool {
        if self.asks.as_ref().is_some_and(|asks| asks.try_send(uid).is_ok()) {
            return true;
        }
        // The thread was never started or has ended; or too many questions wait.
        let is_idle = self.shared.lock().waiting <= 1;
        if !is_idle {
            return false;
        }
        let (asks, questions) = sync_channel(Self::MAX_WAITING);
        let shared = Arc::clone(&self.shared);
        let lookup = self.lookup.unwrap_or(by_c_library);
        let thread = std::thread::Builder::new().name("user-names".into()).spawn(move || {
            loop {
                match questions.recv_timeout(Self::LASTS) {
                    Ok(uid) => shared.answer(uid, lookup(uid)),
                    Err(RecvTimeoutError::Timeout) => return shared.lock().names.clear(),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        self.asks = thread.is_ok().then_some(asks);
        self.asks.as_ref().is_some_and(|asks| asks.try_send(uid).is_ok())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, uid: u32, name: Option<String>) {
        let mut answers = self.lock();
        answers.names.insert(uid, name.map_or(Answer::Nobody, Answer::Name));
        answers.waiting = answers.waiting.saturating_sub(1);
        drop(answers);
        self.answered.notify_all();
    }
}

fn by_c_library(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn service(lookup: Lookup) -> NameService {
        NameService { lookup: Some(lookup), ..NameService::default() }
    }

    #[test]
    fn the_c_library_knows_this_machines_root() {
        let mut service = NameService::default();
        // It may be slow on a busy machine.
        while service.name(0).is_none() {
            assert!(!matches!(service.shared.lock().names.get(&0), Some(Answer::Nobody)));
            std::thread::yield_now();
        }
        assert_eq!(service.known(0).as_deref(), Some("root"));
    }

    #[test]
    fn a_service_that_hangs_delays_nobody_and_is_asked_once() {
        static OPEN: AtomicBool = AtomicBool::new(false);
        let mut service = service(|uid| {
            while !OPEN.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            (uid != 9).then(|| format!("user{uid}"))
        });
        for _ in 0..3 {
            assert_eq!([7, 8, 9].map(|uid| service.name(uid)), [None, None, None]);
        }
        assert_eq!(service.shared.lock().waiting, 3);
        // What comes while too many wait is not remembered as asked.
        for uid in 1000..2000 {
            assert_eq!(service.name(uid), None);
        }
        assert!(service.shared.lock().waiting <= NameService::MAX_WAITING + 1);
        OPEN.store(true, Ordering::Relaxed);
        let shared = Arc::clone(&service.shared);
        drop(shared.answered.wait_while(shared.lock(), |answers| answers.waiting > 0).unwrap());
        assert_eq!(service.known(7).as_deref(), Some("user7"));
        assert_eq!((service.name(8), service.name(9)), (Some("user8".into()), None));
    }
}
