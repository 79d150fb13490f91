//! Buckets are made when they are due, and always before the samples go.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use barograph_store::{Keep, Retention, Settings, Store, verify};
use barograph_testkit::Disk;

use crate::retention::files;
use crate::support::{HOUR_MS, Map, NOON_MS, TestClock, batch, copy_dir, labels, open, settings};
use crate::tiers::{MINUTE_MS, check, value, windows};

const HOUR: Duration = Duration::from_secs(3600);

/// Rolled up after hours in place of days.
fn patient(dir: &Path, raw: Keep) -> Settings {
    let retention = Retention { raw, ..Retention::forever() };
    Settings { retention, minutes_after: 10 * HOUR, hours_after: 3 * HOUR, ..settings(dir) }
}

const SERIES: u32 = 5;

/// The seconds since noon at which an hour has samples.
fn seconds(hour: i64) -> impl Iterator<Item = i64> {
    (hour * 3600..(hour + 1) * 3600).step_by(10)
}

fn fill(store: &Store, hour: i64) {
    let at = |second: i64| {
        let samples = (0..SERIES).map(|series| (series, value(series, second)));
        batch(NOON_MS + second * 1000, samples)
    };
    let batches: Vec<_> = seconds(hour).map(at).collect();
    assert_eq!(store.append(&batches).unwrap().stored, 360 * u64::from(SERIES));
}

fn filled(hours: i64) -> Map {
    let of = |series: u32| {
        let at = |second: i64| (NOON_MS + second * 1000, value(series, second).to_bits());
        (labels(series).to_string(), (0..hours).flat_map(seconds).map(at).collect())
    };
    (0..SERIES).map(of).collect()
}

fn pass_an_hour(store: &Store, clock: &TestClock) {
    for _ in 0..2 {
        clock.advance(HOUR_MS / 2);
        store.maintain().unwrap();
    }
}

/// The hours that a tier's files are of.
fn hours(dir: &Path, tier: &str) -> BTreeSet<String> {
    let stem = |name: String| name.split('.').next().unwrap_or_default().to_owned();
    files(dir, tier).into_iter().map(stem).collect()
}

#[test]
fn samples_answer_until_their_buckets_are_due() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let age = |hours: u32| Keep { age: Some(hours * HOUR), bytes: None };
    let store = Store::open(patient(dir.path(), age(20)), clock.clone()).unwrap();
    fill(&store, 0);
    let oracle = filled(1);
    let asked = |store: &Store| {
        let [by_minute, by_hour] = [MINUTE_MS, HOUR_MS].map(|step| windows(step, step));
        (check(store, &oracle, by_minute).is_some(), check(store, &oracle, by_hour).is_some())
    };
    let mut seen = Vec::new();
    for _ in 0..24 {
        pass_an_hour(&store, &clock);
        let raw = files(dir.path(), "raw").len();
        seen.push((raw, asked(&store)));
    }
    let made = |minutes: bool, hours: bool| (1, (minutes, hours));
    let expected = |hour: i64| match hour - 1 {
        ..3 => made(false, false),
        3..10 => made(false, true),
        10..20 => made(true, true),
        _ => (0, (true, true)),
    };
    assert_eq!(seen, (1..=24).map(expected).collect::<Vec<_>>());
    verify(dir.path(), &mut |file, _| assert_eq!(file.problems, [] as [String; 0])).unwrap();
}

#[test]
fn what_expires_sooner_is_rolled_up_a_partition_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let keep = Keep { age: Some(2 * HOUR), bytes: None };
    let store = Store::open(patient(dir.path(), keep), clock.clone()).unwrap();
    fill(&store, 0);
    let oracle = filled(1);
    let mut seen = Vec::new();
    for _ in 0..4 {
        pass_an_hour(&store, &clock);
        seen.push(["raw", "1m", "1h"].map(|tier| hours(dir.path(), tier).len()));
    }
    assert_eq!(seen, [[1, 0, 0], [1, 1, 1], [0, 1, 1], [0, 1, 1]]);
    assert!(check(&store, &oracle, windows(MINUTE_MS, MINUTE_MS)).is_some());
}

#[test]
fn what_goes_for_its_size_is_rolled_up_before() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let open = |bytes| {
        let settings = patient(dir.path(), Keep { age: None, bytes });
        Store::open(Settings { minutes_after: Duration::MAX, ..settings }, clock.clone()).unwrap()
    };
    let name = |hour: i64| format!("2026-11-22T{}", 12 + hour);
    let mut store = open(None);
    for hour in 0..4 {
        fill(&store, hour);
        pass_an_hour(&store, &clock);
    }
    assert_eq!(hours(dir.path(), "1m"), BTreeSet::new());
    // No more than that from now on.
    let enough = store.stats().tiers[0].bytes;
    let mut gone = 0;
    for hour in 4..12 {
        drop(store);
        store = open(Some(enough));
        fill(&store, hour);
        pass_an_hour(&store, &clock);
        let [raw, minutes] = ["raw", "1m"].map(|tier| hours(dir.path(), tier));
        for name in (0..=hour).map(name) {
            assert!(raw.contains(&name) || minutes.contains(&name), "{name}");
        }
        gone = (0..=hour).map(name).filter(|name| !raw.contains(name)).count();
    }
    assert!((5..=11).contains(&gone), "{gone}");
    assert!(check(&store, &filled(12), windows(HOUR_MS, HOUR_MS)).is_some());
}

/// A full disk is when samples must go, so that they have their buckets then.
#[test]
fn a_full_disk_is_relieved_by_what_expires() {
    let Some(disk) = Disk::in_memory(8 * 1024 * 1024) else { return };
    let dir = disk.path().join("data");
    let clock = TestClock::at(NOON_MS);
    let keep = Keep { age: Some(3 * HOUR), bytes: None };
    let store = Store::open(patient(&dir, keep), clock.clone()).unwrap();
    for hour in 0..5 {
        fill(&store, hour);
        pass_an_hour(&store, &clock);
    }
    let oracle = filled(5);
    let before = hours(&dir, "raw");
    // Nothing more fits, not even a bucket.
    let ballast = disk.path().join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    while std::io::Write::write_all(&mut file, &[1; 512]).is_ok() {}
    clock.advance(HOUR_MS);
    for _ in 0..3 {
        drop(store.maintain());
    }
    let after = hours(&dir, "raw");
    assert!(after.len() < before.len(), "{before:?}, {after:?}");
    for name in before.difference(&after) {
        assert!(hours(&dir, "1m").contains(name), "{name}");
    }
    drop(file);
    fs::remove_file(&ballast).unwrap();
    for _ in 0..3 {
        pass_an_hour(&store, &clock);
    }
    assert!(check(&store, &oracle, windows(HOUR_MS, HOUR_MS)).is_some());
    verify(&dir, &mut |file, _| assert_eq!(file.problems, [] as [String; 0])).unwrap();
}

/// Whatever a kill leaves between the writing of buckets and the deleting of samples.
/// Does to a data folder what a crash may leave.
type Damage<'a> = &'a dyn Fn(&Path);

#[test]
fn a_kill_between_buckets_and_deletion_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let kept = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &clock);
    fill(&store, 0);
    pass_an_hour(&store, &clock);
    pass_an_hour(&store, &clock);
    let oracle = filled(1);
    drop(store);
    copy_dir(dir.path(), kept.path());
    let minutes = files(dir.path(), "1m").remove(0);
    let unfinished = minutes.replace(".1.final.db", ".1.unfinished");
    let states: [(&str, Damage<'_>); 4] = [
        ("nothing made", &|dir: &Path| fs::remove_dir_all(dir.join("1m")).unwrap()),
        ("half a file", &|dir: &Path| {
            let whole = fs::read(dir.join("1m").join(&minutes)).unwrap();
            fs::remove_file(dir.join("1m").join(&minutes)).unwrap();
            fs::write(dir.join("1m").join(&unfinished), &whole[..whole.len() / 2]).unwrap();
        }),
        ("hours missing", &|dir: &Path| fs::remove_dir_all(dir.join("1h")).unwrap()),
        ("all made, nothing deleted", &|_: &Path| {}),
    ];
    for (state, make) in states {
        let dir = tempfile::tempdir().unwrap();
        copy_dir(kept.path(), dir.path());
        make(dir.path());
        let clock = TestClock::at(NOON_MS + 2 * HOUR_MS);
        let keep = Keep { age: Some(2 * HOUR), bytes: None };
        let store = Store::open(patient(dir.path(), keep), Arc::clone(&clock) as _).unwrap();
        for _ in 0..3 {
            pass_an_hour(&store, &clock);
        }
        assert_eq!(files(dir.path(), "raw"), [] as [String; 0], "{state}");
        for step in [MINUTE_MS, HOUR_MS] {
            assert!(check(&store, &oracle, windows(step, step)).is_some(), "{state}");
        }
    }
}
