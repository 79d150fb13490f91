//! What has expired is gone as a whole, and nothing else is: neither samples, nor the buckets that
//! are kept for longer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Buckets, Matcher, Samples, Selection, SeriesSource, Windows};
use barograph_store::{Import, Keep, KeepRule, Retention, Settings, Store, verify};
use proptest::prelude::*;

use crate::reading::everything;
use crate::support::{
    HOUR_MS, Map, NOON_MS, TestClock, as_map, batch, contents, labels, select_all, settings,
};
use crate::tiers::{MINUTE_MS, check, value, windows};

const HOUR: Duration = Duration::from_secs(3600);

fn age(hours: u32) -> Keep {
    Keep { age: Some(hours * HOUR), bytes: None }
}

fn raw_for(hours: u32) -> Retention {
    Retention { raw: age(hours), ..Retention::forever() }
}

fn open(dir: &Path, clock: &Arc<TestClock>, retention: &Retention) -> Store {
    let settings = Settings { retention: retention.clone(), ..settings(dir) };
    Store::open(settings, clock.clone()).unwrap()
}

/// Three series for some hours from noon on.
fn fill(store: &Store, hours: i64) {
    for second in (0..hours * 3600).step_by(20) {
        let samples = (0..3).map(|series| (series, value(series, second)));
        store.append(&[batch(NOON_MS + second * 1000, samples)]).unwrap();
    }
}

/// Neither a journal nor what vouches for it.
fn is_database(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "db")
}

pub(crate) fn files(dir: &Path, tier: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.join(tier)) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| is_database(name)).collect();
    names.sort();
    names
}

fn warnings(store: &Store) -> Vec<String> {
    select_all(store).warnings.iter().map(ToString::to_string).collect()
}

fn name(series: u32) -> Vec<Matcher> {
    vec![Matcher::equal("__name__", format!("metric_{series}"))]
}

#[test]
fn samples_go_by_the_file_and_their_buckets_stay() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock, &raw_for(4));
    fill(&store, 4);
    let oracle = contents(&store);
    clock.advance(6 * HOUR_MS);
    store.maintain().unwrap();
    let few = check(&store, &oracle, windows(HOUR_MS, HOUR_MS));
    assert_eq!(files(dir.path(), "raw").len(), 2, "12h and 13h are over");
    assert_eq!(files(dir.path(), "1m").len(), 4);
    assert!(store.stats().expired_files >= 2);
    clock.advance(4 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(files(dir.path(), "raw"), [] as [String; 0]);
    assert_eq!(check(&store, &oracle, windows(HOUR_MS, HOUR_MS)), few);
    assert!(check(&store, &oracle, windows(MINUTE_MS, 5 * MINUTE_MS)).is_some());

    // Samples are the last ones of minutes, and said to be.
    let answer = select_all(&store);
    for (series, samples) in as_map(&answer.data) {
        assert_eq!(samples.len(), 4 * (60 + 1), "of each hour the first moment, and minutes");
        assert!(samples.iter().all(|sample| oracle[&series].get(sample.0) == Some(sample.1)));
    }
    let said = warnings(&store);
    assert!(said[0].ends_with("the samples have expired; the answer has the last one of each 1m"));

    // It stays so, and nothing comes back.
    drop(store);
    let store = open(dir.path(), &clock, &raw_for(4));
    store.maintain().unwrap();
    assert_eq!(check(&store, &oracle, windows(HOUR_MS, HOUR_MS)), few);
    assert_eq!(store.stats().roll_ups, 0);
    verify(dir.path(), &mut |file, _| assert_eq!(file.problems, [] as [String; 0])).unwrap();
}

#[test]
fn late_samples_do_not_take_the_place_of_buckets() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock, &raw_for(2));
    fill(&store, 2);
    let oracle = contents(&store);
    clock.advance(5 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(files(dir.path(), "raw"), [] as [String; 0]);
    let late = || [batch(NOON_MS + 7000, [(1, 5e9), (9, 1.0)])];
    let appended = store.append(&late()).unwrap();
    assert_eq!((appended.stored, appended.too_old), (0, 2));
    assert_eq!(store.stats().too_old_samples, 2);
    drop(store);

    // Longer retention does not bring samples back, so they are still refused; other times are not.
    let store = open(dir.path(), &clock, &raw_for(1000));
    assert_eq!(store.append(&late()).unwrap().too_old, 2);
    assert_eq!(store.append(&[batch(NOON_MS - HOUR_MS, [(1, 1.0)])]).unwrap().stored, 1);
    let mut import = Import::begin(dir.path(), clock.clone()).unwrap();
    let other = batch(NOON_MS - 2 * HOUR_MS, [(1, 1.0)]);
    let imported = import.append(&[late(), [other]].concat()).unwrap();
    assert_eq!((imported.stored, imported.too_old), (1, 2));
    import.finish().unwrap();
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    let hours = Windows { first_ms: NOON_MS + HOUR_MS, ..windows(HOUR_MS, HOUR_MS) };
    assert!(check(&store, &oracle, hours).is_some());
}

#[test]
fn minutes_go_before_hours_and_are_not_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let retention = Retention { raw: age(9), minutes: age(3), ..Retention::forever() };
    let store = open(dir.path(), &clock, &retention);
    fill(&store, 2);
    let oracle = contents(&store);
    clock.advance(4 * HOUR_MS);
    store.maintain().unwrap();
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    store.maintain().unwrap();
    assert_eq!((files(dir.path(), "raw").len(), files(dir.path(), "1m").len()), (2, 0));
    assert_eq!(contents(&store), oracle);
    assert!(check(&store, &oracle, windows(HOUR_MS, HOUR_MS)).is_some());
    assert_eq!(check(&store, &oracle, windows(MINUTE_MS, MINUTE_MS)), None);
    clock.advance(12 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!((files(dir.path(), "raw").len(), files(dir.path(), "1h").len()), (0, 1));
    assert!(check(&store, &oracle, windows(HOUR_MS, HOUR_MS)).is_some());

    // Windows that hours do not fit into have no answer, and that is said.
    let minutes = windows(MINUTE_MS, 5 * MINUTE_MS);
    let from_ms = minutes.first_ms - minutes.range_ms + 1;
    let of = |windows| Selection {
        from_ms,
        to_ms: minutes.last_ms,
        windows: Some(windows),
        ..everything(&[])
    };
    let selected = SeriesSource::select(&store, &of(minutes)).map(|all| all.warnings()).unwrap();
    assert!(selected[0].contains("buckets of 1h that are left are longer"), "{selected:?}");
    // Others are counted where their last sample is.
    let edgy = Windows { range_ms: 90 * MINUTE_MS, step_ms: HOUR_MS, ..minutes };
    let selection = of(edgy);
    let selected = SeriesSource::select(&store, &selection).unwrap();
    let mut buckets = Buckets::default();
    assert!(selected.reader().buckets(0, &mut buckets).unwrap());
    assert_eq!(buckets.count.iter().sum::<u64>(), 2 * 180);
    assert!(selected.warnings()[0].contains("each bucket counts where its last sample is"));
}

#[test]
fn rules_keep_some_series_longer_and_others_shorter() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let rule = |series, raw: u32| KeepRule {
        matchers: name(series),
        raw: Some(raw * HOUR),
        minutes: None,
        hours: None,
    };
    let retention = Retention { rules: vec![rule(1, 3), rule(2, 20)], ..raw_for(8) };
    let store = open(dir.path(), &clock, &retention);
    fill(&store, 1);
    let oracle = contents(&store);
    let of = |store: &Store, series: u32| {
        let key = labels(series).to_string();
        let found = as_map(&select_all(store).data);
        let [found, all] = [&found, &oracle].map(|map| map.get(&key).map_or(0, BTreeMap::len));
        found == all
    };
    let whole = |store: &Store| [0, 1, 2].map(|series| of(store, series));
    let fewest = |store: &Store| {
        assert!(check(store, &oracle, windows(HOUR_MS, HOUR_MS)).is_some());
        assert!(check(store, &oracle, windows(MINUTE_MS, 5 * MINUTE_MS)).is_some());
    };
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(whole(&store), [true, true, true]);
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(files(dir.path(), "raw"), ["2026-11-22T12.3.reduced.db"]);
    assert_eq!(whole(&store), [true, false, true]);
    assert_eq!(as_map(&select_all(&store).data)[&labels(1).to_string()].len(), 61);
    assert_eq!(warnings(&store).len(), 1);
    fewest(&store);
    assert_eq!(store.append(&[batch(NOON_MS + 7000, [(2, 5e9)])]).unwrap().too_old, 1);
    drop(store);
    let store = open(dir.path(), &clock, &retention);
    assert_eq!(store.append(&[batch(NOON_MS + 7000, [(2, 5e9)])]).unwrap().too_old, 1);
    clock.advance(5 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(files(dir.path(), "raw"), ["2026-11-22T12.4.reduced.db"]);
    assert_eq!(whole(&store), [false, false, true]);
    fewest(&store);
    store.maintain().unwrap();
    assert_eq!(store.stats().reductions, 1, "one since it was opened");
    clock.advance(12 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(files(dir.path(), "raw"), [] as [String; 0]);
    assert_eq!(whole(&store), [false, false, false]);
    fewest(&store);
}

#[test]
fn a_tier_that_is_too_large_loses_its_oldest_files() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock, &Retention::forever());
    fill(&store, 6);
    let oracle = contents(&store);
    clock.advance(8 * HOUR_MS);
    store.maintain().unwrap();
    let size =
        |tier: &str, name: &str| std::fs::metadata(dir.path().join(tier).join(name)).unwrap().len();
    let all: u64 = files(dir.path(), "raw").iter().map(|name| size("raw", name)).sum();
    drop(store);
    let bytes = Keep { age: None, bytes: Some(all / 2) };
    let retention = Retention {
        raw: bytes,
        minutes: bytes,
        hours: Keep { bytes: Some(1), ..bytes },
        ..Retention::forever()
    };
    let store = open(dir.path(), &clock, &retention);
    for _ in 0..3 {
        store.maintain().unwrap();
    }
    let raw = files(dir.path(), "raw");
    assert!(raw.iter().map(|name| size("raw", name)).sum::<u64>() <= all / 2);
    assert!(!raw.is_empty() && raw[0].as_str() > "2026-11-22T14", "{raw:?}");
    let minutes = files(dir.path(), "1m");
    assert!(minutes.iter().map(|name| size("1m", name)).sum::<u64>() <= all / 2, "{minutes:?}");
    assert_eq!(files(dir.path(), "1h").len(), 1, "the newest stays");
    assert!(check(&store, &oracle, windows(HOUR_MS, HOUR_MS)).is_some());
}

#[test]
fn a_clock_that_leaps_ahead_deletes_nothing_for_an_hour() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock, &raw_for(48));
    fill(&store, 1);
    let oracle = contents(&store);
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    clock.jump(1000 * HOUR_MS);
    store.maintain().unwrap();
    clock.advance(HOUR_MS / 2);
    store.maintain().unwrap();
    assert_eq!(contents(&store), oracle);
    // A start with a wrong clock is the same.
    drop(store);
    let store = open(dir.path(), &clock, &raw_for(48));
    store.maintain().unwrap();
    assert_eq!(contents(&store), oracle);
    clock.jump(-1000 * HOUR_MS);
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(contents(&store), oracle);
    clock.jump(1000 * HOUR_MS);
    store.maintain().unwrap();
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(files(dir.path(), "raw"), [] as [String; 0]);
}

#[test]
fn who_reads_reads_on_while_it_expires() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock, &raw_for(2));
    fill(&store, 1);
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    let selection = everything(&[]);
    let selected = SeriesSource::select(&store, &selection).unwrap();
    let mut reader = selected.reader();
    clock.advance(4 * HOUR_MS);
    store.maintain().unwrap();
    let mut samples = Samples::default();
    for series in 0..3 {
        reader.samples(series, &mut samples).unwrap();
        assert_eq!(samples.times.len(), 180);
    }
    assert_eq!(selected.warnings(), [] as [String; 0]);
    drop(reader);
    drop(selected);
    assert_eq!(files(dir.path(), "raw"), [] as [String; 0]);
}

#[test]
fn what_can_be_read_of_a_damaged_file_is_rolled_up_before_it_expires() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock, &raw_for(6));
    fill(&store, 1);
    store.seal().unwrap();
    drop(store);
    let path = dir.path().join("raw/2026-11-22T12.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut data: Vec<u8> =
        connection.query_row("SELECT data FROM block WHERE id = 0", [], |row| row.get(0)).unwrap();
    data[3] ^= 1;
    connection.execute("UPDATE block SET data = ?1 WHERE id = 0", [data]).unwrap();
    connection.close().unwrap();
    let store = open(dir.path(), &clock, &raw_for(6));
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(files(dir.path(), "raw"), ["2026-11-22T12.1.closed.db"]);
    assert_eq!(as_map(&select_all(&store).data).len(), 2);
    clock.advance(5 * HOUR_MS);
    store.maintain().unwrap();
    store.maintain().unwrap();
    assert_eq!(files(dir.path(), "raw"), [] as [String; 0]);
    assert_eq!(files(dir.path(), "1m").len(), 1);
    assert_eq!(as_map(&select_all(&store).data).len(), 2);
}

#[derive(Debug, Clone)]
enum Step {
    Append(i64, Vec<(u32, i32)>),
    Wait(i64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    // Minutes and their borders, some of them hours ago.
    let time = (-4_i64 * 60..60, prop::sample::select(vec![0_i64, 1, 30_000, 59_999]));
    let ago = time.prop_map(|(minute, ms)| minute * MINUTE_MS + ms);
    let samples = prop::collection::vec((0_u32..3, -50_i32..50), 1..4);
    prop_oneof![
        20 => (ago, samples).prop_map(|(time, samples)| Step::Append(time, samples)),
        2 => (30_i64..150).prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ]
}

/// Samples that were found are true; of series that are kept raw, none is missing in partitions
/// that are not over.
fn check_samples(store: &Store, oracle: &Map, clock_ms: i64, ages: [i64; 3]) {
    let found = as_map(&select_all(store).data);
    for (series, samples) in &found {
        for sample in samples {
            assert_eq!(oracle[series].get(sample.0), Some(sample.1), "{series} was never so");
        }
    }
    for (series, age_ms) in (0..3).zip(ages) {
        let key = labels(series).to_string();
        for time in oracle.get(&key).into_iter().flat_map(|samples| samples.keys()) {
            let end_ms = time - time.rem_euclid(HOUR_MS) + HOUR_MS;
            let has = found.get(&key).is_some_and(|samples| samples.contains_key(time));
            assert!(has || clock_ms - end_ms >= age_ms, "{key} at {time} is missing");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn whatever_expires_windows_come_to_what_a_map_says(
        steps in prop::collection::vec(step(), 30..120),
        with_rules in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::at(NOON_MS);
        let mut now_ms = NOON_MS;
        let rule = |series, raw: u32| KeepRule {
            matchers: name(series),
            raw: Some(raw * HOUR),
            minutes: None,
            hours: None,
        };
        let mut retention = raw_for(3);
        let mut ages = [3 * HOUR_MS; 3];
        if with_rules {
            retention.rules = vec![rule(0, 2), rule(1, 5)];
            ages = [2 * HOUR_MS, 5 * HOUR_MS, 3 * HOUR_MS];
        }
        let mut store = open(dir.path(), &clock, &retention);
        let mut oracle = Map::new();
        let end = [Step::Wait(300), Step::Wait(100), Step::Wait(400), Step::Reopen, Step::Wait(10)];
        for step in steps.into_iter().chain(end) {
            match step {
                Step::Append(ago, samples) => {
                    let time_ms = now_ms + ago;
                    let values = samples.iter().map(|(series, value)| (*series, f64::from(*value)));
                    let appended = store.append(&[batch(time_ms, values.clone())]).unwrap();
                    let n = samples.len() as u64;
                    if appended.stored == n {
                        for (series, value) in values {
                            let series = oracle.entry(labels(series).to_string()).or_default();
                            series.insert(time_ms, value.to_bits());
                        }
                    } else {
                        prop_assert_eq!((appended.stored, appended.too_old), (0, n));
                        let end_ms = time_ms - time_ms.rem_euclid(HOUR_MS) + HOUR_MS;
                        prop_assert!(now_ms - end_ms >= *ages.iter().min().unwrap());
                    }
                }
                Step::Reopen => {
                    drop(store);
                    store = open(dir.path(), &clock, &retention);
                }
                Step::Wait(minutes) => {
                    clock.advance(minutes * MINUTE_MS);
                    now_ms += minutes * MINUTE_MS;
                    store.maintain().unwrap();
                    for (step, range) in [(1, 1), (1, 5), (5, 10), (60, 60), (60, 120)] {
                        let ends = Windows {
                            first_ms: NOON_MS - 4 * HOUR_MS,
                            last_ms: NOON_MS + 24 * HOUR_MS,
                            ..windows(step * MINUTE_MS, range * MINUTE_MS)
                        };
                        check(&store, &oracle, ends);
                    }
                }
            }
            check_samples(&store, &oracle, now_ms, ages);
        }
        prop_assert!(!files(dir.path(), "raw").iter().any(|name| name.contains(".final.")));
    }
}
