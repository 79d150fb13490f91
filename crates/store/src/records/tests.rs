//! Records go in and come out, in order, and expire by day.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

/// 2025-11-22T12:00:00Z
const NOON_MS: i64 = 1_763_812_800_000;

#[derive(Debug)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    clock: Arc<HandClock>,
}

impl Fixture {
    fn new() -> Self {
        let clock = Arc::new(HandClock(AtomicI64::new(NOON_MS)));
        Self { folder: tempfile::tempdir().unwrap(), clock }
    }

    fn open(&self, days: u64, max_bytes: u64) -> RecordLog {
        let settings = RecordSettings { keep: Duration::from_secs(days * 86_400), max_bytes };
        RecordLog::open(self.folder.path(), "test", settings, self.clock.clone()).unwrap()
    }
}

fn record(time_ms: i64, data: &str) -> Record {
    Record { time_ms, data: data.as_bytes().to_vec() }
}

#[test]
fn records_come_back_in_order_over_days_and_restarts() {
    let fixture = Fixture::new();
    let records = [
        record(NOON_MS - DAY_MS, "yesterday"),
        record(NOON_MS, "a"),
        record(NOON_MS, "b"),
        record(NOON_MS + DAY_MS, "tomorrow"),
    ];
    let mixed = [&records[2], &records[0], &records[3]].map(Clone::clone);
    let log = fixture.open(30, u64::MAX);
    log.append(&records[1..2]).unwrap();
    log.append(&mixed).unwrap();
    drop(log);
    let log = fixture.open(30, u64::MAX);
    assert_eq!(log.read(i64::MIN, i64::MAX, 10).unwrap().records, records);
    let newest = log.read_newest(i64::MIN, NOON_MS, 2).unwrap();
    assert_eq!((newest.records.as_slice(), newest.more), (&records[1..3], true));
    assert_eq!(log.last_at(NOON_MS - 1).unwrap().as_ref(), records.first());
    assert_eq!(log.last_at(NOON_MS - 2 * DAY_MS).unwrap(), None);
    assert!(log.read(i64::MIN, i64::MAX, 3).unwrap().more);
}

#[test]
fn old_days_and_too_many_bytes_are_removed_but_never_the_newest() {
    let fixture = Fixture::new();
    let log = fixture.open(2, u64::MAX);
    for day in -5..=0 {
        log.append(&[record(NOON_MS + day * DAY_MS, "x")]).unwrap();
    }
    log.expire().unwrap();
    assert_eq!(log.stats().unwrap().days, 3);
    drop(log);
    let log = fixture.open(365, 1);
    assert_eq!(log.stats().unwrap().days, 1);
    assert_eq!(log.last_at(i64::MAX).unwrap(), Some(record(NOON_MS, "x")));
}

#[test]
fn damaged_record_is_counted_and_the_rest_is_read() {
    let fixture = Fixture::new();
    let log = fixture.open(30, u64::MAX);
    log.append(&[record(NOON_MS, "good"), record(NOON_MS + 1, "bad"), record(NOON_MS + 2, "fine")])
        .unwrap();
    drop(log);
    let path = fixture.folder.path().join("records/test/2025-11-22.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute("UPDATE record SET data = x'00' WHERE id = 2", []).unwrap();
    drop(connection);
    let answer = fixture.open(30, u64::MAX).read(i64::MIN, i64::MAX, 10).unwrap();
    assert_eq!((answer.records.len(), answer.damaged, answer.more), (2, 1, false));
}

#[test]
fn newer_and_foreign_files_are_refused() {
    let fixture = Fixture::new();
    let log = fixture.open(30, u64::MAX);
    log.append(&[record(NOON_MS, "x")]).unwrap();
    drop(log);
    let path = fixture.folder.path().join("records/test/2025-11-22.db");
    let set = |pragma: &str, value: i64| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.pragma_update(None, pragma, value).unwrap();
    };
    let settings = RecordSettings { keep: Duration::from_secs(1), max_bytes: 1 };
    let open = || RecordLog::open(fixture.folder.path(), "test", settings, fixture.clock.clone());
    set("user_version", 9);
    assert!(matches!(open(), Err(RecordError::Newer { found: 9, .. })));
    set("application_id", 7);
    assert!(matches!(open(), Err(RecordError::Foreign { .. })));
    assert!(path.exists());
}

#[test]
fn what_is_out_of_bounds_is_refused_whole() {
    let fixture = Fixture::new();
    let log = fixture.open(30, u64::MAX);
    let early = log.append(&[record(NOON_MS, "x"), record(i64::MIN, "y")]);
    assert!(matches!(early, Err(RecordError::Time { time_ms: i64::MIN })));
    let large = Record { time_ms: NOON_MS, data: vec![0; RecordLog::MAX_BYTES + 1] };
    assert!(matches!(log.append(&[large]), Err(RecordError::TooLarge { .. })));
    assert_eq!(log.stats().unwrap(), RecordStats::default());
    let settings = RecordSettings { keep: Duration::from_secs(1), max_bytes: 1 };
    let odd = RecordLog::open(fixture.folder.path(), "../x", settings, fixture.clock.clone());
    assert!(matches!(odd, Err(RecordError::Kind { .. })));
}
