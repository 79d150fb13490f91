//! Checking a folder finds damage wherever it is, and takes nothing sound for damaged.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use barograph_store::{Checked, OpenError, Record, RecordLog, RecordSettings, StoreView, verify};

use crate::support::{EndOnDrop, HOUR_MS, NOON_MS, TestClock, batch, open, settings};

fn check(dir: &Path) -> Vec<Checked> {
    let mut found = Vec::new();
    let mut total = 0;
    let mut act = |checked: Checked, n_files: usize| {
        found.push(checked);
        total = n_files;
    };
    verify(dir, &mut act).unwrap();
    assert!(found.len() <= total);
    found
}

fn problems(found: &[Checked]) -> Vec<String> {
    let problems = found.iter().flat_map(|file| {
        let path = file.path.display();
        file.problems.iter().map(move |problem| format!("{path}: {problem}"))
    });
    problems.collect()
}

#[test]
fn a_sound_folder_is_sound_while_a_store_works_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    store.append(&[batch(NOON_MS, [(0, 0.0)])]).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0.. {
                if done.load(Ordering::SeqCst) {
                    return;
                }
                let samples = (0..50).map(|series| (series, f64::from(series) + i as f64));
                store.append(&[batch(NOON_MS + i * 1000, samples)]).unwrap();
                if i % 20 == 0 {
                    store.seal().unwrap();
                }
            }
        });
        let _end = EndOnDrop(&done);
        let mut newest = 0;
        for _ in 0..20 {
            let found = check(dir.path());
            assert_eq!(problems(&found), [""; 0]);
            let sound: u64 = found.iter().map(|file| file.sound).sum();
            assert!(sound >= newest, "{sound} after {newest}");
            newest = sound;
        }
        assert!(newest > 0);
    });
}

#[test]
fn every_kind_of_damage_is_named_with_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    for hour in 0..3 {
        for i in 0..300 {
            let samples = (0..20).map(|id| (id, f64::from(id).sqrt() * i as f64));
            store.append(&[batch(NOON_MS + hour * HOUR_MS + i * 1000, samples)]).unwrap();
        }
    }
    clock.advance(2 * HOUR_MS + 1_800_000);
    store.maintain().unwrap();
    drop(store);
    let keep = RecordSettings { keep: std::time::Duration::from_secs(86_400), max_bytes: 1 << 20 };
    let log = RecordLog::open(dir.path(), "test", keep, clock.clone()).unwrap();
    log.append(&[Record { time_ms: NOON_MS, data: vec![7; 500] }]).unwrap();
    drop(log);
    assert_eq!(problems(&check(dir.path())), [""; 0]);

    let damage = |name: &str, act: &dyn Fn(&mut Vec<u8>)| {
        let path = dir.path().join(name);
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        act(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let found = problems(&check(dir.path()));
        fs::write(&path, before).unwrap();
        found
    };
    let is_about = |found: &[String], name: &str| {
        let named = found
            .iter()
            .all(|problem| problem.starts_with(&name.replace('/', std::path::MAIN_SEPARATOR_STR)));
        assert!(named && !found.is_empty(), "{name}: {found:?}");
    };
    let closed = "raw/2026-11-22T12.2.final.db";
    let live = "raw/2026-11-22T14.db";
    let log = "records/test/2026-11-22.db";
    for name in [closed, live, log] {
        is_about(&damage(name, &|bytes| bytes.truncate(bytes.len() - 4096)), name);
        is_about(&damage(name, &|bytes| bytes.clear()), name);
        is_about(&damage(name, &|bytes| bytes[..64].fill(0xaa)), name);
    }
    let flip_data = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(20).position(|window| window == [7; 20]).unwrap();
        bytes[at] ^= 1;
    };
    assert_eq!(damage(log, &flip_data).len(), 1);
    fs::write(dir.path().join("raw/notes.txt"), "mine").unwrap();
    is_about(&problems(&check(dir.path())), "raw/notes.txt");
}

#[test]
fn a_folder_that_is_no_stores_is_refused_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let error = verify(dir.path(), &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    let error = StoreView::open(dir.path(), TestClock::at(NOON_MS)).unwrap_err();
    assert!(error.to_string().contains("it has no file FORMAT"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_view_sees_what_the_store_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = barograph_store::Store::open(settings(dir.path()), clock.clone()).unwrap();
    for i in 0..50 {
        store.append(&[batch(NOON_MS + i * 1000, [(1, i as f64), (2, 2.0)])]).unwrap();
        if i == 20 {
            store.seal().unwrap();
        }
        let view = StoreView::open(dir.path(), clock.clone()).unwrap();
        let mut samples = 0;
        let mut act = |piece: barograph_store::Piece<'_>| {
            samples += i64::try_from(piece.times.len()).unwrap();
            std::ops::ControlFlow::Continue(())
        };
        let limits = barograph_store::Limits::default();
        let answer = view.select_each(&[], (0, i64::MAX), &limits, &mut act).unwrap();
        assert_eq!((samples, answer.warnings), (2 * (i + 1), Vec::new()));
    }
}
