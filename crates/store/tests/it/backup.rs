//! A backup holds what was acknowledged before it began, is made while the store works, copies what
//! never changes once, and comes back whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use barograph_model::SystemClock;
use barograph_store::{
    BackedUp, BackupError, OpenError, Record, RecordLog, RecordSettings, Replace, Restored,
    Settings, Store, backup, restore,
};

use crate::support::{
    EndOnDrop, HOUR_MS, NOON_MS, TestClock, batch, contents, labels, open, settings,
};

/// Long after all files were written, whatever this machine's clock says.
const LATER_MS: i64 = 32_503_680_000_000;

fn back_up(data: &Path, target: &Path) -> BackedUp {
    backup(data, target, Replace::Same, LATER_MS, &mut |_| {}).unwrap()
}

fn bring_back(target: &Path, data: &Path) -> Result<Restored, BackupError> {
    restore(target, data, &mut |_| {})
}

/// Closes what is over, and leaves an hour that is written to.
fn fill(store: &Store, clock: &TestClock, hours: i64) {
    for hour in 0..hours {
        for i in 0..20 {
            let time_ms = NOON_MS + hour * HOUR_MS + i * 1000;
            store.append(&[batch(time_ms, (0..10).map(|id| (id, i as f64)))]).unwrap();
        }
        if hour + 1 < hours {
            clock.advance(HOUR_MS);
            store.maintain().unwrap();
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn a_backup_of_an_open_store_comes_back_with_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    let store = open(&data, &clock);
    fill(&store, &clock, 4);
    let keep = RecordSettings { keep: Duration::from_secs(86_400), max_bytes: 1 << 20 };
    let log = RecordLog::open(&data, "test", keep, clock.clone()).unwrap();
    let record = Record { time_ms: NOON_MS, data: b"hello".to_vec() };
    log.append(std::slice::from_ref(&record)).unwrap();

    let mut steps = Vec::new();
    let step = &mut |progress| steps.push(progress);
    let made = backup(&data, &target, Replace::Same, LATER_MS, step).unwrap();
    assert_eq!(made.notes, [""; 0]);
    assert_eq!(made.copied_files, made.files);
    assert!(steps.is_sorted_by_key(|step| step.done));
    assert!(steps.last().is_some_and(|last| last.done == last.total && last.total > 0));

    let elsewhere = dir.path().join("elsewhere");
    let restored = bring_back(&target, &elsewhere).unwrap();
    assert_eq!((restored.files, restored.bytes), (made.files, made.bytes));
    let copy = open(&elsewhere, &clock);
    assert_eq!(contents(&copy), contents(&store));
    let log = RecordLog::open(&elsewhere, "test", keep, clock.clone()).unwrap();
    assert_eq!(log.read(0, i64::MAX, 9).unwrap().records, [record]);
    copy.append(&[batch(NOON_MS + 4 * HOUR_MS, [(1, 5.0)])]).unwrap();
}

#[test]
fn what_did_not_change_is_copied_once() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    let store = open(&data, &clock);
    fill(&store, &clock, 4);
    let first = back_up(&data, &target);
    store.append(&[batch(NOON_MS + 3 * HOUR_MS + 99_000, [(1, 1.0)])]).unwrap();
    let second = back_up(&data, &target);
    assert_eq!((second.files, second.copied_files, second.removed_files), (first.files, 1, 1));
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    drop(store);
    // Two live files are now final forms, each with its minutes, and hours are in one file.
    let third = back_up(&data, &target);
    assert_eq!((third.copied_files, third.removed_files), (5, 3), "the files closed since");
    let fourth = back_up(&data, &target);
    assert_eq!((fourth.copied_files, fourth.copied_bytes, fourth.removed_files), (0, 0, 0));
    // The files, the manifest, the lock.
    assert_eq!(files_below(&target).len() as u64, fourth.files + 2);

    bring_back(&target, &dir.path().join("new")).unwrap();
    let expected = contents(&open(&data, &clock));
    assert_eq!(contents(&open(&dir.path().join("new"), &clock)), expected);
}

#[test]
fn a_backup_that_is_broken_off_leaves_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    let store = open(&data, &clock);
    fill(&store, &clock, 2);
    back_up(&data, &target);
    let before = contents(&store);
    let manifest = fs::read(target.join("MANIFEST")).unwrap();
    fill(&store, &clock, 3);
    back_up(&data, &target);
    // As if the second one had been killed before its manifest: copies of it are there, and
    // those of the first one, too, had it not removed them.
    let third = dir.path().join("third");
    back_up(&data, &third);
    fs::write(third.join("files/raw/2026-11-22T12.db~77"), "half a copy").unwrap();
    fs::remove_file(third.join("MANIFEST")).unwrap();
    fs::write(third.join("BACKUP.unfinished"), "").unwrap();
    let error = bring_back(&third, &dir.path().join("x")).unwrap_err();
    assert!(error.to_string().contains("is no backup: it has no file MANIFEST"), "{error}");
    back_up(&data, &third);
    bring_back(&third, &dir.path().join("x")).unwrap();
    assert_eq!(contents(&open(&dir.path().join("x"), &clock)), contents(&store));

    // Live files have other names in each backup, so the first manifest is either whole or says so.
    fs::write(target.join("MANIFEST"), manifest).unwrap();
    match bring_back(&target, &dir.path().join("y")) {
        Ok(_) => assert_eq!(contents(&open(&dir.path().join("y"), &clock)), before),
        Err(error) => assert!(matches!(error, BackupError::File { .. }), "{error}"),
    }
}

#[test]
fn a_backup_taken_under_load_has_all_that_was_acknowledged_before() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    // The clock runs so fast that a backup takes days, in which the hours of a month would be made
    // again and again: hours that cover what began meanwhile have a test of their own.
    let hasty = Settings {
        seal_bytes: 1,
        close_after: Duration::ZERO,
        hours_after: Duration::from_secs(20 * 86_400),
        ..settings(&data)
    };
    let store = Store::open(hasty, clock.clone()).unwrap();
    let (acknowledged, done) = (AtomicI64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            // Four minutes apart: a partition ends with every 15th.
            for i in 0.. {
                if done.load(Ordering::SeqCst) {
                    return;
                }
                store.append(&[batch(NOON_MS + i * 240_000, [(1, i as f64)])]).unwrap();
                clock.advance(240_000);
                acknowledged.store(i + 1, Ordering::SeqCst);
                if i % 15 == 0 {
                    store.maintain().unwrap();
                }
            }
        });
        let _end = EndOnDrop(&done);
        for round in 0..12 {
            let before = acknowledged.load(Ordering::SeqCst);
            let made = back_up(&data, &target);
            assert_eq!(made.notes, [""; 0]);
            let copy = dir.path().join(format!("copy-{round}"));
            bring_back(&target, &copy).unwrap();
            let found = contents(&open(&copy, &TestClock::at(NOON_MS)));
            let samples = found.get(&labels(1).to_string()).cloned().unwrap_or_default();
            let expected = (0_i64..)
                .take(samples.len())
                .map(|i| (NOON_MS + i * 240_000, (i as f64).to_bits()))
                .collect();
            assert_eq!(samples, expected, "a hole, or an invention");
            let n_samples = i64::try_from(samples.len()).unwrap();
            assert!(n_samples >= before, "{n_samples} of {before}");
        }
    });
    assert!(store.stats().rewrites > 0, "files were never merged");
}

/// Appends into a partition that is new, and lets it have its final form and its buckets.
fn live_through_a_partition(store: &Store, clock: &TestClock, start_ms: i64) {
    for i in 0..20 {
        store.append(&[batch(start_ms + i * 1000, [(1, i as f64)])]).unwrap();
    }
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
}

#[test]
fn hours_that_cover_a_partition_which_began_meanwhile_bring_it_along() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    let store = open(&data, &clock);
    live_through_a_partition(&store, &clock, NOON_MS);
    let roll_ups = store.stats().roll_ups;
    let mut has_begun = false;
    let when_files_are_listed = &mut |_| {
        if !std::mem::replace(&mut has_begun, true) {
            live_through_a_partition(&store, &clock, NOON_MS + 5 * HOUR_MS);
        }
    };
    backup(&data, &target, Replace::Same, LATER_MS, when_files_are_listed).unwrap();
    assert!(has_begun && store.stats().roll_ups > roll_ups, "the month's hours are the same");
    let new = dir.path().join("new");
    bring_back(&target, &new).unwrap();
    let copy = open(&new, &clock);
    assert_eq!(contents(&copy), contents(&store));
    // It is not taken for one of which only buckets are left.
    copy.append(&[batch(NOON_MS + 5 * HOUR_MS + 500, [(1, 0.5)])]).unwrap();
}

#[test]
fn damage_in_a_backup_is_found_before_anything_counts() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    fill(&open(&data, &clock), &clock, 2);
    back_up(&data, &target);
    let new = dir.path().join("new");
    for path in files_below(&target).into_iter().filter(|path| !path.ends_with("LOCK")) {
        let bytes = fs::read(&path).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 16;
        fs::write(&path, flipped).unwrap();
        let error = bring_back(&target, &new).unwrap_err();
        assert!(matches!(error, BackupError::Damaged { .. }), "{}: {error}", path.display());
        let slashes = |text: String| text.replace('\\', "/");
        let named = slashes(path.display().to_string());
        assert!(slashes(error.to_string()).contains(&named), "{error}");
        assert!(!new.join("FORMAT").exists());
        fs::write(&path, bytes).unwrap();
    }
    // What is left over from the attempts is no obstacle.
    bring_back(&target, &new).unwrap();
    assert!(!new.join("restore.unfinished").exists());
}

#[test]
fn folders_that_are_not_meant_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    fill(&open(&data, &clock), &clock, 1);
    let attempt = |data: &Path, target: &Path| {
        let now_ms = SystemTimeForTests::now_ms();
        backup(data, target, Replace::Same, now_ms, &mut |_| {}).unwrap_err()
    };
    let error = attempt(&dir.path().join("nothing"), &target);
    assert!(matches!(error, BackupError::NoStore { .. }), "{error}");
    let error = attempt(&data, &data.join("backup"));
    assert!(matches!(error, BackupError::Inside { .. }), "{error}");
    assert!(!data.join("backup").exists());
    let other = dir.path().join("photos");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("cat.jpg"), "miaow").unwrap();
    let error = attempt(&data, &other);
    assert!(matches!(error, BackupError::NotOurs { .. }), "{error}");

    // Also where it happens to have a folder of that name.
    fs::create_dir_all(other.join("files/photos")).unwrap();
    fs::rename(other.join("cat.jpg"), other.join("files/photos/cat.jpg")).unwrap();
    let error = attempt(&data, &other);
    assert!(matches!(error, BackupError::NotOurs { .. }), "{error}");
    assert_eq!(fs::read(other.join("files/photos/cat.jpg")).unwrap(), b"miaow");

    back_up(&data, &target);
    for occupied in [&data, &other] {
        let error = bring_back(&target, occupied).unwrap_err();
        assert!(matches!(error, BackupError::NotEmpty { .. }), "{error}");
    }
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    bring_back(&target, &empty).unwrap();
}

#[test]
fn what_others_put_into_a_backup_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    let store = open(&data, &clock);
    fill(&store, &clock, 2);
    back_up(&data, &target);
    fs::create_dir(target.join("files/photos")).unwrap();
    fs::write(target.join("files/photos/cat.jpg"), "miaow").unwrap();
    fs::write(target.join("files/raw/2026-11-22T12.db~99"), "half a copy").unwrap();
    let made = back_up(&data, &target);
    assert_eq!(fs::read(target.join("files/photos/cat.jpg")).unwrap(), b"miaow");
    assert!(made.removed_files >= 1 && !target.join("files/raw/2026-11-22T12.db~99").exists());
    assert!(!target.join("BACKUP.unfinished").exists(), "a manifest says as much");
}

#[test]
fn a_backup_of_another_folder_is_replaced_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let [data, other, target] = ["data", "other", "backup"].map(|name| dir.path().join(name));
    let clock = TestClock::at(NOON_MS);
    fill(&open(&data, &clock), &clock, 2);
    back_up(&data, &target);
    let before = files_below(&target);
    // As a folder is that was made anew by mistake.
    drop(open(&other, &clock));
    let error = backup(&other, &target, Replace::Same, LATER_MS, &mut |_| {}).unwrap_err();
    assert!(matches!(error, BackupError::OtherFolder { .. }), "{error}");
    assert_eq!(files_below(&target), before);
    // What was brought back goes on where the original was.
    bring_back(&target, &dir.path().join("brought")).unwrap();
    back_up(&dir.path().join("brought"), &target);
    let made = backup(&other, &target, Replace::Any, LATER_MS, &mut |_| {}).unwrap();
    assert_eq!(made.copied_files, made.files, "none of them is a copy from the other folder");
    bring_back(&target, &dir.path().join("new")).unwrap();
    assert_eq!(contents(&open(&dir.path().join("new"), &clock)).len(), 0);
}

#[test]
fn a_backup_of_a_version_without_identities_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    fill(&open(&data, &clock), &clock, 1);
    fs::write(data.join("FORMAT"), "barograph-store 1\npartition_ms 3600000\n").unwrap();
    back_up(&data, &target);
    let manifest = fs::read_to_string(target.join("MANIFEST")).unwrap();
    assert!(!manifest.contains("\nfolder "), "{manifest}");
    drop(open(&data, &clock));
    assert!(fs::read_to_string(data.join("FORMAT")).unwrap().contains("\nid "));
    back_up(&data, &target);
    bring_back(&target, &dir.path().join("new")).unwrap();
}

#[test]
fn a_restore_that_is_broken_off_anywhere_can_be_repeated_and_is_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target) = (dir.path().join("data"), dir.path().join("backup"));
    let clock = TestClock::at(NOON_MS);
    let expected = {
        let store = open(&data, &clock);
        fill(&store, &clock, 3);
        contents(&store)
    };
    back_up(&data, &target);
    // What a kill while files are moved up leaves: some are here, the others there.
    let all = ["1h", "1m", "raw", "FORMAT"];
    let names: Vec<&str> = all.into_iter().filter(|name| data.join(name).exists()).collect();
    for moved in 1..=names.len() {
        let new = dir.path().join(format!("new-{moved}"));
        bring_back(&target, &new).unwrap();
        let staging = new.join("restore.unfinished");
        fs::create_dir(&staging).unwrap();
        for name in names.iter().skip(moved).filter(|name| new.join(name).exists()) {
            fs::rename(new.join(name), staging.join(name)).unwrap();
        }
        if moved < names.len() {
            let error = Store::open(settings(&new), clock.clone()).unwrap_err();
            assert!(matches!(error, OpenError::HalfRestored { .. }), "{error}");
        }
        bring_back(&target, &new).unwrap();
        assert!(!staging.exists());
        assert_eq!(contents(&open(&new, &clock)), expected, "{moved} were moved");
    }
    let new = dir.path().join("other");
    bring_back(&target, &new).unwrap();
    fs::create_dir(new.join("restore.unfinished")).unwrap();
    fs::rename(new.join("FORMAT"), new.join("restore.unfinished/FORMAT")).unwrap();
    let file = files_below(&new.join("raw")).remove(0);
    fs::write(file, "of another backup").unwrap();
    let error = bring_back(&target, &new).unwrap_err();
    assert!(matches!(error, BackupError::OtherRestore { .. }), "{error}");
}

struct SystemTimeForTests;

impl SystemTimeForTests {
    fn now_ms() -> i64 {
        barograph_model::Clock::now_ms(&SystemClock::new())
    }
}
