//! Processes now and at any stored moment: keeps the newest list in memory, and those that use
//! most in a log on disk.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use barograph_collect::process::{EventSource, LatestProcesses, ProcessSnapshot};
use barograph_model::{Clock, chain};
use barograph_store::{Record, RecordLog, RecordSettings, RecordStats};
use tracing_mutex::stdsync::Mutex;

use crate::process_record::{self, Packed, RecordError};

/// How often snapshots are stored, and how long they are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessSettings {
    pub every: Duration,
    /// So many by processor, by memory and by input and output each.
    pub top: usize,
    pub kept: RecordSettings,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(10),
            top: 20,
            kept: RecordSettings { keep: Duration::from_secs(30 * 86_400), max_bytes: 1 << 30 },
        }
    }
}

/// Why there is no list of processes.
#[derive(Debug, thiserror::Error)]
pub enum ProcessesError {
    #[error("cannot use the log of processes")]
    Log(#[from] barograph_store::RecordError),
    #[error("the processes stored at {time_ms} ms cannot be read")]
    Record { time_ms: i64, source: RecordProblem },
    #[error("the system gives no thread")]
    Thread(#[from] std::io::Error),
}

/// What is wrong with a stored record.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct RecordProblem(RecordError);

/// The newest list, and the log with the thread that writes it.
pub struct Processes {
    latest: Arc<LatestProcesses>,
    log: Arc<RecordLog>,
    writer: Mutex<Option<(SyncSender<()>, JoinHandle<()>)>>,
}

impl Processes {
    /// Opens the log in a store's folder, and begins to write it.
    ///
    /// # Errors
    /// The log cannot be opened, or there is no thread to be had.
    pub fn start(
        store_dir: &Path,
        settings: ProcessSettings,
        latest: Arc<LatestProcesses>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProcessesError> {
        let log = Arc::new(RecordLog::open(store_dir, "processes", settings.kept, clock)?);
        let mut writer = Writer::new(Arc::clone(&log), Arc::clone(&latest), settings.top);
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::Builder::new().name("process-log".into()).spawn(move || {
            // A word on the channel asks for a list now.
            while stopped.recv_timeout(settings.every) != Err(RecvTimeoutError::Disconnected) {
                writer.write();
            }
            writer.write();
        })?;
        Ok(Self { latest, log, writer: Mutex::new(Some((stop, thread))) })
    }

    /// All processes, as of the newest reading. While nobody asks, they are read as rarely as they
    /// are stored; soon after the first question, more often.
    pub fn now(&self) -> Option<Arc<ProcessSnapshot>> {
        self.latest.ask();
        self.latest.snapshot()
    }

    pub fn event_source(&self) -> EventSource {
        self.latest.event_source()
    }

    /// Stores the newest list soon, because something happened.
    pub(crate) fn store_soon(&self) {
        if let Some((ask, _)) = &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
            // When it is full, the list is stored soon anyway.
            ask.try_send(()).unwrap_or_default();
        }
    }

    /// What was stored at a moment, or before it.
    ///
    /// # Errors
    /// The log cannot be read, or the record is damaged.
    pub fn at(&self, time_ms: i64) -> Result<Option<ProcessSnapshot>, ProcessesError> {
        let Some(record) = self.log.last_at(time_ms)? else { return Ok(None) };
        let time_ms = record.time_ms;
        let odd = |problem| ProcessesError::Record { time_ms, source: RecordProblem(problem) };
        let packed = Packed::read(&record.data).map_err(odd)?;
        let key = packed.key_ms.map(|key_ms| self.key(key_ms)).transpose()?.flatten();
        packed.decode(time_ms, key.as_ref()).map(Some).map_err(odd)
    }

    fn key(&self, key_ms: i64) -> Result<Option<ProcessSnapshot>, ProcessesError> {
        let records = self.log.read(key_ms, key_ms, 1)?.records;
        let decode = |record: &Record| Packed::read(&record.data).ok()?.decode(key_ms, None).ok();
        Ok(records.first().and_then(decode))
    }

    /// # Errors
    /// The log cannot be read.
    pub fn stats(&self) -> Result<RecordStats, ProcessesError> {
        Ok(self.log.stats()?)
    }

    /// Writes what is new, and stops.
    pub fn close(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = writer {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the thread that stores processes panicked");
            }
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processes").field("log", &self.log).finish_non_exhaustive()
    }
}

/// Writes the newest snapshot if it was not written yet.
struct Writer {
    log: Arc<RecordLog>,
    latest: Arc<LatestProcesses>,
    top: usize,
    /// The snapshot that those after it are compared with.
    key: Option<ProcessSnapshot>,
    written_ms: Option<i64>,
    failing: bool,
}

impl Writer {
    /// A key that is damaged takes so much with it, and no more.
    const KEY_LASTS_MS: i64 = 600_000;
    /// Days are expired one by one: a key of another day might be gone.
    const DAY_MS: i64 = 86_400_000;

    fn new(log: Arc<RecordLog>, latest: Arc<LatestProcesses>, top: usize) -> Self {
        Self { log, latest, top, key: None, written_ms: None, failing: false }
    }

    fn write(&mut self) {
        let Some(snapshot) = self.latest.snapshot() else { return };
        if self.written_ms == Some(snapshot.time_ms) {
            return;
        }
        match self.append(&snapshot) {
            Ok(()) => {
                self.written_ms = Some(snapshot.time_ms);
                if std::mem::take(&mut self.failing) {
                    tracing::info!("processes are stored again");
                }
            }
            Err(error) => {
                self.key = None;
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(error = chain(&error), "processes not stored");
                }
            }
        }
    }

    fn append(&mut self, snapshot: &ProcessSnapshot) -> Result<(), ProcessesError> {
        let time_ms = snapshot.time_ms;
        let key = self.key.as_ref().filter(|key| {
            let age_ms = time_ms.saturating_sub(key.time_ms);
            let day = |ms: i64| ms.div_euclid(Self::DAY_MS);
            (1..Self::KEY_LASTS_MS).contains(&age_ms) && day(time_ms) == day(key.time_ms)
        });
        let top = snapshot.top(self.top);
        let data = process_record::encode(&top, key);
        let is_key = key.is_none();
        self.log.append(&[Record { time_ms, data }])?;
        if is_key {
            self.key = Some(top);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use barograph_model::SystemClock;

    use super::*;
    use crate::process_record::tests::snapshot;

    const KEPT: RecordSettings =
        RecordSettings { keep: Duration::from_secs(u32::MAX as u64), max_bytes: u64::MAX };

    struct Bench {
        _dir: tempfile::TempDir,
        writer: Writer,
        processes: Processes,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
            let log = Arc::new(RecordLog::open(dir.path(), "processes", KEPT, clock).unwrap());
            let latest = Arc::<LatestProcesses>::default();
            Self {
                writer: Writer::new(Arc::clone(&log), Arc::clone(&latest), 20),
                processes: Processes { latest, log, writer: Mutex::new(None) },
                _dir: dir,
            }
        }

        fn store(&mut self, time_ms: i64, count: u32) {
            self.writer.append(&snapshot(time_ms, count)).unwrap();
        }

        #[track_caller]
        fn check(&self, at_ms: i64, time_ms: i64, count: u32) {
            let found = self.processes.at(at_ms).unwrap().unwrap();
            assert_eq!(found, snapshot(time_ms, count).top(20), "{at_ms}");
        }
    }

    const DAY: i64 = 86_400_000;

    #[test]
    fn any_stored_moment_comes_back() {
        let mut bench = Bench::new();
        // Two keys' time, and then over midnight.
        let times: Vec<i64> = (0..150).map(|n| DAY - 700_000 + 10_000 * n).collect();
        for (n, time_ms) in (5_u32..).zip(&times) {
            bench.store(*time_ms, n);
        }
        assert_eq!(bench.processes.at(times[0] - 1).unwrap(), None);
        for (n, time_ms) in (5_u32..).zip(&times) {
            bench.check(*time_ms, *time_ms, n);
            bench.check(time_ms + 9_999, *time_ms, n);
        }
    }

    #[test]
    fn a_clock_set_back_begins_with_a_key() {
        let mut bench = Bench::new();
        bench.store(DAY + 60_000, 9);
        bench.store(DAY + 10_000, 8);
        bench.check(DAY + 20_000, DAY + 10_000, 8);
        bench.check(DAY + 60_000, DAY + 60_000, 9);
    }

    #[test]
    fn a_record_whose_key_is_missing_says_so() {
        let mut bench = Bench::new();
        bench.writer.key = Some(snapshot(DAY + 1, 9));
        bench.store(DAY + 2, 9);
        let error = bench.processes.at(DAY + 2).unwrap_err();
        let text = chain(&error);
        assert!(text.ends_with("the record that this one refers to is gone or damaged"), "{text}");
    }
}
