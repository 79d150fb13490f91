//! Budgets and refusals over a real store.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Labels, METRIC_NAME, Matcher};
use barograph_store::{Limits, Settings, Store};
use barograph_testkit::FakeClock;

use super::*;

const NOW_MS: i64 = 1_790_000_000_000;

struct Bench {
    _folder: tempfile::TempDir,
    clock: Arc<FakeClock>,
    store: Arc<Store>,
    ingest: Arc<Ingest>,
}

fn bench(settings: IngestSettings) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(FakeClock::new(NOW_MS));
    let as_clock: Arc<dyn Clock> = clock.clone();
    let store = Arc::new(Store::open(Settings::new(folder.path()), Arc::clone(&as_clock)).unwrap());
    let ingest = Arc::new(Ingest::new(Arc::clone(&store), as_clock, settings));
    Bench { _folder: folder, clock, store, ingest }
}

impl Bench {
    /// Writes one sample for each of the series `m{i="…"}`.
    fn write(&self, source: &Source, numbers: impl IntoIterator<Item = u32>) -> Report {
        let mut intake = self.ingest.intake(source);
        for number in numbers {
            let labels = series(number);
            match intake.labelled(&labels) {
                Ok(series) => intake.sample(series, self.clock.now_ms(), 1.0).unwrap(),
                Err(reason) => intake.refuse(reason, 1),
            }
        }
        intake.commit().unwrap()
    }

    fn stored(&self) -> usize {
        let matchers = [Matcher::equal(METRIC_NAME, "m")];
        let answer = self.store.select(&matchers, i64::MIN, i64::MAX, &Limits::default()).unwrap();
        answer.data.iter().map(|series| series.values.len()).sum()
    }
}

fn series(number: u32) -> Labels {
    Labels::new([(METRIC_NAME, "m"), ("i", &number.to_string())]).unwrap()
}

fn settings() -> IngestSettings {
    IngestSettings { max_series: 3, max_new_series_per_day: 5, ..IngestSettings::default() }
}

#[test]
fn past_the_budget_new_series_are_refused_and_known_ones_kept() {
    let bench = bench(settings());
    let source = bench.ingest.source(Door::Push, "a");
    assert_eq!(bench.write(&source, 0..3).stored, 3);
    bench.clock.advance(Duration::from_secs(1));
    let report = bench.write(&source, 0..10);
    assert_eq!((report.stored, report.refused(Reason::SeriesBudget)), (3, 7));
    let complaint = report.complaint().unwrap();
    assert!(complaint.contains(r#"m{i="3"}; `ingest.max_series_per_source` is 3"#), "{complaint}");
    assert_eq!(bench.stored(), 6);
}

#[test]
fn one_source_over_its_budget_takes_nothing_from_another() {
    let bench = bench(settings());
    let (greedy, modest) =
        (bench.ingest.source(Door::Push, "greedy"), bench.ingest.source(Door::Push, "modest"));
    bench.write(&greedy, 0..100);
    assert_eq!(bench.write(&modest, 200..203).stored, 3);
    let answer = bench.ingest.answer();
    let told: Vec<_> = answer
        .sources
        .iter()
        .map(|one| (one.source.as_str(), one.series, one.refused.get("series_budget").copied()))
        .collect();
    assert_eq!(told, [("greedy", 3, Some(97)), ("modest", 3, None)]);
}

#[test]
fn silent_series_give_their_place_back_until_the_day_has_had_enough() {
    let bench = bench(settings());
    let source = bench.ingest.source(Door::Push, "a");
    bench.write(&source, 0..3);
    bench.clock.advance(Duration::from_secs(3600));
    let report = bench.write(&source, 10..13);
    assert_eq!((report.stored, report.refused(Reason::NewSeriesBudget)), (2, 1));
    bench.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(bench.write(&source, 20..23).stored, 3);
}

#[test]
fn samples_from_the_far_future_are_refused_one_by_one() {
    let bench = bench(settings());
    let source = bench.ingest.source(Door::Push, "a");
    let mut intake = bench.ingest.intake(&source);
    let series = intake.labelled(&series(1)).unwrap();
    for time_ms in [NOW_MS, NOW_MS + 3_600_000, NOW_MS + 3_600_001, i64::MAX] {
        intake.sample(series, time_ms, 1.0).unwrap();
    }
    let report = intake.commit().unwrap();
    assert_eq!((report.stored, report.refused(Reason::Future)), (2, 2));
    assert!(report.complaint().unwrap().contains("3600 s ahead of this machine's clock"));
}

#[test]
fn late_samples_are_counted_by_the_window_of_the_store() {
    let bench = bench(settings());
    let source = bench.ingest.source(Door::Push, "a");
    let mut intake = bench.ingest.intake(&source);
    let series = intake.labelled(&series(1)).unwrap();
    let hour_ms = 3_600_000;
    for time_ms in [NOW_MS - 30 * hour_ms, NOW_MS - hour_ms, NOW_MS - 2 * hour_ms] {
        intake.sample(series, time_ms, 1.0).unwrap();
    }
    let report = intake.commit().unwrap();
    assert_eq!((report.stored, report.refused(Reason::Late)), (2, 1));
}

#[test]
fn series_without_a_name_or_with_broken_labels_are_refused() {
    let bench = bench(settings());
    let source = bench.ingest.source(Door::Push, "a");
    let mut intake = bench.ingest.intake(&source);
    let nameless = intake.series(b"1", || Labels::new([("a", "b")]));
    let twice = intake.series(b"2", || Labels::new([("a", "b"), ("a", "c")]));
    assert_eq!((nameless, twice), (Err(Reason::Labels), Err(Reason::Labels)));
    intake.refuse(Reason::Labels, 2);
    let report = intake.commit().unwrap();
    assert_eq!(report.example(Reason::Labels), Some(r#"{a="b"} has no metric name"#));
}

#[test]
fn a_write_that_is_dropped_stores_nothing() {
    let bench = bench(settings());
    let source = bench.ingest.source(Door::Push, "a");
    let mut intake = bench.ingest.intake(&source);
    let series = intake.labelled(&series(1)).unwrap();
    intake.sample(series, NOW_MS, 1.0).unwrap();
    drop(intake);
    assert_eq!(bench.stored(), 0);
}

#[test]
fn a_sender_that_changes_its_order_and_its_series_is_understood() {
    let bench = bench(IngestSettings::default());
    let source = bench.ingest.source(Door::Push, "a");
    let mut known = std::collections::HashMap::new();
    for order in [vec![1, 2, 3], vec![1, 9, 2, 3], vec![3, 2, 1], vec![2], vec![1, 2, 9, 3, 3]] {
        let mut intake = bench.ingest.intake(&source);
        for number in order {
            let id = intake.labelled(&series(number)).unwrap();
            assert_eq!(*known.entry(number).or_insert(id), id, "{number}");
        }
    }
    assert_eq!(known.len(), 4);
}

#[test]
fn ids_that_the_store_gave_to_others_are_renewed() {
    let bench = bench(settings());
    let source = bench.ingest.source(Door::Push, "a");
    bench.write(&source, 0..2);
    let id = |source: &Source| source.table().known[series(1).encoded()].series;
    let old = id(&source);
    // The partition closes, and its series are forgotten; the source writes every half hour, so
    // its table knows them still, but only one of them is written.
    for _ in 0..200 {
        bench.clock.advance(Duration::from_secs(1200));
        bench.write(&source, [0]);
        source.table().known.values_mut().for_each(|known| known.used_s = u64::MAX);
        bench.store.maintain().unwrap();
    }
    let before = bench.stored();
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.write(&source, 0..2).stored, 2);
    assert_eq!(bench.stored(), before + 2);
    assert_ne!(id(&source), old);
}

#[tokio::test]
async fn a_gathering_that_fails_stores_nothing_and_says_why() {
    let bench = bench(settings());
    let source = bench.ingest.source(Door::Push, "a");
    let gather = |intake: &mut Intake<'_>| {
        let series = intake.labelled(&series(1)).map_err(Reason::as_str)?;
        intake.sample(series, NOW_MS, 1.0).map_err(|_| "too many")?;
        Err("the rest is garbage")
    };
    let result = bench.ingest.write(source, gather).await;
    assert!(matches!(result, Err(WriteError::Refused("the rest is garbage"))), "{result:?}");
    assert_eq!(bench.stored(), 0);
}
