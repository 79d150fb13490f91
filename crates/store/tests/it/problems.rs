//! What is damaged or in the way is told without being asked for, and keeps nothing else waiting.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use barograph_store::{Import, Store, verify};
use rusqlite::Connection;

use crate::support::{
    HOUR_MS, NOON_MS, TestClock, batch, contents, hours_only, labels, live_through, open,
};

#[test]
fn an_import_that_cannot_be_taken_up_keeps_nothing_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    drop(open(dir.path(), &clock));
    let broken = dir.path().join("import/1-1.ready");
    fs::create_dir_all(&broken).unwrap();
    let mut import = Import::begin(dir.path(), clock.clone()).unwrap();
    import.append(&[batch(NOON_MS, [(1, 1.0)])]).unwrap();
    let finished = import.finish().unwrap();
    let store = open(dir.path(), &clock);
    assert!(finished.is_taken_up(), "another import is in the way");
    for i in 0..3 {
        store.append(&[batch(NOON_MS + 1000 + i, [(1, 2.0)])]).unwrap();
        clock.advance(2 * HOUR_MS);
        store.maintain().unwrap();
    }
    let stats = store.stats();
    assert!(stats.seals >= 1 && stats.failed_imports == 1, "{stats:?}");
    let problems = store.problems();
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    let expected = "an import cannot be taken up: cannot write";
    assert!(problem.contains(expected) && problem.contains("1-1.ready"), "{problem}");
    fs::remove_dir_all(&broken).unwrap();
    store.maintain().unwrap();
    assert_eq!(store.problems(), [""; 0]);
    assert!(!dir.path().join("import").exists());
}

#[test]
fn an_import_that_was_killed_is_swept_at_the_start_and_counted_until_then() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    let before = store.stats().disk_bytes;
    let killed = dir.path().join("import/1-1.unfinished");
    drop(open(&killed, &clock));
    fs::write(killed.join("raw/large.db"), vec![0; 1 << 20]).unwrap();
    assert!(store.stats().disk_bytes > before + (1 << 20));
    drop(store);
    // One that goes on has its folder locked.
    let going_on = open(&dir.path().join("import/2-2.unfinished"), &clock);
    drop(open(dir.path(), &clock));
    assert!(!killed.exists() && going_on.folder().exists());
}

#[test]
fn a_partition_that_cannot_be_rewritten_keeps_no_other_from_being_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    for hour in 0..2 {
        store.append(&[batch(NOON_MS + hour * HOUR_MS, [(1, 1.0)])]).unwrap();
        clock.advance(HOUR_MS);
    }
    // Where the first one's final form would be written.
    let obstacle = dir.path().join("raw/2026-11-22T12.2.unfinished");
    fs::create_dir(&obstacle).unwrap();
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap_err();
    assert!(dir.path().join("raw/2026-11-22T13.2.final.db").exists());
    let problems = store.problems();
    assert!(problems.len() == 1 && problems[0].contains("2026-11-22T12"), "{problems:?}");
    fs::remove_dir(&obstacle).unwrap();
    store.maintain().unwrap();
    assert_eq!(store.problems(), [""; 0]);
    assert_eq!(contents(&store)[&labels(1).to_string()].len(), 2);
}

#[test]
fn unreadable_files_are_told_of_before_anybody_asks_for_what_is_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    live_through(&store, &clock, 0..3);
    drop(store);
    let final_form = dir.path().join("raw").join("2026-11-22T12.2.final.db");
    fs::write(&final_form, "no database").unwrap();
    let store = open(dir.path(), &clock);
    store.maintain().unwrap();
    store.maintain().unwrap();
    assert_eq!(store.stats().damaged_partitions, 1);
    let problems = store.problems();
    let named = final_form.display().to_string();
    assert!(problems.len() == 1 && problems[0].contains(&named), "{problems:?}");
}

/// Sound entries by file, and problems, of the tier of hours.
fn checked(dir: &Path) -> (BTreeMap<String, u64>, Vec<String>) {
    let (mut sound, mut problems) = (BTreeMap::new(), Vec::new());
    let mut act = |checked: barograph_store::Checked, _: usize| {
        let path = checked.path.display().to_string();
        problems.extend(checked.problems.iter().map(|problem| format!("{path}: {problem}")));
        if path.starts_with("1h") {
            sound.insert(path, checked.sound);
        }
    };
    verify(dir, &mut act).unwrap();
    (sound, problems)
}

fn the_hours(dir: &Path) -> PathBuf {
    let entries = fs::read_dir(dir.join("1h")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn flip(file: &Path, table: &str, id: i64) {
    let connection = Connection::open(file).unwrap();
    let query = format!("SELECT data FROM {table} WHERE id = ?1");
    let mut data: Vec<u8> = connection.query_row(&query, [id], |row| row.get(0)).unwrap();
    let middle = data.len() / 2;
    data[middle] ^= 8;
    let query = format!("UPDATE {table} SET data = ?1 WHERE id = ?2");
    connection.execute(&query, rusqlite::params![data, id]).unwrap();
}

#[test]
fn hours_whose_list_of_what_they_cover_is_damaged_stay() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = Store::open(hours_only(dir.path()), clock.clone()).unwrap();
    live_through(&store, &clock, 0..10);
    drop(store);
    let (sound, problems) = checked(dir.path());
    let before = sound.values().sum::<u64>();
    // Nine hours, and the last sample of each at 12:00:00 makes a bucket of its own.
    assert!(before >= 5 * 8 && problems.is_empty(), "{sound:?} {problems:?}");
    let damaged = the_hours(dir.path());
    flip(&damaged, "meta", 2);
    assert_eq!(checked(dir.path()).1.len(), 1);

    let store = Store::open(hours_only(dir.path()), clock.clone()).unwrap();
    store.maintain().unwrap();
    live_through(&store, &clock, 10..14);
    let (sound, problems) = checked(dir.path());
    assert!(sound.values().sum::<u64>() >= before + 4 * 5, "{before}, then {sound:?}");
    assert_eq!(problems, [""; 0], "it was written anew, with a list");
    assert!(!damaged.exists());
    assert!(store.stats().damaged_partitions >= 1, "{:?}", store.stats());
    // Samples of what has expired are not taken: they would take the place of the buckets.
    assert_eq!(store.append(&[batch(NOON_MS, [(1, 1.0)])]).unwrap().too_old, 1);
}

#[test]
fn hours_with_more_damage_are_kept_aside_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = Store::open(hours_only(dir.path()), clock.clone()).unwrap();
    live_through(&store, &clock, 0..10);
    drop(store);
    let damaged = the_hours(dir.path());
    flip(&damaged, "meta", 2);
    flip(&damaged, "block", 0);
    let bytes = fs::read(&damaged).unwrap();
    let aside = damaged.with_file_name(
        damaged.file_name().unwrap().to_str().unwrap().replace(".final.", ".damaged."),
    );
    let store = Store::open(hours_only(dir.path()), clock.clone()).unwrap();
    store.maintain().unwrap();
    live_through(&store, &clock, 10..12);
    assert_eq!(fs::read(&aside).unwrap(), bytes, "nothing of it is thrown away");
    let is_told = |store: &Store| {
        let named = aside.display().to_string();
        store.problems().iter().any(|problem| problem.contains(&named))
    };
    assert!(is_told(&store), "{:?}", store.problems());
    drop(store);
    let store = Store::open(hours_only(dir.path()), clock.clone()).unwrap();
    assert!(is_told(&store), "after a start, too: {:?}", store.problems());
    let (_, problems) = checked(dir.path());
    assert!(
        problems.len() == 1 && problems[0].contains(".damaged.db: it is damaged"),
        "{problems:?}"
    );
}
