//! A clock to turn, samples to store, and a place to store them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use barograph_model::{Batch, Clock, Labels, Sample};
use barograph_store::{Answer, Keep, Limits, Retention, SeriesData, Settings, Store};

/// 2026-11-22T12:00:00Z
pub(crate) const NOON_MS: i64 = 1_795_348_800_000;
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Stands still until it is set.
#[derive(Debug)]
pub(crate) struct TestClock {
    now_ms: AtomicI64,
    monotonic_ms: AtomicI64,
}

impl TestClock {
    pub(crate) fn at(now_ms: i64) -> Arc<Self> {
        Arc::new(Self { now_ms: AtomicI64::new(now_ms), monotonic_ms: AtomicI64::new(0) })
    }

    /// Time goes by.
    pub(crate) fn advance(&self, by_ms: i64) {
        self.now_ms.fetch_add(by_ms, Ordering::Relaxed);
        self.monotonic_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// Somebody sets the clock.
    pub(crate) fn jump(&self, by_ms: i64) {
        self.now_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        let ms = self.monotonic_ms.load(Ordering::Relaxed);
        Duration::from_millis(ms.unsigned_abs())
    }
}

/// Settings with partitions of an hour that are rolled up at once, and no bound on late samples.
pub(crate) fn settings(dir: &Path) -> Settings {
    Settings {
        partition: Duration::from_secs(3600),
        late_window: None,
        minutes_after: Duration::ZERO,
        hours_after: Duration::ZERO,
        ..Settings::new(dir)
    }
}

pub(crate) fn open(dir: &Path, clock: &Arc<TestClock>) -> Store {
    Store::open(settings(dir), clock.clone()).unwrap()
}

pub(crate) fn labels(series: u32) -> Labels {
    Labels::new([("__name__", format!("metric_{}", series % 7)), ("id", series.to_string())])
        .unwrap()
}

pub(crate) fn batch(time_ms: i64, samples: impl IntoIterator<Item = (u32, f64)>) -> Batch {
    let sample = |(series, value)| Sample { labels: labels(series), value };
    Batch { time_ms, samples: samples.into_iter().map(sample).collect() }
}

/// Samples by labels in text form; values as bits, so that not-a-numbers compare.
pub(crate) type Map = BTreeMap<String, BTreeMap<i64, u64>>;

pub(crate) fn as_map(data: &[SeriesData]) -> Map {
    let columns = |series: &SeriesData| {
        assert_eq!(series.times.len(), series.values.len());
        assert!(series.times.is_sorted_by(|a, b| a < b), "times ascend");
        let bits = series.values.iter().map(|value| value.to_bits());
        series.times.iter().copied().zip(bits).collect()
    };
    data.iter().map(|series| (series.labels.to_string(), columns(series))).collect()
}

pub(crate) fn select_all(store: &Store) -> Answer<Vec<SeriesData>> {
    store.select(&[], i64::MIN, i64::MAX, &Limits::default()).unwrap()
}

/// Everything in the store; nothing may be missing.
pub(crate) fn contents(store: &Store) -> Map {
    let answer = select_all(store);
    assert_eq!(answer.warnings, []);
    as_map(&answer.data)
}

/// Lets hours begin, fill and end.
pub(crate) fn live_through(store: &Store, clock: &TestClock, hours: std::ops::Range<i64>) {
    for hour in hours {
        for i in 0..20 {
            let time_ms = NOON_MS + hour * HOUR_MS + i * 1000;
            store.append(&[batch(time_ms, (0..5).map(|series| (series, i as f64)))]).unwrap();
        }
        for _ in 0..4 {
            clock.advance(HOUR_MS / 4);
            store.maintain().unwrap();
        }
    }
}

const FOR_HOURS: Keep = Keep { age: Some(Duration::from_secs(3 * 3600)), bytes: None };

/// Buckets of hours are kept for ever, all else for hours.
pub(crate) fn hours_only(dir: &Path) -> Settings {
    let retention = Retention { raw: FOR_HOURS, minutes: FOR_HOURS, ..Retention::forever() };
    Settings { retention, ..settings(dir) }
}

/// Buckets of minutes are kept for ever, all else for hours.
pub(crate) fn minutes_only(dir: &Path) -> Settings {
    let retention = Retention { raw: FOR_HOURS, hours: FOR_HOURS, ..Retention::forever() };
    Settings { retention, ..settings(dir) }
}

pub(crate) fn count(things: impl IntoIterator) -> i64 {
    things.into_iter().map(|_| 1).sum()
}

/// Numbers that look random and are the same each time.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Ends the threads that look at it, also when the test fails.
pub(crate) struct EndOnDrop<'a>(pub(crate) &'a std::sync::atomic::AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
