//! Histories over a real store.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Batch, METRIC_NAME, Sample, SystemClock};
use barograph_store::{Keep, Retention, Settings};
use barograph_testkit::FakeClock;

use super::*;
use crate::query::Aggregation;

/// 2025-11-22T12:00:00Z, the start of an hour.
const NOON_MS: i64 = 1_763_812_800_000;

struct Fixture {
    _folder: tempfile::TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { late_window: None, ..Settings::new(folder.path().join("data")) };
        let store = Store::open(settings, Arc::new(SystemClock::new())).unwrap();
        Self { _folder: folder, store }
    }

    /// One sample of `m{cpu}` at so many seconds after noon.
    fn add(&self, cpu: &str, second: i64, value: f64) {
        let labels = Labels::new([(METRIC_NAME, "m"), ("host", "h"), ("cpu", cpu)]).unwrap();
        let time_ms = NOON_MS + second * 1000;
        let batch = Batch { time_ms, samples: vec![Sample { labels, value }] };
        self.store.append(&[batch]).unwrap();
    }

    fn read(&self, query: Query, seconds: std::ops::Range<i64>, step_s: i64) -> HistoryAnswer {
        let to_ms = NOON_MS + seconds.end * 1000 - 1;
        let mut history =
            History::new(query, "h", NOON_MS + seconds.start * 1000, to_ms, step_s * 1000);
        history.read_to(&self.store, to_ms, &AtomicBool::new(false)).unwrap();
        history.finish(1000)
    }
}

fn avg(answer: &HistoryAnswer) -> Vec<Vec<Option<f64>>> {
    answer.series.iter().map(|series| series.avg.clone()).collect()
}

#[test]
fn steps_hold_average_and_peak() {
    let fixture = Fixture::new();
    for second in 0..4 {
        fixture.add("0", second, (second * second) as f64);
    }
    let answer = fixture.read(Query::metric("m"), 0..4, 2);
    assert_eq!((answer.from_ms, answer.step_ms), (NOON_MS, 2000));
    assert_eq!(avg(&answer), [[Some(0.5), Some(6.5)]]);
    assert_eq!(answer.series[0].max, Some(vec![Some(1.0), Some(9.0)]));
    assert_eq!(fixture.read(Query::metric("m"), 0..4, 1).series[0].max, None);
}

#[test]
fn gap_stays_a_gap_but_one_late_sample_does_not_make_one() {
    let fixture = Fixture::new();
    for second in [0, 1, 2, 4, 8, 9] {
        fixture.add("0", second, 1.0);
    }
    let one = Some(1.0);
    let expect = [one, one, one, one, one, one, None, None, one, one];
    assert_eq!(avg(&fixture.read(Query::metric("m"), 0..10, 1)), [expect]);
}

#[test]
fn slow_source_has_no_holes_at_a_fine_step() {
    let fixture = Fixture::new();
    for second in [0, 10, 20] {
        fixture.add("0", second, 1.0);
    }
    let answer = fixture.read(Query::metric("m"), 0..25, 1);
    let values = &answer.series[0].avg;
    assert!(values[..25].iter().all(Option::is_some), "{values:?}");
}

#[test]
fn slow_source_has_no_holes_after_a_start_between_its_moments_and_one_in_an_outage() {
    let fixture = Fixture::new();
    for second in [8, 10, 20, 30, 90, 98, 100, 110, 120] {
        fixture.add("0", second, 1.0);
    }
    let answer = fixture.read(Query::metric("m"), 0..125, 1);
    let missing = answer.series[0].avg.iter().enumerate().filter(|(_, value)| value.is_none());
    let missing: Vec<usize> = missing.map(|(second, _)| second).collect();
    assert_eq!(missing, (0..8).chain(45..90).collect::<Vec<_>>());
}

#[test]
fn rate_needs_a_neighbour_and_finds_it_before_the_range() {
    let fixture = Fixture::new();
    for second in 0..5 {
        fixture.add("0", second, (second * 10) as f64);
    }
    let rate = Query { rate: true, ..Query::metric("m") };
    let ten = Some(10.0);
    assert_eq!(avg(&fixture.read(rate.clone(), 0..3, 1)), [[None, ten, ten]]);
    assert_eq!(avg(&fixture.read(rate, 2..5, 1)), [[ten, ten, ten]]);
}

#[test]
fn joined_series_are_added_moment_by_moment() {
    let fixture = Fixture::new();
    for second in 0..4 {
        fixture.add("0", second, 1.0);
        fixture.add("1", second, if second == 2 { 9.0 } else { 2.0 });
    }
    let by = |agg| Query { by: Some(vec![]), agg, ..Query::metric("m") };
    let answer = fixture.read(by(Aggregation::Sum), 0..4, 2);
    assert_eq!(avg(&answer), [[Some(3.0), Some(6.5)]]);
    assert_eq!(answer.series[0].max, Some(vec![Some(3.0), Some(10.0)]));
    assert_eq!(avg(&fixture.read(by(Aggregation::Max), 0..4, 1)), [[2.0, 2.0, 9.0, 2.0].map(Some)]);
}

#[test]
fn reading_in_parts_gives_the_same_as_at_once() {
    let fixture = Fixture::new();
    for second in (3500..3700).chain(7100..7300) {
        fixture.add("0", second, (second % 7) as f64);
    }
    let whole = fixture.read(Query::metric("m"), 3400..7400, 1);
    let end_ms = NOON_MS + 7400 * 1000 - 1;
    let mut parts = History::new(Query::metric("m"), "h", NOON_MS + 3400 * 1000, end_ms, 1000);
    for second in [3550, 3600, 7200, 7399] {
        let to_ms = NOON_MS + second * 1000 + 999;
        parts.read_to(&fixture.store, to_ms, &AtomicBool::new(false)).unwrap();
    }
    assert_eq!(avg(&parts.finish(1000)), avg(&whole));
}

#[test]
fn step_grows_until_the_points_are_few_enough() {
    let month_ms = 30 * 86_400_000;
    let history = History::new(Query::metric("m"), "h", NOON_MS, NOON_MS + month_ms, 1000);
    assert_eq!(history.step_ms, 15 * 60 * 1000);
    let hour = History::new(Query::metric("m"), "h", NOON_MS + 1, NOON_MS + 3_600_000, 1000);
    assert_eq!((hour.step_ms, hour.from_ms), (1000, NOON_MS));
}

#[test]
fn cancelled_reading_stops() {
    let fixture = Fixture::new();
    fixture.add("0", 0, 1.0);
    let mut history = History::new(Query::metric("m"), "h", NOON_MS, NOON_MS + 1000, 1000);
    let result = history.read_to(&fixture.store, NOON_MS + 1000, &AtomicBool::new(true));
    assert!(matches!(result, Err(HistoryError::Cancelled)), "{result:?}");
}

/// A store whose samples expire two hours after their hour, and whose minutes an hour later.
fn short_lived(clock: &Arc<FakeClock>, dir: &std::path::Path) -> Store {
    let hours = |hours: u64| Some(Duration::from_secs(3600 * hours));
    let keep = |age| Keep { age, bytes: None };
    let retention =
        Retention { raw: keep(hours(2)), minutes: keep(hours(3)), ..Retention::forever() };
    let partition = Duration::from_secs(3600);
    let settings = Settings { late_window: None, partition, retention, ..Settings::new(dir) };
    Store::open(settings, clock.clone()).unwrap()
}

/// Lets an hour pass, as the maintenance thread sees it.
fn pass_an_hour(store: &Store, clock: &FakeClock) {
    for _ in 0..4 {
        clock.advance(Duration::from_secs(900));
        store.maintain().unwrap();
    }
}

fn history(
    store: &Store,
    query: &Query,
    seconds: std::ops::Range<i64>,
    step_s: i64,
) -> HistoryAnswer {
    let (from_ms, to_ms) = (NOON_MS + seconds.start * 1000, NOON_MS + seconds.end * 1000 - 1);
    let mut history = History::new(query.clone(), "h", from_ms, to_ms, step_s * 1000);
    history.read_to(store, to_ms, &AtomicBool::new(false)).unwrap();
    history.finish(1000)
}

#[test]
fn what_has_expired_keeps_its_averages_peaks_and_rates() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(FakeClock::new(NOON_MS));
    let store = short_lived(&clock, folder.path());
    let (mut samples, mut total) = (Vec::new(), 0.0);
    for second in 0..3600_i64 {
        // One peak a minute, which is never a minute's last value.
        let value = if second % 60 == 17 { 100.0 + (second / 60) as f64 } else { 2.0 };
        total += value;
        let sample = |metric: &str, cpu: &str, value| {
            let labels = [(METRIC_NAME, metric), ("host", "h"), ("cpu", cpu)];
            Sample { labels: Labels::new(labels).unwrap(), value }
        };
        let three = [sample("m", "0", value), sample("m", "1", 5.0), sample("c", "0", total)];
        samples.push(Batch { time_ms: NOON_MS + second * 1000 + 500, samples: three.to_vec() });
    }
    store.append(&samples).unwrap();
    let metric = Query::metric("m");
    let rate = Query { rate: true, ..Query::metric("c") };
    let by = |agg| Query { by: Some(vec![]), agg, ..Query::metric("m") };
    let ask = |step_s: i64| {
        let whole = |query: &Query| history(&store, query, 0..3600, step_s);
        [whole(&metric), whole(&rate), whole(&by(Aggregation::Sum)), whole(&by(Aggregation::Max))]
    };
    let [by_minute, by_hour] = [60, 3600].map(&ask);
    assert_eq!(by_hour[0].series[0].max, Some(vec![Some(159.0)]));
    pass_an_hour(&store, &clock);
    pass_an_hour(&store, &clock);
    assert_eq!(ask(60)[0].series, by_minute[0].series, "nothing has expired yet");

    pass_an_hour(&store, &clock);
    let minutes = ask(60);
    // Which of several was the largest at a moment is not known any more.
    for (expired, before) in minutes.iter().zip(&by_minute).take(3) {
        assert_eq!(avg(expired), avg(before));
    }
    assert_eq!(minutes[0].series, by_minute[0].series);
    for joined in [2, 3] {
        assert_eq!(minutes[joined].series[0].max, by_minute[joined].series[0].max);
    }
    // The step that a question begins in, and those that are shorter than what is left.
    let part = history(&store, &metric, 90..100, 1);
    assert_eq!(part.series[0].avg, [six_digits((101.0 + 59.0 * 2.0) / 60.0); 10]);
    assert!(part.warnings.iter().any(|said| said.contains("those of each 1m")), "{part:?}");

    pass_an_hour(&store, &clock);
    let hours = ask(3600);
    for (expired, before) in hours.iter().zip(&by_hour).take(3) {
        assert_eq!(avg(expired), avg(before));
    }
    assert_eq!(hours[0].series, by_hour[0].series);
    let by_minute = ask(60);
    assert_eq!(by_minute[0].series[0].max, Some(vec![Some(159.0); 60]), "the hour's peak");
    assert!(by_minute[0].warnings.iter().any(|said| said.contains("those of each 1h")));
}
