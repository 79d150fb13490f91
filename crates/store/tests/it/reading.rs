//! The store as the query engine reads it: `SeriesSource`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use barograph_model::{
    MatchOp, Matcher, STALE, Samples, SelectedSeries, Selection, SeriesSource, SourceError,
};
use barograph_store::{Settings, Store};

use crate::support::{HOUR_MS, Map, NOON_MS, TestClock, batch, contents, labels, open, settings};

pub(crate) fn everything(matchers: &[Matcher]) -> Selection<'_> {
    Selection {
        matchers,
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        windows: None,
        max_series: usize::MAX,
        max_samples: usize::MAX,
        cancel: None,
    }
}

fn select<'a>(store: &'a Store, selection: &Selection<'a>) -> Box<dyn SelectedSeries + 'a> {
    SeriesSource::select(store, selection).unwrap()
}

/// Reads all series with several threads, each with a reader of its own.
fn read_all(selected: &dyn SelectedSeries, threads: usize) -> Map {
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut reader, mut samples, mut map) =
            (selected.reader(), Samples::default(), Map::new());
        loop {
            let series = next.fetch_add(1, Ordering::Relaxed);
            let Some(labels) = selected.labels().get(series) else { return map };
            reader.samples(series, &mut samples).unwrap();
            let bits = samples.values.iter().map(|value| value.to_bits());
            map.insert(labels.to_string(), samples.times.iter().copied().zip(bits).collect());
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// Three hours: one in its final form, one in blocks and a head, one only in a head.
fn filled(dir: &std::path::Path, clock: &std::sync::Arc<TestClock>) -> Store {
    let store = open(dir, clock);
    let append = |start_ms: i64| {
        for i in 0..30 {
            let samples = (0..40).map(|series| (series, i as f64 * f64::from(series)));
            store.append(&[batch(start_ms + i * 1000, samples)]).unwrap();
        }
    };
    append(NOON_MS - 2 * HOUR_MS);
    store.append(&[batch(NOON_MS - 2 * HOUR_MS + 30_000, [(3, STALE)])]).unwrap();
    clock.advance(HOUR_MS);
    store.maintain().unwrap();
    append(NOON_MS);
    store.seal().unwrap();
    append(NOON_MS + 15_000);
    append(NOON_MS + HOUR_MS);
    store
}

#[test]
fn readers_side_by_side_read_what_one_reads() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), &TestClock::at(NOON_MS));
    let selection = everything(&[]);
    let selected = select(&store, &selection);
    assert!(selected.labels().is_sorted_by(|a, b| a < b));
    let one = read_all(&*selected, 1);
    assert_eq!(read_all(&*selected, 4), one);
    assert_eq!(one, contents(&store));
    assert_eq!(selected.warnings(), Vec::<String>::new());
    assert!(one.values().any(|series| series.values().any(|bits| *bits == STALE.to_bits())));
}

#[test]
fn a_range_is_cut_to_the_millisecond_wherever_its_samples_are() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), &TestClock::at(NOON_MS));
    let all = read_all(&*select(&store, &everything(&[])), 1);
    for from_ms in [NOON_MS - 2 * HOUR_MS, NOON_MS, NOON_MS + 15_000, NOON_MS + HOUR_MS] {
        for to_ms in [from_ms + 29_000, from_ms + 4001, from_ms - 1, from_ms + 2 * HOUR_MS] {
            let selection = Selection { from_ms: from_ms + 1, to_ms, ..everything(&[]) };
            let expected: Map = all
                .iter()
                .map(|(labels, samples)| {
                    let inside =
                        samples.iter().filter(|(time, _)| (from_ms + 1..=to_ms).contains(*time));
                    (labels.clone(), inside.map(|(time, bits)| (*time, *bits)).collect())
                })
                .filter(|(_, samples): &(String, std::collections::BTreeMap<i64, u64>)| {
                    !samples.is_empty()
                })
                .collect();
            let mut found = read_all(&*select(&store, &selection), 2);
            found.retain(|_, samples| !samples.is_empty());
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn limits_hold_for_all_readers_together_and_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &TestClock::at(NOON_MS));
    for i in 0..10 {
        store.append(&[batch(NOON_MS + i, (0..4).map(|series| (series, 1.0)))]).unwrap();
    }
    let outcome = |max_series, max_samples| {
        let selection = Selection { max_series, max_samples, ..everything(&[]) };
        let selected = SeriesSource::select(&store, &selection)?;
        let mut samples = Samples::default();
        for series in 0..selected.labels().len() {
            selected.reader().samples(series, &mut samples)?;
        }
        Ok(())
    };
    assert_eq!(outcome(4, 40), Ok(()));
    assert_eq!(outcome(4, 39), Err(SourceError::TooManySamples { max: 39 }));
    assert_eq!(outcome(3, 40), Err(SourceError::TooManySeries { max: 3 }));
}

#[test]
fn cancelling_ends_a_reading_that_has_begun() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), &TestClock::at(NOON_MS));
    let cancel = AtomicBool::new(false);
    let selection = Selection { cancel: Some(&cancel), ..everything(&[]) };
    let selected = select(&store, &selection);
    let (mut reader, mut samples) = (selected.reader(), Samples::default());
    reader.samples(0, &mut samples).unwrap();
    cancel.store(true, Ordering::Relaxed);
    assert_eq!(reader.samples(1, &mut samples), Err(SourceError::Cancelled));
    assert_eq!(SeriesSource::select(&store, &selection).err(), Some(SourceError::Cancelled));
}

#[test]
fn an_answer_outlives_the_file_that_a_later_final_form_replaces() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = filled(dir.path(), &clock);
    let file = |number| dir.path().join(format!("raw/2026-11-22T10.{number}.final.db"));
    let first_hour = Selection { to_ms: NOON_MS - HOUR_MS, ..everything(&[]) };
    let before = read_all(&*select(&store, &first_hour), 1);

    let selected = select(&store, &first_hour);
    let late_ms = NOON_MS - 2 * HOUR_MS + 500;
    store.append(&[batch(late_ms, [(1, 5.0)])]).unwrap();
    clock.advance(2 * HOUR_MS);
    store.maintain().unwrap();
    assert!(file(2).exists() && file(4).exists());
    assert_eq!(read_all(&*selected, 2), before);
    drop(selected);
    assert!(!file(2).exists());

    let mut after = before;
    let series = after.get_mut(&labels(1).to_string()).unwrap();
    series.insert(late_ms, 5.0_f64.to_bits());
    assert_eq!(read_all(&*select(&store, &first_hour), 1), after);
}

#[test]
fn names_and_values_of_labels_are_those_of_the_wanted_series() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), &TestClock::at(NOON_MS));
    let one = [Matcher::equal("id", "5")];
    let none = [Matcher::new("id", MatchOp::Regex, "x.*").unwrap()];
    let names = |matchers| SeriesSource::label_names(&store, &everything(matchers)).unwrap();
    let values =
        |matchers| SeriesSource::label_values(&store, "id", &everything(matchers)).unwrap();
    assert_eq!(names(&[]), ["__name__", "id"]);
    assert_eq!(names(&one), ["__name__", "id"]);
    assert!(names(&none).is_empty());
    assert_eq!(values(&one), ["5"]);
    assert_eq!(values(&[]).len(), 40);
}

#[test]
fn what_is_asked_for_again_is_kept_and_stays_right() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), &TestClock::at(NOON_MS));
    store.maintain().unwrap();
    let all = || read_all(&*select(&store, &everything(&[])), 2);
    let mut expected = all();
    all();
    assert!(store.stats().decoded_bytes > 0);
    assert_eq!(all(), expected);
    let late_ms = NOON_MS - 2 * HOUR_MS + 3000;
    store.append(&[batch(late_ms, [(1, 99.5)])]).unwrap();
    expected.get_mut(&labels(1).to_string()).unwrap().insert(late_ms, 99.5_f64.to_bits());
    assert_eq!(all(), expected);
    store.seal().unwrap();
    for _ in 0..3 {
        assert_eq!(all(), expected);
    }
    for _ in 0..60 {
        store.maintain().unwrap();
    }
    assert_eq!(store.stats().decoded_bytes, 0);
    assert_eq!(all(), expected);
}

#[test]
fn without_room_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { decoded_bytes: 0, ..settings(dir.path()) };
    let store = Store::open(settings, TestClock::at(NOON_MS)).unwrap();
    for i in 0..100 {
        store.append(&[batch(NOON_MS + i * 1000, [(0, i as f64), (1, 1.0)])]).unwrap();
    }
    store.seal().unwrap();
    store.maintain().unwrap();
    let expected = contents(&store);
    for _ in 0..4 {
        assert_eq!(contents(&store), expected);
    }
    assert_eq!(store.stats().decoded_bytes, 0);
}
