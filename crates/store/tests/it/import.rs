//! What is imported is there as a whole or not at all, also beside a store that is open.

use std::fs;
use std::path::Path;
use std::time::Duration;

use barograph_store::{Import, ImportError, Settings, Store};

use crate::support::{HOUR_MS, NOON_MS, TestClock, batch, contents, labels, open, settings};

const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

fn import_hours(data: &Path, hours: i64) -> Import {
    let mut import = Import::begin(data, TestClock::at(NOON_MS)).unwrap();
    for hour in 0..hours {
        let time_ms = NOON_MS - YEAR_MS + hour * HOUR_MS;
        import.append(&[batch(time_ms, [(1, 1.0), (2, hour as f64)])]).unwrap();
    }
    import
}

#[test]
fn an_import_into_an_open_store_is_taken_up_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    store.append(&[batch(NOON_MS, [(1, 7.0)])]).unwrap();
    let before = contents(&store);
    // More partitions than may be open at a time.
    let import = import_hours(dir.path(), 150);
    assert_eq!((import.samples(), contents(&store)), (300, before));
    let finished = import.finish().unwrap();
    store.maintain().unwrap();
    assert!(finished.is_taken_up());
    let found = contents(&store);
    assert_eq!(found[&labels(1).to_string()].len(), 151);
    assert_eq!(found[&labels(2).to_string()].len(), 150);
    assert!(!dir.path().join("import").exists());
    drop(store);
    let store = open(dir.path(), &clock);
    store.maintain().unwrap();
    assert_eq!(contents(&store), found);
}

#[test]
fn an_import_without_a_store_waits_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new");
    let finished = import_hours(&data, 3).finish().unwrap();
    assert!(!finished.is_taken_up());
    let store = open(&data, &TestClock::at(NOON_MS));
    assert!(finished.is_taken_up());
    assert_eq!(contents(&store)[&labels(2).to_string()].len(), 3);
}

#[test]
fn an_import_that_is_given_up_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    drop(open(dir.path(), &clock));
    drop(import_hours(dir.path(), 3));
    assert!(!dir.path().join("import").exists());
    assert_eq!(contents(&open(dir.path(), &clock)).len(), 0);
}

#[test]
fn what_a_killed_import_left_is_swept_by_the_next_and_one_that_goes_on_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    drop(open(dir.path(), &clock));
    // A store in this state is what a kill leaves.
    let killed = dir.path().join("import/1-1.unfinished");
    let store = open(&killed, &clock);
    store.append(&[batch(NOON_MS, [(1, 1.0)])]).unwrap();
    let import = import_hours(dir.path(), 1);
    assert!(killed.exists(), "its store is open");
    drop(store);
    drop(import);
    import_hours(dir.path(), 2).finish().unwrap();
    assert!(!killed.exists());
    assert_eq!(contents(&open(dir.path(), &clock))[&labels(2).to_string()].len(), 2);
}

#[test]
fn taking_up_goes_on_where_a_kill_ended_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    import_hours(dir.path(), 3).finish().unwrap();
    // One file was moved already.
    let ready = fs::read_dir(dir.path().join("import")).unwrap().next().unwrap().unwrap().path();
    let first = fs::read_dir(ready.join("raw")).unwrap().next().unwrap().unwrap();
    fs::rename(first.path(), dir.path().join("raw").join(first.file_name())).unwrap();
    let store = open(dir.path(), &clock);
    assert_eq!(contents(&store)[&labels(2).to_string()].len(), 3);
}

#[test]
fn imported_samples_win_over_those_on_file_and_new_ones_over_them() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    store.append(&[batch(NOON_MS, [(1, 1.0), (2, 1.0)])]).unwrap();
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    let mut import = Import::begin(dir.path(), clock.clone()).unwrap();
    import.append(&[batch(NOON_MS, [(1, 2.0), (2, 2.0)])]).unwrap();
    import.finish().unwrap();
    store.maintain().unwrap();
    store.append(&[batch(NOON_MS, [(2, 3.0)])]).unwrap();
    let value = |series: u32| contents(&store)[&labels(series).to_string()][&NOON_MS];
    assert_eq!((value(1), value(2)), (2.0_f64.to_bits(), 3.0_f64.to_bits()));
}

#[test]
fn imported_samples_win_over_those_of_a_day_that_is_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    store.append(&[batch(NOON_MS, [(1, 1.0), (2, 1.0), (3, 1.0)])]).unwrap();
    let mut import = Import::begin(dir.path(), clock.clone()).unwrap();
    import.append(&[batch(NOON_MS, [(1, 2.0), (2, 2.0)])]).unwrap();
    let finished = import.finish().unwrap();
    store.maintain().unwrap();
    assert!(finished.is_taken_up());
    store.append(&[batch(NOON_MS, [(2, 3.0)])]).unwrap();
    let check = |store: &Store| {
        let value = |series: u32| contents(store)[&labels(series).to_string()][&NOON_MS];
        let expected = [2.0_f64, 3.0, 1.0].map(f64::to_bits);
        assert_eq!([value(1), value(2), value(3)], expected);
    };
    check(&store);
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    check(&store);
}

#[test]
fn too_many_series_fail_the_whole_import() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let day = Settings { partition: Duration::from_secs(86_400), ..settings(dir.path()) };
    drop(Store::open(day, clock.clone()).unwrap());
    let mut import = Import::begin(dir.path(), clock.clone()).unwrap();
    let mut outcome = Ok(());
    for first in (0..2_000_000).step_by(400_000) {
        let many = (first..first + 400_000).map(|series| (series, 1.0));
        outcome = import.append(&[batch(NOON_MS, many)]).map(drop);
        if outcome.is_err() {
            break;
        }
    }
    assert!(matches!(outcome, Err(ImportError::TooManySeries { max: 1_000_000 })), "{outcome:?}");
    drop(import);
    assert!(!dir.path().join("import").exists());
}
