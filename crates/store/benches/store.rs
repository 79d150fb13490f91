//! Append, seal, read: on a recording if `BAROGRAPH_BENCH_DATA` names one (HM1 in zstd), else on
//! made-up metrics of the same size.
//!
//! `cargo bench -p barograph-store`

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::hint::black_box;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use barograph_model::{Clock, Labels, Matcher, Samples, Selection, SeriesSource};
use barograph_store::{SeriesRef, Settings, Store};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const ABSENT: u64 = 0x7ff0_0000_0000_0002;

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

struct Recording {
    times: Vec<i64>,
    series: Vec<(Labels, Vec<f64>)>,
}

impl Recording {
    fn load() -> Self {
        match std::env::var("BAROGRAPH_BENCH_DATA") {
            Ok(path) => Self::read(&path).expect("a recording in the HM1 format"),
            Err(_) => Self::made_up(),
        }
    }

    /// Half constants, a third counters, the rest noise with two decimals.
    fn made_up() -> Self {
        let times: Vec<i64> = (0..1200).map(|i| 1_795_348_800_000 + i * 1000).collect();
        let series = (0_u32..2000).map(|id| {
            let labels =
                Labels::new([("__name__", format!("m{}", id % 200)), ("id", id.to_string())]);
            let mut state = u64::from(id) + 1;
            let mut counter = 0.0;
            let values = times.iter().map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                let noise = f64::from(u16::try_from(state >> 50).unwrap_or_default());
                counter += noise / 16.0;
                match id % 6 {
                    0..=2 => f64::from(id),
                    3 | 4 => counter.floor(),
                    _ => (noise / 16.0).round() / 100.0,
                }
            });
            (labels.expect("few labels"), values.collect())
        });
        let series = series.collect();
        Self { times, series }
    }

    fn read(path: &str) -> Option<Self> {
        let mut raw = Vec::new();
        let file = std::fs::File::open(path).ok()?;
        zstd::Decoder::new(file).ok()?.read_to_end(&mut raw).ok()?;
        let mut rest = raw.strip_prefix(b"HM1\n")?;
        let n_series = u32::from_le_bytes(*take(&mut rest)?);
        let n_scrapes = u32::from_le_bytes(*take(&mut rest)?);
        let number = |rest: &mut &[u8]| take(rest).map(|bytes| i64::from_le_bytes(*bytes));
        let times = (0..n_scrapes).map(|_| number(&mut rest)).collect::<Option<Vec<_>>>()?;
        for _ in 0..n_scrapes {
            number(&mut rest)?;
        }
        let mut series = Vec::new();
        for _ in 0..n_series {
            let length = u32::from_le_bytes(*take(&mut rest)?) as usize;
            let (name, after) = rest.split_at_checked(length)?;
            rest = after.get(1..)?;
            let value = |rest: &mut &[u8]| take(rest).map(|bytes| f64::from_le_bytes(*bytes));
            let values = (0..n_scrapes).map(|_| value(&mut rest)).collect::<Option<Vec<_>>>()?;
            series.push((parse(std::str::from_utf8(name).ok()?)?, values));
        }
        Some(Self { times, series })
    }

    /// What each scrape brought.
    fn frames(&self, store: &Store) -> Vec<(i64, Vec<SeriesRef>, Vec<f64>)> {
        let ids: Vec<SeriesRef> =
            self.series.iter().map(|(labels, _)| store.series(labels).expect("room")).collect();
        let frame = |(i, time): (usize, &i64)| {
            let present = ids.iter().zip(&self.series).map(|(id, (_, values))| (*id, values[i]));
            let present = present.filter(|(_, value)| value.to_bits() != ABSENT);
            let (ids, values) = present.unzip();
            (*time, ids, values)
        };
        self.times.iter().enumerate().map(frame).collect()
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(taken)
}

/// Prometheus' text form of a series; values without escapes.
fn parse(text: &str) -> Option<Labels> {
    let (name, mut rest) = text.split_once('{').unwrap_or((text, ""));
    let mut pairs = vec![("__name__", name)];
    while let Some((label, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        pairs.push((label.trim_start_matches(','), value));
        rest = after;
    }
    Labels::new(pairs).ok()
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
    for (time_ms, ids, values) in recording.frames(store) {
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
    let recording = Recording::load();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(BatchClock(AtomicI64::new(recording.times[0])));
    let store = open(dir.path(), &clock);
    let frames = recording.frames(&store);
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
    let recording = Recording::load();
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
    let recording = Recording::load();
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
