//! Samples go in and come out, from the head, from blocks, and from the final form.

use std::fs;
use std::sync::atomic::AtomicBool;

use barograph_model::{MatchOp, Matcher, STALE, SourceError};
use barograph_store::Limits;

use crate::support::{
    HOUR_MS, NOON_MS, TestClock, as_map, batch, contents, labels, open, settings,
};

#[test]
fn samples_come_back_from_head_blocks_and_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let mut store = open(dir.path(), &clock);
    let mut expected = Vec::new();
    for round in 0..4 {
        for i in 0..100 {
            let time_ms = NOON_MS + (round * 100 + i) * 1000;
            let value = i as f64;
            assert_eq!(store.append(&[batch(time_ms, [(1, value)])]).unwrap().stored, 1);
            expected.push((time_ms, value.to_bits()));
        }
        let found = contents(&store);
        assert_eq!(found[&labels(1).to_string()], expected.iter().copied().collect());
        if round == 1 {
            store.seal().unwrap();
        } else {
            drop(store);
            store = open(dir.path(), &clock);
        }
        assert_eq!(contents(&store), found);
    }
    let stats = store.stats();
    assert_eq!((stats.samples, stats.head_samples), (400, 200));
    assert_eq!((stats.oldest_ms, stats.newest_ms), (Some(NOON_MS), Some(NOON_MS + 399_000)));
}

#[test]
fn a_partition_that_is_over_gets_its_final_form_and_takes_late_samples() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    for i in 0..500 {
        store.append(&[batch(NOON_MS + i * 1000, [(1, 1.0), (2, i as f64)])]).unwrap();
    }
    let names = || {
        let names = fs::read_dir(dir.path().join("raw")).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let before = contents(&store);
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(names(), ["2026-11-22T12.2.final.db"]);
    assert_eq!(contents(&store), before);

    // Later writes win over what is final, and new times come between.
    store.append(&[batch(NOON_MS + 1000, [(2, -1.0)])]).unwrap();
    store.append(&[batch(NOON_MS + 1500, [(3, 7.0)])]).unwrap();
    let mut after = before;
    after.get_mut(&labels(2).to_string()).unwrap().insert(NOON_MS + 1000, (-1.0_f64).to_bits());
    after.insert(labels(3).to_string(), [(NOON_MS + 1500, 7.0_f64.to_bits())].into());
    assert_eq!(contents(&store), after);
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(names(), ["2026-11-22T12.4.final.db"]);
    assert_eq!(contents(&store), after);
    drop(store);
    let store = open(dir.path(), &clock);
    assert_eq!(contents(&store), after);
    store.maintain().unwrap();
    assert_eq!(store.stats().samples, 1001);
}

#[test]
fn stale_markers_and_other_not_a_numbers_keep_their_bits() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    let nan = f64::from_bits(0x7ff8_0000_0000_0001);
    let values = [1.0, STALE, nan, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY];
    for (i, value) in (0..).zip(values) {
        store.append(&[batch(NOON_MS + i, [(1, value)])]).unwrap();
    }
    let bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
    let check = || {
        let found = contents(&store);
        assert_eq!(found[&labels(1).to_string()].values().copied().collect::<Vec<_>>(), bits);
    };
    check();
    store.seal().unwrap();
    check();
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    check();
}

#[test]
fn ids_save_spelling_labels() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    let ids: Vec<_> = (0..3).map(|series| store.series(&labels(series)).unwrap()).collect();
    assert_eq!(store.series(&labels(0)).unwrap(), ids[0]);
    assert_eq!(store.append_rows(NOON_MS, &ids, &[0.0, 1.0, 2.0]).unwrap().stored, 3);
    store.append(&[batch(NOON_MS + 1, [(1, 5.0)])]).unwrap();
    let found = contents(&store);
    assert_eq!(found.len(), 3);
    assert_eq!(found[&labels(1).to_string()].len(), 2);
}

#[test]
fn matchers_ranges_names_and_values_are_answered_over_all_partitions() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    for hour in 0..3 {
        let samples = (0..10 + u32::try_from(hour).unwrap()).map(|series| (series, 1.0));
        store.append(&[batch(NOON_MS + hour * HOUR_MS, samples)]).unwrap();
    }
    let select = |matchers: &[Matcher], from_ms, to_ms| {
        let answer = store.select(matchers, from_ms, to_ms, &Limits::default()).unwrap();
        as_map(&answer.data)
    };
    let id = |value: &str| Matcher::equal("id", value);
    assert_eq!(select(&[id("3")], NOON_MS, i64::MAX)[&labels(3).to_string()].len(), 3);
    assert_eq!(select(&[id("3")], NOON_MS + 1, NOON_MS + HOUR_MS).len(), 1);
    assert_eq!(select(&[id("11")], NOON_MS, NOON_MS + HOUR_MS).len(), 0);
    assert_eq!(select(&[], NOON_MS + 5, NOON_MS).len(), 0);
    let some = Matcher::new("id", MatchOp::Regex, "1.?").unwrap();
    assert_eq!(select(&[some], NOON_MS, i64::MAX).len(), 3);

    let names = store.metric_names(NOON_MS, i64::MAX).data;
    assert_eq!((names.len(), names["metric_0"], names["metric_6"]), (7, 2, 1));
    let limits = Limits::default();
    let values = store.label_values("id", &[], NOON_MS, NOON_MS, &limits).unwrap().data;
    assert_eq!(values.len(), 10);
    let metric = [Matcher::equal("__name__", "metric_0")];
    let values = store.label_values("id", &metric, NOON_MS, i64::MAX, &limits).unwrap().data;
    assert_eq!(values.into_iter().collect::<Vec<_>>(), ["0", "7"]);
    let names = store.label_names(&[], NOON_MS, i64::MAX, &limits).unwrap().data;
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["__name__", "id"]);
    let list = store.series_list(&metric, NOON_MS, i64::MAX, &limits).unwrap().data;
    assert_eq!(list, [labels(0), labels(7)]);
}

#[test]
fn limits_are_named_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    for i in 0..10 {
        store.append(&[batch(NOON_MS + i, (0..5).map(|series| (series, 1.0)))]).unwrap();
    }
    let select = |limits: Limits<'_>| store.select(&[], 0, i64::MAX, &limits).unwrap_err();
    let error = select(Limits { max_series: 4, ..Limits::default() });
    assert!(matches!(error, SourceError::TooManySeries { max: 4 }), "{error}");
    let error = select(Limits { max_samples: 49, ..Limits::default() });
    assert!(error.to_string().contains("more than 49 samples"), "{error}");
    let cancel = AtomicBool::new(true);
    let error = select(Limits { cancel: Some(&cancel), ..Limits::default() });
    assert!(matches!(error, SourceError::Cancelled), "{error}");
}

#[test]
fn a_clock_that_jumps_a_day_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let mut daily = settings(dir.path());
    daily.partition = std::time::Duration::from_secs(24 * 3600);
    daily.late_window = Some(std::time::Duration::from_secs(24 * 3600));
    let store = barograph_store::Store::open(daily, clock.clone()).unwrap();
    let mut value = 0.0;
    for jump_ms in [0, 24, -24, -24, 1, 24, -1].map(|hours| hours * HOUR_MS) {
        clock.jump(jump_ms);
        for _ in 0..50 {
            clock.advance(1000);
            let now_ms = barograph_model::Clock::now_ms(&*clock);
            assert_eq!(store.append(&[batch(now_ms, [(1, value)])]).unwrap().stored, 1);
            value += 1.0;
        }
        store.maintain().unwrap();
    }
    let found = contents(&store);
    // One second was lived through twice: the clock went back by a day after 50 seconds.
    let values: std::collections::BTreeSet<u64> =
        found[&labels(1).to_string()].values().copied().collect();
    assert_eq!(values.len(), 350);
}

#[test]
fn each_series_is_told_what_it_takes_in_memory_and_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    let mut noise = 1_u64;
    for i in 0..1000 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        store.append(&[batch(NOON_MS + i * 1000, [(1, 1.0), (2, (noise >> 12) as f64)])]).unwrap();
    }
    let space = |from_ms, to_ms| {
        let found = store.space(from_ms, to_ms);
        [1, 2].map(|id| found.get(&labels(id)).copied().unwrap_or_default())
    };
    let [constant, noisy] = space(NOON_MS, NOON_MS);
    assert_eq!((constant.disk_bytes, noisy.disk_bytes), (0, 0));
    assert!(constant.memory_bytes < 1000 && noisy.memory_bytes > 6000, "{constant:?} {noisy:?}");
    store.seal().unwrap();
    let sealed = space(NOON_MS, NOON_MS);
    assert_eq!(sealed.map(|space| space.memory_bytes), [0, 0]);
    let [constant, noisy] = sealed.map(|space| space.disk_bytes);
    assert!(constant < 50 && noisy > 6000, "{constant} {noisy}");
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert!(space(NOON_MS, NOON_MS)[1].disk_bytes > 6000);
    assert_eq!(space(0, 1).map(barograph_store::Space::bytes), [0, 0]);
}
