//! The newest reading of the processes, for whoever wants it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use tracing_mutex::stdsync::{Mutex, MutexGuard};

use super::snapshot::ProcessSnapshot;

/// A place for one snapshot: a newer one takes the place of the older.
#[derive(Debug, Default)]
pub struct LatestProcesses {
    state: Mutex<State>,
    asked: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    snapshot: Option<Arc<ProcessSnapshot>>,
    event_source: EventSource,
}

/// How starts and ends of processes are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EventSource {
    /// Nothing has been tried yet.
    #[default]
    Unknown,
    /// The kernel tells each one.
    Kernel,
    /// By comparing two readings: what lives shorter than the time between them is missed.
    Differences { why: String },
}

impl LatestProcesses {
    /// Nothing before the first reading is complete.
    pub fn snapshot(&self) -> Option<Arc<ProcessSnapshot>> {
        self.lock().snapshot.clone()
    }

    /// Says that somebody looks: for a while the processes are read more often.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked since the last call.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }

    pub fn event_source(&self) -> EventSource {
        self.lock().event_source.clone()
    }

    pub(super) fn set_snapshot(&self, snapshot: ProcessSnapshot) {
        // Dropped outside of the lock: it may be large.
        let before = self.lock().snapshot.replace(Arc::new(snapshot));
        drop(before);
    }

    pub(super) fn set_event_source(&self, source: EventSource) {
        self.lock().event_source = source;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
