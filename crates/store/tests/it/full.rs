//! Disks that are full, or must not be written to.

use std::fs;

use barograph_model::Batch;
use barograph_store::{AppendError, OpenError, Settings, Store, verify};
use barograph_testkit::Disk;

use crate::support::{
    Dice, HOUR_MS, NOON_MS, TestClock, as_map, batch, contents, count, select_all, settings,
};

fn number(i: i64) -> Batch {
    batch(NOON_MS + i * 5000, (0..60).map(|series| (series, f64::from(series) / 3.0 + i as f64)))
}

#[test]
fn a_disk_that_is_full_at_any_point_loses_nothing_and_recovers() {
    let Some(disk) = Disk::in_memory(8 * 1024 * 1024) else { return };
    let mut dice = Dice(0xd15c);
    let mut refusals = 0;
    for round in 0..25 {
        let dir = disk.path().join(format!("data-{round}"));
        let clock = TestClock::at(NOON_MS);
        let hasty = Settings { seal_bytes: 20_000, ..settings(&dir) };
        let store = Store::open(hasty.clone(), clock.clone()).unwrap();
        // What is left for the store: so little that it ends while it seals, closes or rewrites.
        let ballast = disk.path().join("ballast");
        let left = 150_000 + dice.below(900_000);
        fs::write(&ballast, vec![1; 7 * 1024 * 1024 - left]).unwrap();
        let mut acknowledged = 0;
        let error = loop {
            match store.append(&[number(acknowledged)]) {
                Ok(_) => acknowledged += 1,
                Err(error) => break error,
            }
            clock.advance(5000);
            if acknowledged % 50 == 0 {
                // Fails, too, when there is no room; it is tried again later.
                drop(store.maintain());
            }
            assert!(acknowledged < 20_000, "round {round}: never full");
        };
        assert!(matches!(error, AppendError::DiskFull { .. }), "round {round}: {error}");
        refusals += 1;
        for _ in 0..3 {
            drop(store.maintain());
            drop(store.seal());
            // Sealing may have made room.
            acknowledged += i64::from(store.append(&[number(acknowledged)]).is_ok());
        }
        let whole = contents(&store);
        assert!(whole.values().all(|samples| count(samples) == acknowledged), "round {round}");
        // Half of the rounds go on, the others are reopened on the full disk first.
        let store = if round % 2 == 0 {
            store
        } else {
            drop(store);
            match Store::open(hasty.clone(), clock.clone()) {
                Ok(store) => {
                    assert_eq!(contents(&store), whole, "round {round}");
                    store
                }
                Err(error) => {
                    let said = barograph_model::chain(&error);
                    assert!(
                        said.contains("full") || said.contains("space"),
                        "round {round}: {said}"
                    );
                    fs::remove_file(&ballast).unwrap();
                    Store::open(hasty, clock.clone()).unwrap()
                }
            }
        };
        drop(fs::remove_file(&ballast));
        assert_eq!(store.append(&[number(acknowledged)]).unwrap().stored, 60, "round {round}");
        clock.advance(3 * HOUR_MS);
        store.maintain().unwrap();
        let found = contents(&store);
        assert!(found.values().all(|samples| count(samples) == acknowledged + 1), "round {round}");
        assert_eq!(store.stats().panics, 0);
        drop(store);
        fs::remove_dir_all(&dir).unwrap();
    }
    assert_eq!(refusals, 25);
}

#[test]
fn a_folder_that_becomes_read_only_is_read_on_and_written_on_later() {
    let Some(disk) = Disk::with_power(32) else { return };
    let dir = disk.path().join("data");
    let clock = TestClock::at(NOON_MS);
    let store = Store::open(settings(&dir), clock.clone()).unwrap();
    for i in 0..100 {
        store.append(&[number(i)]).unwrap();
    }
    store.seal().unwrap();
    store.append(&[number(100)]).unwrap();
    drop(store);

    disk.set_read_only(true);
    let error = Store::open(settings(&dir), clock.clone()).unwrap_err();
    let said = barograph_model::chain(&error);
    assert!(matches!(error, OpenError::Folder { .. } | OpenError::Database { .. }), "{said}");
    assert!(said.to_lowercase().contains("read-only") && said.contains("data"), "{said}");
    let mut sound = 0;
    verify(&dir, &mut |file, _| {
        assert_eq!(file.problems, [""; 0], "{}", file.path.display());
        sound += file.sound;
    })
    .unwrap();
    assert_eq!(sound, 101 * 60);

    disk.set_read_only(false);
    let store = Store::open(settings(&dir), clock.clone()).unwrap();
    assert_eq!(store.append(&[number(101)]).unwrap().stored, 60);
    assert!(contents(&store).values().all(|samples| count(samples) == 102));
}

#[test]
fn a_disk_that_goes_away_under_an_open_store_is_an_error_and_no_end() {
    let Some(disk) = Disk::with_power(32) else { return };
    let dir = disk.path().join("data");
    let clock = TestClock::at(NOON_MS);
    let store = Store::open(settings(&dir), clock.clone()).unwrap();
    for i in 0..50 {
        store.append(&[number(i)]).unwrap();
    }
    disk.cut_power();
    for _ in 0..3 {
        let error = store.append(&[number(50)]).unwrap_err();
        assert!(matches!(error, AppendError::Write { .. }), "{error}");
    }
    // What is in memory is answered all the same.
    let found = as_map(&select_all(&store).data);
    assert!(found.values().all(|samples| count(samples) == 50));
    drop(store);
    disk.power_on();
    let store = Store::open(settings(&dir), clock.clone()).unwrap();
    let found = contents(&store);
    assert!(found.values().all(|samples| (50..=51).contains(&count(samples))));
}
