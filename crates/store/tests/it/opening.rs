//! What is refused at the door, and left as it is.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use barograph_store::{OpenError, Settings, Store};

use crate::support::{HOUR_MS, NOON_MS, TestClock, batch, contents, open, settings};

fn open_error(settings: Settings) -> OpenError {
    Store::open(settings, TestClock::at(NOON_MS)).unwrap_err()
}

fn one_partition(dir: &Path) -> std::path::PathBuf {
    let store = open(dir, &TestClock::at(NOON_MS));
    store.append(&[batch(NOON_MS, [(1, 1.0)])]).unwrap();
    drop(store);
    dir.join("raw/2026-11-22T12.db")
}

#[test]
fn a_second_store_on_the_folder_is_refused_with_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &TestClock::at(NOON_MS));
    let error = open_error(settings(dir.path()));
    let text = error.to_string();
    assert!(matches!(error, OpenError::InUse { .. }), "{text}");
    assert!(text.contains(&dir.path().display().to_string()), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    drop(store);
    open(dir.path(), &TestClock::at(NOON_MS));
}

#[test]
fn a_folder_that_is_given_back_within_a_moment_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &TestClock::at(NOON_MS));
    let holder = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        drop(store);
    });
    open(dir.path(), &TestClock::at(NOON_MS));
    holder.join().unwrap();
}

#[test]
fn a_newer_partition_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = one_partition(dir.path());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 4).unwrap();
    connection.close().unwrap();
    let before = fs::read(&path).unwrap();
    let error = open_error(settings(dir.path()));
    assert!(matches!(error, OpenError::Newer { found: 4, known: 3, .. }), "{error}");
    assert!(error.to_string().contains("2026-11-22T12.db"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_folder_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    one_partition(dir.path());
    let marker = dir.path().join("FORMAT");
    fs::write(&marker, "barograph-store 2\nwhatever\n").unwrap();
    let error = open_error(settings(dir.path()));
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
    assert_eq!(fs::read_to_string(&marker).unwrap(), "barograph-store 2\nwhatever\n");
}

#[test]
fn another_marker_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["", "something else\n", "barograph-store 1\n", "barograph-store 1\npartition_ms 5"]
    {
        fs::write(dir.path().join("FORMAT"), text).unwrap();
        let error = open_error(settings(dir.path()));
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    }
    assert!(!dir.path().join("raw").exists());
}

#[test]
fn a_folder_keeps_the_partition_length_that_it_was_made_with() {
    let dir = tempfile::tempdir().unwrap();
    one_partition(dir.path());
    let daily = Settings { partition: Duration::from_secs(86_400), ..settings(dir.path()) };
    let store = Store::open(daily, TestClock::at(NOON_MS)).unwrap();
    store.append(&[batch(NOON_MS + HOUR_MS, [(1, 1.0)])]).unwrap();
    assert_eq!(store.stats().partitions, 2);
}

#[test]
fn settings_out_of_range_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let odd = Settings { partition: Duration::from_secs(5), ..settings(dir.path()) };
    let text = open_error(odd).to_string();
    assert_eq!(text, "setting `partition` is 5s, allowed is whole hours from 1 h to 31 d");
    let none = Settings { queue: 0, ..settings(dir.path()) };
    assert!(open_error(none).to_string().contains("`queue` is 0"));
}

#[test]
fn a_file_in_the_way_of_the_folder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, "x").unwrap();
    let text = open_error(settings(&path)).to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
}

#[test]
fn foreign_and_broken_live_files_are_set_aside_and_reported() {
    for bytes in [&b"this is no database, but it is longer than a header would be"[..], &[0; 5000]]
    {
        let dir = tempfile::tempdir().unwrap();
        let path = one_partition(dir.path());
        fs::write(&path, bytes).unwrap();
        let clock = TestClock::at(NOON_MS);
        let store = open(dir.path(), &clock);
        store.append(&[batch(NOON_MS + 1, [(2, 2.0)])]).unwrap();
        let answer = crate::support::select_all(&store);
        assert_eq!(answer.data.len(), 1);
        assert_eq!(answer.warnings.len(), 1, "{:?}", answer.warnings);
        let aside = dir.path().join("raw/2026-11-22T12.1.closed.db");
        assert_eq!(fs::read(aside).unwrap(), bytes);
    }
}

#[test]
fn other_files_in_the_folder_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    one_partition(dir.path());
    let notes = dir.path().join("raw/notes.txt");
    fs::write(&notes, "mine").unwrap();
    let unfinished = dir.path().join("raw/2026-11-22T12.7.unfinished");
    fs::write(&unfinished, "half").unwrap();
    let store = open(dir.path(), &TestClock::at(NOON_MS));
    assert_eq!(contents(&store).len(), 1);
    assert_eq!(fs::read_to_string(notes).unwrap(), "mine");
    assert!(!unfinished.exists());
}
