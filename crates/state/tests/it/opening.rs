//! Which folders open, and which do not.

use std::fs;
use std::sync::Arc;

use barograph_model::SystemClock;
use barograph_state::{OpenError, State};

use crate::support::Bench;

fn open(dir: &std::path::Path) -> Result<State, OpenError> {
    State::open(dir, Arc::new(SystemClock::new()))
}

#[test]
fn a_database_without_its_key_or_with_another_is_refused() {
    let bench = Bench::new();
    drop(bench.state);
    let key = bench.folder.path().join("state.key");
    let right = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(matches!(open(bench.folder.path()), Err(OpenError::KeyMissing { .. })));
    assert!(!key.exists(), "no new key is made beside a database");
    fs::write(&key, [7; 32]).unwrap();
    assert!(matches!(open(bench.folder.path()), Err(OpenError::OtherKey { .. })));
    fs::write(&key, [7; 5]).unwrap();
    assert!(matches!(open(bench.folder.path()), Err(OpenError::KeyLength { bytes: 5, .. })));
    fs::write(&key, right).unwrap();
    assert!(open(bench.folder.path()).is_ok());
}

#[test]
fn a_foreign_file_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(foreign);
    fs::write(folder.path().join("state.key"), [7; 32]).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_version_is_refused() {
    let bench = Bench::new();
    drop(bench.state);
    let connection = rusqlite::Connection::open(bench.folder.path().join("state.db")).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    drop(connection);
    let error = open(bench.folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("(its format is 2, this version reads up to 1)"), "{error}");
}

#[test]
fn only_the_owner_may_read_the_key() {
    let bench = Bench::new();
    let key = fs::metadata(bench.folder.path().join("state.key")).unwrap();
    let shown = format!("{:?}", key.permissions());
    // Elsewhere the folder guards it.
    assert!(std::env::consts::FAMILY != "unix" || shown.contains("-rw-------"), "{shown}");
}

#[test]
fn a_copy_opens_with_the_same_key() {
    let bench = Bench::new();
    bench.state.write(|change| change.set_entry("space", "key", b"value")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    bench.state.copy_to(&copy.path().join("state.db")).unwrap();
    fs::copy(bench.folder.path().join("state.key"), copy.path().join("state.key")).unwrap();
    let copied = open(copy.path()).unwrap();
    let value = copied.read(|view| view.entry("space", "key")).unwrap();
    assert_eq!(value.as_deref(), Some(&b"value"[..]));
}
