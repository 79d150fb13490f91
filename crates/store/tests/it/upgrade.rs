//! Folders that earlier versions wrote are read, and written on.
//!
//! `tests/fixtures/store-N` is what version N of the folder's layout left behind when it was
//! killed: a final form, late samples beside a final form, and a live file with blocks and batches.
//! Run this test with `MAKE_STORE_FIXTURE=DIR` to have the current version write such a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{
    HOUR_MS, Map, NOON_MS, TestClock, batch, contents, copy_dir, labels, open, settings,
};

const SERIES: u32 = 14;

/// Constants, counters, floats, and a series that ends.
fn value(series: u32, i: i64) -> Option<f64> {
    match series % 5 {
        0 => Some(f64::from(series)),
        1 => Some((i * i64::from(series)) as f64),
        2 => Some((i % 17) as f64 / 7.0),
        3 => Some((i * i % 101) as f64 - 50.0),
        _ if i < 40 => Some(0.5),
        _ if i == 40 => Some(barograph_model::STALE),
        _ => None,
    }
}

fn samples(i: i64) -> Vec<(u32, f64)> {
    (0..SERIES).filter_map(|series| Some((series, value(series, i)?))).collect()
}

/// The times in the fixture in the order in which they were written, with what happened after.
fn times() -> impl Iterator<Item = (i64, &'static str)> {
    let run = |start_ms: i64, n: i64| (0..n).map(move |i| start_ms + i * 1000);
    let finals = run(NOON_MS - 2 * HOUR_MS, 120).chain(run(NOON_MS - HOUR_MS, 120));
    let finals = finals.map(|time_ms| (time_ms, ""));
    let late = run(NOON_MS - HOUR_MS + 500, 3).map(|time_ms| (time_ms, ""));
    let sealed = run(NOON_MS, 45).map(|time_ms| (time_ms, ""));
    let head = run(NOON_MS + 45_000, 9).map(|time_ms| (time_ms, ""));
    let mark = |what| std::iter::once((0, what));
    finals.chain(mark("maintain")).chain(late).chain(sealed).chain(mark("seal")).chain(head)
}

fn expected() -> Map {
    let mut map = Map::new();
    for (time_ms, _) in times().filter(|(_, mark)| mark.is_empty()) {
        for (series, value) in samples(time_ms / 1000 % 1000) {
            let series = map.entry(labels(series).to_string()).or_default();
            series.insert(time_ms, value.to_bits());
        }
    }
    map
}

fn make(target: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS + 600_000);
    let store = open(dir.path(), &clock);
    for (time_ms, mark) in times() {
        match mark {
            "maintain" => {
                clock.advance(900_000);
                store.maintain().unwrap();
            }
            "seal" => store.seal().unwrap(),
            _ => drop(store.append(&[batch(time_ms, samples(time_ms / 1000 % 1000))]).unwrap()),
        }
    }
    assert_eq!(contents(&store), expected());
    // While it is open: as a kill leaves it, with the journal.
    copy_dir(dir.path(), target);
    for folder in [target.to_owned(), target.join("raw")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.ends_with("-shm") || name.starts_with("LOCK") {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

fn fixtures() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let is_store =
        |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("store-");
    entries.filter(is_store).collect()
}

#[test]
fn folders_of_earlier_versions_are_read_and_written_on() {
    if let Some(target) = std::env::var_os("MAKE_STORE_FIXTURE") {
        make(Path::new(&target));
    }
    let fixtures = fixtures();
    assert!(!fixtures.is_empty());
    for fixture in fixtures {
        let dir = tempfile::tempdir().unwrap();
        copy_dir(&fixture, dir.path());
        let clock = TestClock::at(NOON_MS + HOUR_MS / 2);
        let store = open(dir.path(), &clock);
        let mut expected = expected();
        assert_eq!(contents(&store), expected, "{}", fixture.display());
        let late_ms = NOON_MS - 2 * HOUR_MS + 1;
        for time_ms in [late_ms, NOON_MS + HOUR_MS / 2] {
            store.append(&[batch(time_ms, [(1, 4.5)])]).unwrap();
            expected.get_mut(&labels(1).to_string()).unwrap().insert(time_ms, 4.5_f64.to_bits());
        }
        assert_eq!(contents(&store), expected);
        clock.advance(3 * HOUR_MS);
        store.maintain().unwrap();
        assert_eq!(contents(&store), expected);
        assert_eq!(store.stats().rewrites, 3);
        drop(store);
        let store = barograph_store::Store::open(settings(dir.path()), clock).unwrap();
        assert_eq!(contents(&store), expected);
    }
}
