//! What happened on the host, kept in a log: whoever finds an event hands it in and goes on at
//! once; a thread stores it. Too many at a time are counted, and the count is stored in their
//! place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use barograph_collect::event::{Event, EventSink, EventValue};
use barograph_model::{Clock, chain};
use barograph_store::{Record, RecordError, RecordLog, RecordSettings, RecordStats};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

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

/// An event in the log. The time is the record's.
#[derive(Debug, Deserialize)]
struct Stored {
    v: u8,
    kind: String,
    subject: String,
    #[serde(default)]
    fields: BTreeMap<String, StoredValue>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum StoredValue {
    Integer(i64),
    Text(String),
}

/// [`Stored`], written without copies: programs start many times a second.
#[derive(Debug, Serialize)]
struct Storing<'a> {
    v: u8,
    kind: &'a str,
    subject: &'a str,
    fields: Fields<'a>,
}

#[derive(Debug)]
struct Fields<'a>(&'a [(Cow<'static, str>, EventValue)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                EventValue::Integer(number) => map.serialize_entry(name, number)?,
                EventValue::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}

const VERSION: u8 = 1;

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
    /// Records looked at for one answer, whatever their kind.
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
        (from_ms, to_ms): (i64, i64),
        kinds: &[String],
        limit: usize,
    ) -> Result<EventAnswer, RecordError> {
        let limit = limit.min(Self::MAX_ANSWER);
        let looked_at = if kinds.is_empty() { limit } else { Self::MAX_LOOKED_AT };
        let found = self.log.read_newest(from_ms, to_ms, looked_at)?;
        let mut answer =
            EventAnswer { events: Vec::new(), more: found.more, damaged: found.damaged };
        for record in found.records.iter().rev() {
            let Some(event) = decode(record) else {
                answer.damaged += 1;
                continue;
            };
            if !kinds.is_empty() && !kinds.iter().any(|kind| *kind == event.kind) {
                continue;
            }
            if answer.events.len() == limit {
                answer.more = true;
                break;
            }
            answer.events.push(event);
        }
        answer.events.reverse();
        Ok(answer)
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
        let records: Vec<Record> = events.iter().map(encode).collect();
        if records.is_empty() {
            return;
        }
        match self.log.append(&records) {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("events are stored again");
                }
            }
            Err(error) => {
                let count = lost + records.len() as u64 - u64::from(lost > 0);
                self.lost.fetch_add(count, Ordering::Relaxed);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(error = chain(&error), "events not stored");
                }
            }
        }
    }
}

fn encode(event: &Event) -> Record {
    let storing = Storing {
        v: VERSION,
        kind: &event.kind,
        subject: &event.subject,
        fields: Fields(&event.fields),
    };
    let data = serde_json::to_vec(&storing).unwrap_or_default();
    Record { time_ms: event.time_ms, data }
}

/// Nothing for what is damaged, or newer than this version.
fn decode(record: &Record) -> Option<Event> {
    let stored: Stored = serde_json::from_slice(&record.data).ok()?;
    if stored.v != VERSION {
        return None;
    }
    let value = |value| match value {
        StoredValue::Integer(number) => EventValue::Integer(number),
        StoredValue::Text(text) => EventValue::Text(text),
    };
    Some(Event {
        time_ms: record.time_ms,
        kind: stored.kind.into(),
        subject: stored.subject,
        fields: stored.fields.into_iter().map(|(name, v)| (name.into(), value(v))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use barograph_model::SystemClock;

    use super::*;

    fn event(time_ms: i64, kind: &'static str) -> Event {
        Event::new(time_ms, kind, "x (1)").with("name", Some("x")).with("pid", Some(1_u32))
    }

    fn log() -> (tempfile::TempDir, EventLog) {
        let dir = tempfile::tempdir().unwrap();
        let log = EventLog::start(dir.path(), EventLog::KEPT, Arc::new(SystemClock::new())).unwrap();
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
