//! What is usual, over series in memory.

use barograph_model::{Labels, METRIC_NAME, SystemClock};
use barograph_promql::{MemorySource, Settings};

use super::*;

const MINUTE_MS: i64 = 60_000;
const WEEK_MS: i64 = HOURS_OF_WEEK * HOUR_MS;
/// A Monday at 00:00.
const NOW_MS: i64 = 1_763_942_400_000;

#[test]
fn quantiles_are_those_of_the_definition() {
    assert_eq!(quantile(&[], 0.5), None);
    assert_eq!(quantile(&[3.0], 0.9), Some(3.0));
    assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.5));
    // R: quantile(c(1, 2, 4, 8, 16), c(0.1, 0.9), type = 7)
    assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0, 16.0], 0.1), Some(1.4));
    assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0, 16.0], 0.9), Some(12.8));
}

#[test]
fn six_weeks_before_are_asked_in_stretches_of_at_most_a_week() {
    let hours = Hours::of(NOW_MS, NOW_MS + HOUR_MS);
    let before = hours.before();
    assert_eq!(before.len(), 6);
    assert_eq!(before.last().map(|it| it.first), Some(hours.first - 168));
    assert!(before.iter().all(|it| it.count() == 2));
    let month = Hours::of(NOW_MS - Baselines::MAX_RANGE_MS, NOW_MS).before();
    assert!(month.iter().all(|it| it.count() <= 168), "{month:?}");
    assert_eq!(month.iter().map(|it| it.count()).sum::<usize>(), 31 * 24 + 1 + 5 * 168);
}

/// The first hours of so many Mondays before now: each minute's value is `value(minute)`.
fn mondays(weeks: i64, value: impl Fn(i64) -> f64) -> MemorySource {
    let mut source = MemorySource::new();
    for week in 1..=weeks {
        push(&mut source, week, 60, &value);
    }
    source
}

fn push(source: &mut MemorySource, week: i64, minutes: i64, value: impl Fn(i64) -> f64) {
    let labels = Labels::new([(METRIC_NAME, "m"), ("host", "h")]).unwrap();
    for minute in 1..=minutes {
        let time_ms = NOW_MS - week * WEEK_MS + minute * MINUTE_MS;
        source.push(&labels, time_ms, value(minute));
    }
}

async fn find(source: MemorySource, baselines: &Baselines, now_ms: i64) -> Arc<Baseline> {
    let queries = Queries::new(Settings::default(), Arc::new(SystemClock::new()));
    let (query, hours) = (Query::metric("m"), Hours::of(NOW_MS, NOW_MS));
    let from = (&Arc::new(queries), &Arc::new(source));
    baselines.find(from, (&query, "h"), hours, now_ms).await.unwrap()
}

#[tokio::test]
async fn band_reaches_from_the_10th_to_the_90th_percentile_of_past_weeks() {
    // Each week has the means 1, 2, … 12.
    let source = mondays(3, |minute| ((minute - 1) / 5 + 1) as f64);
    let baseline = find(source, &Baselines::default(), NOW_MS).await;
    assert_eq!((baseline.from_ms, baseline.step_ms), (NOW_MS, HOUR_MS));
    let [series] = baseline.series.as_slice() else { panic!("{baseline:?}") };
    assert!(series.labels.is_empty(), "the own host is not named");
    assert_eq!(series.weeks, [3]);
    assert_eq!(series.low, [Some(2.0)]);
    assert_eq!(series.mid, [Some(6.5)]);
    assert_eq!(series.high, [Some(11.0)]);
}

#[tokio::test]
async fn one_week_is_not_called_usual_and_neither_are_some_minutes_of_others() {
    let mut source = mondays(1, |_| 1.0);
    push(&mut source, 2, 20, |_| 5.0);
    let baseline = find(source, &Baselines::default(), NOW_MS).await;
    assert_eq!(baseline.series[0].weeks, [1]);
    assert_eq!(baseline.series[0].mid, [None]);
}

#[tokio::test]
async fn answer_is_kept_for_an_hour() {
    let baselines = Baselines::default();
    let first = find(mondays(2, |_| 7.0), &baselines, NOW_MS).await;
    assert_eq!(find(MemorySource::new(), &baselines, NOW_MS + 1).await, first, "asked again");
    let later = find(MemorySource::new(), &baselines, NOW_MS + Baselines::KEEP_MS).await;
    assert_eq!(later.series, []);
}
