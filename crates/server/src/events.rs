//! What happened on the host, kept in a log: whoever finds an event hands it in and goes on at
//! once; a thread stores it. Too many at a time are counted, and the count is stored in their
//! place.

mod record;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use barograph_collect::event::{Event, EventSink};
use barograph_model::{Clock, chain};
use barograph_store::{Record, RecordAnswer, RecordError, RecordLog, RecordSettings, RecordStats};
use tracing_mutex::stdsync::Mutex;

/// Stands for events that could not be stored or told.
pub const EVENTS_LOST: &str = "events_lost";

/// Takes events in and gives them back.
#[derive(Debug)]
pub struct EventLog {
    log: Arc<RecordLog>,
    queue: Mutex<Option<Inlet>>,
    lost: Arc<AtomicU64>,
    lost_in_all: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Dropped to close the log.
#[derive(Debug)]
struct Inlet {
    events: SyncSender<Event>,
    /// Carries nothing: its end is what the writer sees at once, also while it lets events gather.
    _open: Sender<()>,
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventAnswer {
    /// Oldest first.
    pub events: Vec<Event>,
    /// There are more in the range: the older ones are left out.
    pub more: bool,
    /// Records that could not be read.
    pub damaged: u64,
}

impl EventLog {
    /// Unless it is told otherwise: a year, or 256 MiB.
    pub const KEPT: RecordSettings =
        RecordSettings { keep: Duration::from_secs(366 * 86_400), max_bytes: 256 << 20 };
    /// Some seconds of the most that collectors tell.
    const MAX_WAITING: usize = 4096;
    /// Stored together, for one wait for the disk: on a machine that starts programs all the time
    /// each costs as much as a second of samples.
    const TOGETHER: Duration = Duration::from_secs(3);
    const MAX_TOGETHER: usize = Self::MAX_WAITING;
    /// Events looked at for one answer, whatever their kind.
    const MAX_LOOKED_AT: usize = 100_000;
    pub const MAX_ANSWER: usize = 10_000;

    /// Opens the log in a store's folder.
    ///
    /// # Errors
    /// It cannot be opened, or there is no thread to be had.
    pub fn start(
        store_dir: &Path,
        kept: RecordSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RecordError> {
        let log = Arc::new(RecordLog::open(store_dir, "events", kept, Arc::clone(&clock))?);
        let (events, waiting) = sync_channel(Self::MAX_WAITING);
        let (open, closing) = channel();
        let lost = Arc::new(AtomicU64::new(0));
        let writer =
            Writer { log: Arc::clone(&log), lost: Arc::clone(&lost), clock, failing: false };
        let thread = std::thread::Builder::new()
            .name("event-log".into())
            .spawn(move || writer.run(&waiting, &closing))
            .map_err(|source| RecordError::Folder { dir: store_dir.to_owned(), source })?;
        Ok(Self {
            log,
            queue: Mutex::new(Some(Inlet { events, _open: open })),
            lost,
            lost_in_all: AtomicU64::new(0),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The newest events in `from_ms..=to_ms` of one of these kinds, or of any if none is given.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn read(
        &self,
        range_ms: (i64, i64),
        kinds: &[String],
        limit: usize,
    ) -> Result<EventAnswer, RecordError> {
        const FIRST: usize = 64;
        let limit = limit.min(Self::MAX_ANSWER);
        let mut records = FIRST;
        loop {
            let found = self.read_records(range_ms, records)?;
            let mut search = Search { range_ms, kinds, limit, ..Search::default() };
            let is_done = search.look_through(&found.records);
            // Each record holds an event at least.
            if is_done || !found.more || records >= Self::MAX_LOOKED_AT {
                return Ok(search.answer(found.more, found.damaged));
            }
            records *= 2;
        }
    }

    fn read_records(
        &self,
        (from_ms, to_ms): (i64, i64),
        count: usize,
    ) -> Result<RecordAnswer, RecordError> {
        // A record that ends later may have begun in the range.
        self.log.read_newest(from_ms, to_ms.saturating_add(record::MAX_SPREAD_MS), count)
    }

    /// Events that were lost since the start.
    pub fn lost(&self) -> u64 {
        self.lost_in_all.load(Ordering::Relaxed)
    }

    /// # Errors
    /// The log cannot be read.
    pub fn stats(&self) -> Result<RecordStats, RecordError> {
        self.log.stats()
    }

    /// Stores what waits, and stops.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that stores events panicked");
        }
    }
}

impl EventSink for EventLog {
    fn happened(&self, event: Event) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_none_or(|queue| queue.events.try_send(event).is_err()) {
            drop(queue);
            EventSink::lost(self, 1);
        }
    }

    fn lost(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
        self.lost_in_all.fetch_add(count, Ordering::Relaxed);
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// One look through the log, from the newest record on.
#[derive(Debug, Default)]
struct Search<'a> {
    range_ms: (i64, i64),
    kinds: &'a [String],
    limit: usize,
    found: Vec<Event>,
    looked_at: usize,
    damaged: u64,
    /// It ended before the records did.
    ended: bool,
}

impl Search<'_> {
    /// Records with the oldest first. Returns whether no more are needed.
    fn look_through(&mut self, records: &[Record]) -> bool {
        for record in records.iter().rev() {
            if self.has_all_after(record.time_ms) || self.looked_at >= EventLog::MAX_LOOKED_AT {
                self.ended = true;
                break;
            }
            let Some(events) = record::decode(record) else {
                self.damaged += 1;
                continue;
            };
            self.looked_at += events.len();
            let (from_ms, to_ms) = self.range_ms;
            let kinds = self.kinds;
            self.found.extend(events.into_iter().filter(|event| {
                (from_ms..=to_ms).contains(&event.time_ms)
                    && (kinds.is_empty() || kinds.iter().any(|kind| *kind == event.kind))
            }));
        }
        self.ended
    }

    /// Whether there are more than enough, none of which is older than a time: events of one record
    /// may lie between those of the next.
    fn has_all_after(&mut self, time_ms: i64) -> bool {
        if self.found.len() <= self.limit {
            return false;
        }
        self.found.sort_by_key(|event| event.time_ms);
        let surplus = self.found.len() - self.limit;
        self.found.get(surplus).is_some_and(|event| event.time_ms > time_ms)
    }

    fn answer(self, more: bool, damaged: u64) -> EventAnswer {
        let mut events = self.found;
        events.sort_by_key(|event| event.time_ms);
        let surplus = events.len().saturating_sub(self.limit);
        events.drain(..surplus);
        EventAnswer {
            events,
            more: more || self.ended || surplus > 0,
            damaged: damaged + self.damaged,
        }
    }
}

struct Writer {
    log: Arc<RecordLog>,
    lost: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    failing: bool,
}

impl Writer {
    const WAKE: Duration = Duration::from_secs(5);

    fn run(mut self, waiting: &Receiver<Event>, closing: &Receiver<()>) {
        loop {
            let first = match waiting.recv_timeout(Self::WAKE) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut events: Vec<Event> = first.into_iter().collect();
            if !events.is_empty() {
                // Not woken by each of those that follow, and at once by the end.
                let _ended = closing.recv_timeout(EventLog::TOGETHER);
                events.extend(waiting.try_iter().take(EventLog::MAX_TOGETHER - 1));
            }
            self.store(events);
        }
        self.store(waiting.try_iter().collect());
    }

    fn store(&mut self, mut events: Vec<Event>) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let now_ms = self.clock.now_ms();
            events.push(Event::new(now_ms, EVENTS_LOST, "events").with("count", Some(lost)));
        }
        if events.is_empty() {
            return;
        }
        let records = record::encode(&mut events);
        match self.log.append(&records) {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("events are stored again");
                }
            }
            Err(error) => {
                let count = lost + events.len() as u64 - u64::from(lost > 0);
                self.lost.fetch_add(count, Ordering::Relaxed);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(error = chain(&error), "events not stored");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use barograph_collect::event::EventValue;
    use barograph_model::SystemClock;

    use super::*;

    fn event(time_ms: i64, kind: &'static str) -> Event {
        Event::new(time_ms, kind, "x (1)").with("name", Some("x")).with("pid", Some(1_u32))
    }

    fn log() -> (tempfile::TempDir, EventLog) {
        let dir = tempfile::tempdir().unwrap();
        let log =
            EventLog::start(dir.path(), EventLog::KEPT, Arc::new(SystemClock::new())).unwrap();
        (dir, log)
    }

    /// Of today: what is older than the log keeps is removed.
    fn base() -> i64 {
        SystemClock::new().now_ms() - 10_000
    }

    #[test]
    fn events_come_back_by_time_and_kind() {
        let (_dir, log) = log();
        let base = base();
        for n in 0..10 {
            log.happened(event(base + n, if n % 2 == 0 { "even" } else { "odd" }));
        }
        log.close();
        let all = log.read((base, base + 100), &[], 100).unwrap();
        assert_eq!((all.events.len(), all.more, all.damaged), (10, false, 0));
        assert_eq!(all.events[3], event(base + 3, "odd"));
        let odd = log.read((base, base + 100), &["odd".to_owned()], 2).unwrap();
        let times: Vec<_> = odd.events.iter().map(|event| event.time_ms - base).collect();
        assert_eq!((times, odd.more), (vec![7, 9], true));
        let part = log.read((base + 2, base + 3), &[], 100).unwrap();
        assert_eq!((part.events.len(), part.more), (2, false));
    }

    #[test]
    fn the_newest_are_found_where_records_overlap() {
        let (_dir, log) = log();
        let base = base();
        for times in [[0, 30], [10, 20], [5, 40]] {
            let mut events = times.map(|ms| event(base + ms, "x"));
            log.log.append(&record::encode(&mut events)).unwrap();
        }
        let newest = |range_ms: (i64, i64), limit| {
            let answer = log.read((base + range_ms.0, base + range_ms.1), &[], limit).unwrap();
            let times = answer.events.iter().map(|event| event.time_ms - base);
            (times.collect::<Vec<_>>(), answer.more)
        };
        assert_eq!(newest((0, 100), 1), (vec![40], true));
        assert_eq!(newest((0, 100), 3), (vec![20, 30, 40], true));
        assert_eq!(newest((0, 100), 6), (vec![0, 5, 10, 20, 30, 40], false));
        assert_eq!(newest((5, 29), 2), (vec![10, 20], true));
        assert_eq!(newest((6, 19), 2), (vec![10], false));
    }

    #[test]
    fn all_of_many_records_are_looked_through() {
        let (_dir, log) = log();
        let base = base();
        for n in 0..300 {
            let mut events = [event(base + n, if n == 7 { "odd" } else { "even" })];
            log.log.append(&record::encode(&mut events)).unwrap();
        }
        let odd = log.read((base, base + 1000), &["odd".to_owned()], 5).unwrap();
        assert_eq!((odd.events.as_slice(), odd.more), (&[event(base + 7, "odd")][..], false));
    }

    #[test]
    fn what_is_lost_is_counted_in_the_log() {
        let (_dir, log) = log();
        EventSink::lost(&log, 7);
        log.happened(event(base(), "even"));
        log.close();
        let answer = log.read((0, i64::MAX), &[EVENTS_LOST.to_owned()], 9).unwrap();
        assert_eq!(answer.events[0].get("count"), Some(&EventValue::Integer(7)));
        // Nobody stores any more.
        log.happened(event(base(), "late"));
        assert_eq!(log.lost(), 8);
    }

    #[test]
    fn records_that_are_none_are_counted() {
        let (_dir, log) = log();
        let time_ms = base();
        for data in [&b"{"[..], br#"{"v":2,"kind":"a","subject":"b"}"#, b""] {
            log.log.append(&[Record { time_ms, data: data.to_vec() }]).unwrap();
        }
        let answer = log.read((0, i64::MAX), &[], 9).unwrap();
        assert_eq!((answer.events.len(), answer.damaged), (0, 3));
    }
}
