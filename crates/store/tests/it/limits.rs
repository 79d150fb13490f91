//! What is refused, how it is said, and that it is counted.

use std::time::Duration;

use barograph_store::{AppendError, Appended, SeriesError, Settings, Store};

use crate::support::{HOUR_MS, NOON_MS, TestClock, batch, contents, count, labels, open, settings};

#[test]
fn too_many_series_are_refused_and_the_known_ones_kept() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let few = Settings { max_series: 3, ..settings(dir.path()) };
    let store = Store::open(few, clock.clone()).unwrap();
    let appended = store.append(&[batch(NOON_MS, (0..5).map(|i| (i, 1.0)))]).unwrap();
    assert_eq!(appended, Appended { stored: 3, refused: 2, ..Appended::default() });
    let appended = store.append(&[batch(NOON_MS + 1, (1..5).map(|i| (i, 1.0)))]).unwrap();
    assert_eq!(appended, Appended { stored: 2, refused: 2, ..Appended::default() });
    assert_eq!(store.series(&labels(4)), Err(SeriesError::TooMany { max: 3 }));
    assert_eq!(contents(&store).len(), 3);
    assert_eq!(store.stats().refused_samples, 4);
}

#[test]
fn samples_outside_of_the_windows_are_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let day = Settings { late_window: Some(Duration::from_secs(86_400)), ..settings(dir.path()) };
    let store = Store::open(day, clock.clone()).unwrap();
    let at = |time_ms| store.append(&[batch(time_ms, [(1, 1.0), (2, 1.0)])]).unwrap();
    assert_eq!(at(NOON_MS - 24 * HOUR_MS).stored, 2);
    assert_eq!(at(NOON_MS - 24 * HOUR_MS - 1).late, 2);
    assert_eq!(at(NOON_MS + 48 * HOUR_MS).stored, 2);
    assert_eq!(at(NOON_MS + 48 * HOUR_MS + 1).future, 2);
    assert_eq!(at(i64::MAX).future, 2);
    assert_eq!(at(i64::MIN).late, 2);
    let stats = store.stats();
    assert_eq!((stats.late_samples, stats.future_samples), (4, 4));
    assert_eq!(stats.partitions, 2);
}

#[test]
fn a_full_head_sheds_load_and_is_sealed_to_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let small = Settings { max_head_bytes: 20_000, ..settings(dir.path()) };
    let store = Store::open(small, clock).unwrap();
    store.append(&[batch(NOON_MS, [(1, 1.0)])]).unwrap();
    // More than there is room for beside the one sample.
    let many = [batch(NOON_MS + 1, (0..2000).map(|i| (i, 2.0)))];
    let error = store.append(&many).unwrap_err();
    let AppendError::Busy { retry_after, .. } = error else { panic!("{error}") };
    assert!((1..=60).contains(&retry_after.as_secs()), "{retry_after:?}");
    assert!(error.to_string().ends_with(&format!("again in {} s", retry_after.as_secs())));
    assert!(store.stats().busy >= 1);
    let comes_back = || {
        std::thread::sleep(Duration::from_millis(50));
        store.append(&many).is_ok_and(|appended| appended.stored == 2000)
    };
    assert!((0..200).any(|_| comes_back()), "nobody sealed");
    assert_eq!(count(&contents(&store)[&labels(1).to_string()]), 2);
}

#[test]
fn a_head_is_sealed_before_its_memory_is_used_up() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let small = Settings { max_head_bytes: 60_000, ..settings(dir.path()) };
    let store = Store::open(small, clock).unwrap();
    for i in 0..3000 {
        let samples = (0..20).map(|series| (series, (i * 7919 % 1000) as f64 / 3.0));
        let append = || store.append(&[batch(NOON_MS + i, samples.clone())]).is_ok();
        let comes_back = || {
            std::thread::sleep(Duration::from_millis(20));
            append()
        };
        assert!(append() || (0..500).any(|_| comes_back()), "{i}");
    }
    let stats = store.stats();
    assert!(stats.seals >= 2 && stats.head_bytes < 60_000, "{stats:?}");
    assert!(contents(&store).values().all(|samples| count(samples) == 3000));
}

#[test]
fn few_files_are_written_to_however_many_days_samples_come_for() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let few = Settings { live_partitions: 4, ..settings(dir.path()) };
    let store = Store::open(few.clone(), clock.clone()).unwrap();
    let live_files = || {
        let names = std::fs::read_dir(dir.path().join("raw")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        // A live one has no number.
        names.filter(|name| name.strip_suffix(".db").is_some_and(|day| !day.contains('.'))).count()
    };
    // The newest hour goes on, and each time samples come for an older one.
    for hour in 0..30 {
        clock.advance(1000);
        store.append(&[batch(NOON_MS + hour, [(1, 1.0)])]).unwrap();
        clock.advance(1000);
        let late = [batch(NOON_MS - (hour + 1) * HOUR_MS, [(1, 1.0)])];
        // The upkeep may be at work, and is not waited for.
        assert!((0..600).any(|_| {
            store.append(&late).is_ok() || {
                std::thread::sleep(Duration::from_millis(100));
                false
            }
        }));
        assert!(live_files() <= 8, "{} after {hour}", live_files());
    }
    assert!(std::fs::exists(dir.path().join("raw/2026-11-22T12.db")).unwrap(), "it is not quiet");
    assert_eq!(count(&contents(&store)[&labels(1).to_string()]), 60);
    drop(store);
    // Those of an earlier version, which had no bound, are opened all the same.
    let many = Settings { live_partitions: 100, ..few.clone() };
    let store = Store::open(many, clock.clone()).unwrap();
    let hours = (100..120).map(|hour| batch(NOON_MS - hour * HOUR_MS, [(1, 1.0)]));
    store.append(&hours.collect::<Vec<_>>()).unwrap();
    assert!(live_files() >= 20);
    drop(store);
    let store = Store::open(few, clock.clone()).unwrap();
    assert!(live_files() <= 8, "{}", live_files());
    assert_eq!(count(&contents(&store)[&labels(1).to_string()]), 80);
}

#[test]
fn a_full_disk_is_an_error_that_passes_and_reads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let small = Settings { max_file_bytes: Some(120_000), ..settings(dir.path()) };
    let store = Store::open(small, clock.clone()).unwrap();
    let append = |store: &Store, i: i64| {
        let samples = (0..100).map(|series| (series, f64::from(series) + i as f64 / 3.0));
        store.append(&[batch(NOON_MS + i, samples)])
    };
    let mut stored = 0;
    let error = loop {
        match append(&store, stored) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AppendError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("2026-11-22T12.db is full"), "{error}");
    let full = contents(&store);
    assert_eq!(full.len(), 100);
    assert!(full.values().all(|series| count(series) == stored));
    assert!(append(&store, stored).is_err());
    assert!(store.seal().is_err());
    assert_eq!(contents(&store), full);
    let stats = store.stats();
    assert_eq!((stats.failed_commits, stats.failed_seals), (2, 1));
    // The next hour has a file of its own.
    assert_eq!(append(&store, HOUR_MS).unwrap().stored, 100);
    drop(store);

    let store = open(dir.path(), &clock);
    assert_eq!(append(&store, stored).unwrap().stored, 100);
    store.seal().unwrap();
    let found = contents(&store);
    assert!(found.values().all(|series| count(series) == stored + 2));
}
