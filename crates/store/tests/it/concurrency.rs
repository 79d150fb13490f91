//! Appends, reads and sealing at the same time; files that others have open.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use barograph_store::{Settings, Store};
use rusqlite::{Connection, OpenFlags};

use crate::support::{
    HOUR_MS, NOON_MS, TestClock, batch, contents, count, labels, open, select_all, settings,
};

const WRITERS: u32 = 3;
const BATCHES: i64 = 150;

#[test]
fn readers_miss_nothing_and_see_nothing_twice_while_heads_are_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    let acknowledged: Vec<AtomicI64> = (0..WRITERS).map(|_| AtomicI64::new(0)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, acknowledged) = (&store, &acknowledged);
                scope.spawn(move || {
                    for i in 0..BATCHES {
                        let samples = [(writer, i as f64), (writer + 100, 5.0)];
                        store.append(&[batch(NOON_MS + i * 1000, samples)]).unwrap();
                        acknowledged[writer as usize].store(i + 1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                store.seal().unwrap();
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let before: Vec<i64> =
                    acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect();
                let answer = select_all(&store);
                assert_eq!(answer.warnings, []);
                for series in &answer.data {
                    // select() checks nothing of this itself: times are 0, 1, 2, … seconds.
                    let expected: Vec<i64> =
                        (0_i64..).take(series.times.len()).map(|i| NOON_MS + i * 1000).collect();
                    assert_eq!(series.times, expected, "{}", series.labels);
                }
                for (writer, before) in (0..WRITERS).zip(before) {
                    let found = answer.data.iter().find(|s| s.labels == labels(writer));
                    assert!(found.map_or(0, |s| count(&s.times)) >= before);
                }
            }
        });
        let results: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        assert!(results.iter().all(Result::is_ok));
    });
    let found = contents(&store);
    assert_eq!(found.len(), 2 * WRITERS as usize);
    assert!(found.values().all(|series| count(series) == BATCHES));
    // Waiting appends share a transaction.
    assert!(store.stats().commits <= u64::from(WRITERS) * BATCHES as u64);
}

/// What a program that reads a database holds; nothing is locked in it.
fn held(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn files_that_another_program_has_open_are_moved_and_removed_when_they_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let raw = dir.path().join("raw");
    let clock = TestClock::at(NOON_MS);
    let hasty = Settings { close_after: Duration::ZERO, ..settings(dir.path()) };
    let store = Store::open(hasty, clock.clone()).unwrap();
    store.append(&[batch(NOON_MS, [(1, 1.0)])]).unwrap();
    let before = contents(&store);

    let live = held(&raw.join("2026-11-22T12.db"));
    clock.advance(HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(contents(&store), before, "nothing is lost from sight");
    drop(live);
    clock.advance(HOUR_MS);
    store.maintain().unwrap();
    let final_form = names(&raw).pop().unwrap();
    assert!(final_form.ends_with(".final.db"), "{final_form}");
    assert_eq!(contents(&store), before);

    let replaced = held(&raw.join(&final_form));
    store.append(&[batch(NOON_MS + 1000, [(1, 2.0)])]).unwrap();
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(contents(&store).values().map(BTreeMap::len).collect::<Vec<_>>(), [2]);
    drop(replaced);
    store.maintain().unwrap();
    assert!(!names(&raw).contains(&final_form), "{:?}", names(&raw));
    assert_eq!(names(&raw).len(), 1, "{:?}", names(&raw));
}
