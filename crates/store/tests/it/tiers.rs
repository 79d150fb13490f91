//! Buckets answer windows as the samples would, whichever tier they come from.

use std::collections::BTreeMap;

use barograph_model::{Buckets, STALE, Selection, SeriesSource, Windows, is_stale};
use barograph_store::Store;
use proptest::prelude::*;

use crate::reading::everything;
use crate::support::{HOUR_MS, Map, NOON_MS, TestClock, as_map, batch, labels, open, select_all};

pub(crate) const MINUTE_MS: i64 = 60_000;

/// What a window comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Summary {
    first: (i64, f64),
    last: (i64, f64),
    min: f64,
    max: f64,
    sum: f64,
    count: u64,
    increase: f64,
}

fn of_samples(samples: &BTreeMap<i64, u64>, window: (i64, i64)) -> Option<Summary> {
    let inside = samples.range(window.0 + 1..=window.1);
    let values: Vec<(i64, f64)> = inside
        .map(|(time, bits)| (*time, f64::from_bits(*bits)))
        .filter(|(_, value)| !is_stale(*value))
        .collect();
    let (first, last) = (*values.first()?, *values.last()?);
    let lost: f64 = values.windows(2).filter(|w| w[1].1 < w[0].1).map(|w| w[0].1).sum();
    Some(Summary {
        first,
        last,
        min: values.iter().map(|v| v.1).fold(f64::INFINITY, f64::min),
        max: values.iter().map(|v| v.1).fold(f64::NEG_INFINITY, f64::max),
        sum: values.iter().map(|v| v.1).sum(),
        count: values.len() as u64,
        increase: last.1 - first.1 + lost,
    })
}

fn of_buckets(buckets: &Buckets, window: (i64, i64)) -> Option<Summary> {
    let mut summary: Option<Summary> = None;
    for i in 0..buckets.count.len() {
        let (first, last) = (buckets.first_times[i], buckets.last_times[i]);
        let is_inside = window.0 < first && last <= window.1;
        assert!(is_inside || last <= window.0 || window.1 < first, "{first} to {last} is cut");
        if !is_inside {
            continue;
        }
        let own = buckets.last[i] - buckets.first[i] + buckets.lost[i];
        let next = Summary {
            first: (first, buckets.first[i]),
            last: (last, buckets.last[i]),
            min: buckets.min[i],
            max: buckets.max[i],
            sum: buckets.sum[i],
            count: buckets.count[i],
            increase: own,
        };
        summary = Some(match summary {
            None => next,
            Some(before) => {
                let step = next.first.1 - before.last.1;
                let step = if step < 0.0 { next.first.1 } else { step };
                Summary {
                    first: before.first,
                    last: next.last,
                    min: before.min.min(next.min),
                    max: before.max.max(next.max),
                    sum: before.sum + next.sum,
                    count: before.count + next.count,
                    increase: before.increase + step + next.increase,
                }
            }
        });
    }
    summary
}

/// Buckets by series; `None` when the store has none for these windows.
fn buckets(store: &Store, windows: Windows) -> Option<BTreeMap<String, Buckets>> {
    let from_ms = windows.first_ms - windows.range_ms + 1;
    let selection =
        Selection { from_ms, to_ms: windows.last_ms, windows: Some(windows), ..everything(&[]) };
    let selected = SeriesSource::select(store, &selection).unwrap();
    let mut reader = selected.reader();
    let mut all = BTreeMap::new();
    for (series, labels) in selected.labels().iter().enumerate() {
        let mut out = Buckets::default();
        if !reader.buckets(series, &mut out).unwrap() {
            return None;
        }
        assert!(out.last_times.is_sorted_by(|a, b| a < b));
        all.insert(labels.to_string(), out);
    }
    assert_eq!(selected.warnings(), Vec::<String>::new());
    Some(all)
}

/// Compares all windows; gives whether there were buckets, and how many.
#[track_caller]
pub(crate) fn check(store: &Store, oracle: &Map, windows: Windows) -> Option<usize> {
    let found = buckets(store, windows)?;
    let none = BTreeMap::new();
    for (labels, found) in &found {
        let samples = oracle.get(labels).unwrap_or(&none);
        let mut end = windows.first_ms;
        while end <= windows.last_ms {
            let window = (end - windows.range_ms, end);
            assert_eq!(
                of_buckets(found, window),
                of_samples(samples, window),
                "{labels} {window:?}"
            );
            end += windows.step_ms.max(1);
        }
    }
    Some(found.values().map(|buckets| buckets.count.len()).sum())
}

pub(crate) fn windows(step_ms: i64, range_ms: i64) -> Windows {
    Windows { first_ms: NOON_MS - HOUR_MS, last_ms: NOON_MS + 6 * HOUR_MS, step_ms, range_ms }
}

/// Counters that begin anew, and gauges.
pub(crate) fn value(series: u32, second: i64) -> f64 {
    if series.is_multiple_of(2) {
        (second % 2000) as f64 * f64::from(series + 1)
    } else {
        (second * 7919 % 1000) as f64 - 300.0
    }
}

#[test]
fn hours_are_answered_from_few_buckets_and_the_rest_from_samples() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    for second in (0..3 * 3600).step_by(7) {
        let samples = (0..3).map(|series| (series, value(series, second)));
        store.append(&[batch(NOON_MS + second * 1000, samples)]).unwrap();
    }
    let oracle = as_map(&select_all(&store).data);
    assert_eq!(check(&store, &oracle, windows(HOUR_MS, HOUR_MS)), None, "nothing is rolled up yet");
    clock.advance(2 * HOUR_MS + HOUR_MS / 2);
    store.maintain().unwrap();
    assert!(store.stats().roll_ups >= 2);
    // Two hours are in their final form; of each the first moment is a bucket of its own.
    let by_hour = check(&store, &oracle, windows(HOUR_MS, HOUR_MS)).unwrap();
    let by_minute = check(&store, &oracle, windows(MINUTE_MS, 5 * MINUTE_MS)).unwrap();
    let raw = 3 * 3600_usize.div_ceil(7);
    assert!(by_hour < raw + 3 * 5, "{by_hour}");
    assert!(by_minute > by_hour + 3 * 100 && by_minute < by_hour + 3 * 130, "{by_minute}");
    assert_eq!(check(&store, &oracle, windows(30_000, MINUTE_MS)), None);
    assert_eq!(check(&store, &oracle, windows(MINUTE_MS, 90_000)), None);

    drop(store);
    let store = open(dir.path(), &clock);
    assert_eq!(check(&store, &oracle, windows(HOUR_MS, HOUR_MS)), Some(by_hour));
    assert_eq!(store.stats().roll_ups, 0);
}

#[test]
fn late_samples_are_in_the_answer_at_once_and_in_the_buckets_later() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    for second in (0..3600).step_by(10) {
        store.append(&[batch(NOON_MS + second * 1000, [(1, value(1, second))])]).unwrap();
    }
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    let hours = windows(HOUR_MS, HOUR_MS);
    let oracle = as_map(&select_all(&store).data);
    let few = check(&store, &oracle, hours).unwrap();
    assert_eq!(few, 2);
    store.append(&[batch(NOON_MS + 5000, [(1, 5000.0)])]).unwrap();
    store.append(&[batch(NOON_MS + 20_000, [(1, STALE)])]).unwrap();
    let oracle = as_map(&select_all(&store).data);
    assert_eq!(check(&store, &oracle, hours), None, "the buckets are old, the samples are not");
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert_eq!(check(&store, &oracle, hours), Some(few));
}

#[derive(Debug, Clone)]
enum Step {
    Append(i64, Vec<(u32, i32)>),
    Wait(i64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    // Minutes and their borders, so that first and last moments of buckets are common.
    let time = (0_i64..5 * 60, prop::sample::select(vec![0_i64, 1, 30_000, 59_999]));
    let time = time.prop_map(|(minute, ms)| NOON_MS - HOUR_MS + minute * MINUTE_MS + ms);
    let samples = prop::collection::vec((0_u32..3, -50_i32..50), 1..4);
    prop_oneof![
        20 => (time, samples).prop_map(|(time, samples)| Step::Append(time, samples)),
        1 => (30_i64..200).prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn windows_come_to_what_a_map_says(steps in prop::collection::vec(step(), 30..120)) {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::at(NOON_MS);
        let mut store = open(dir.path(), &clock);
        let mut oracle = Map::new();
        for step in steps.into_iter().chain([Step::Wait(300), Step::Wait(70)]) {
            match step {
                Step::Append(time_ms, samples) => {
                    let values = samples.iter().map(|(series, value)| (*series, f64::from(*value)));
                    store.append(&[batch(time_ms, values.clone())]).unwrap();
                    for (series, value) in values {
                        let series = oracle.entry(labels(series).to_string()).or_default();
                        series.insert(time_ms, value.to_bits());
                    }
                }
                Step::Reopen => {
                    drop(store);
                    store = open(dir.path(), &clock);
                }
                Step::Wait(minutes) => {
                    clock.advance(minutes * MINUTE_MS);
                    store.maintain().unwrap();
                    for (step, range) in [(1, 1), (1, 5), (5, 10), (60, 60), (60, 120)] {
                        check(&store, &oracle, windows(step * MINUTE_MS, range * MINUTE_MS));
                    }
                }
            }
        }
        let found = check(&store, &oracle, windows(HOUR_MS, HOUR_MS));
        prop_assert!(found.is_some(), "everything is rolled up");
    }
}
