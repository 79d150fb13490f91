//! Append, seal, read: on a recording if `BAROGRAPH_BENCH_DATA` names one (HM1 in zstd), else on
//! made-up metrics of the same size.
//!
//! `cargo bench -p barograph-store`

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use barograph_model::{Clock, Matcher, Samples, Selection, SeriesSource};
use barograph_store::{SeriesRef, Settings, Store};
use barograph_testkit::Recording;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Shows the time of the last batch.
#[derive(Debug)]
struct BatchClock(AtomicI64);

impl Clock for BatchClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now_ms().unsigned_abs())
    }
}

fn load() -> Recording {
    match std::env::var_os("BAROGRAPH_BENCH_DATA") {
        Some(path) => Recording::read(path.as_ref()).expect("a recording in the HM1 format"),
        None => Recording::made_up(),
    }
}

/// What each scrape brought.
fn frames(recording: &Recording, store: &Store) -> Vec<(i64, Vec<SeriesRef>, Vec<f64>)> {
    let ids: Vec<SeriesRef> =
        recording.series.iter().map(|(labels, _)| store.series(labels).expect("room")).collect();
    let frame = |(i, time): (usize, &i64)| {
        let (ids, values) = recording.scrape(i).map(|(place, value)| (ids[place], value)).unzip();
        (*time, ids, values)
    };
    recording.times.iter().enumerate().map(frame).collect()
}

/// A store that seals only when it is told to.
fn open(dir: &std::path::Path, clock: &Arc<BatchClock>) -> Store {
    let settings = Settings {
        seal_bytes: u64::MAX / 2,
        seal_after: Duration::MAX,
        seal_at_latest: Duration::MAX,
        late_window: None,
        ..Settings::new(dir)
    };
    Store::open(settings, clock.clone()).expect("an empty folder")
}

fn fill(store: &Store, clock: &BatchClock, recording: &Recording) -> u64 {
    let mut samples = 0;
    for (time_ms, ids, values) in frames(recording, store) {
        clock.0.store(time_ms, Ordering::Relaxed);
        samples += store.append_rows(time_ms, &ids, &values).expect("room").stored;
    }
    samples
}

fn read(store: &Store, matchers: &[Matcher]) -> f64 {
    let selection = Selection {
        matchers,
        from_ms: 0,
        to_ms: i64::MAX,
        windows: None,
        max_series: usize::MAX,
        max_samples: usize::MAX,
        cancel: None,
    };
    let selected = SeriesSource::select(store, &selection).expect("no limit");
    let mut reader = selected.reader();
    let mut samples = Samples::default();
    let mut sum = 0.0;
    for series in 0..selected.labels().len() {
        reader.samples(series, &mut samples).expect("no limit");
        sum += samples.values.iter().sum::<f64>();
    }
    assert!(selected.warnings().is_empty());
    sum
}

fn append(criterion: &mut Criterion) {
    let recording = load();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(BatchClock(AtomicI64::new(recording.times[0])));
    let store = open(dir.path(), &clock);
    let frames = frames(&recording, &store);
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(frames[0].1.len() as u64));
    let mut i = 0;
    group.bench_function("one batch, durable", |bencher| {
        bencher.iter(|| {
            let (_, ids, values) = &frames[i % frames.len()];
            let time_ms = recording.times[0] + i64::try_from(i).expect("few") * 1000;
            clock.0.store(time_ms, Ordering::Relaxed);
            i += 1;
            store.append_rows(time_ms, ids, values).expect("room")
        });
    });
    group.finish();
}

fn seal_and_read(criterion: &mut Criterion) {
    let recording = load();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(BatchClock(AtomicI64::new(recording.times[0])));
    let store = open(dir.path(), &clock);
    let samples = fill(&store, &clock, &recording);
    let name = Matcher::equal("__name__", recording.series[0].0.name());
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(samples)).sample_size(20);
    group.bench_function("head", |bencher| bencher.iter(|| black_box(read(&store, &[]))));
    store.seal().expect("room");
    group.bench_function("blocks", |bencher| bencher.iter(|| black_box(read(&store, &[]))));
    clock.0.fetch_add(3 * 86_400_000, Ordering::Relaxed);
    store.maintain().expect("room");
    group.bench_function("final form", |bencher| bencher.iter(|| black_box(read(&store, &[]))));
    group.throughput(Throughput::Elements(1));
    let matchers = [name];
    group.bench_function("one metric", |bencher| {
        bencher.iter(|| black_box(read(&store, &matchers)));
    });
    group.finish();
    let per_sample = store.stats().disk_bytes as f64 / samples as f64;
    assert!(per_sample < 1.0, "{per_sample} bytes per sample in the final form");
}

fn start(criterion: &mut Criterion) {
    let recording = load();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(BatchClock(AtomicI64::new(recording.times[0])));
    let samples = fill(&open(dir.path(), &clock), &clock, &recording);
    let mut group = criterion.benchmark_group("start");
    group.throughput(Throughput::Elements(samples)).sample_size(10);
    group.bench_function("with a full head", |bencher| {
        bencher.iter_batched(|| (), |()| open(dir.path(), &clock), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, append, seal_and_read, start);
criterion_main!(benches);
