//! Questions of a dashboard, from the store to the answer without HTTP: on a recording if
//! `BAROGRAPH_BENCH_DATA` names one (HM1 in zstd), else on made-up metrics.
//!
//! `cargo bench -p barograph-server --bench questions`

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use barograph_model::{Clock, SystemClock};
use barograph_promql::{Answer, Engine, Options, Query};
use barograph_store::{SeriesRef, Settings, Store};
use barograph_testkit::Recording;
use criterion::{Criterion, criterion_group, criterion_main};

const HOUR_MS: i64 = 3_600_000;

/// Each with its step in seconds, 0 for an instant.
static RECORDED: &[(&str, i64)] = &[
    ("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}", 1),
    ("sum by (mode) (rate(node_cpu_seconds_total[1m]))", 15),
    ("sum by (mode) (rate(node_cpu_seconds_total[1m]))", 1),
    ("max_over_time(node_interrupts_total[1m])", 15),
    ("avg_over_time(node_interrupts_total[1h])", 0),
    ("quantile_over_time(0.95, node_interrupts_total[1h])", 0),
    ("count by (__name__) ({__name__!=\"\"})", 0),
];

static MADE_UP: &[(&str, i64)] = &[
    ("m3{id=\"3\"}", 1),
    ("sum(rate({__name__=~\"m[39].*\"}[1m]))", 15),
    ("quantile_over_time(0.95, {__name__=~\"m[39].*\"}[20m])", 0),
    ("count by (__name__) ({__name__!=\"\"})", 0),
];

/// Shows the time of the last scrape.
#[derive(Debug)]
struct ScrapeClock(AtomicI64);

impl Clock for ScrapeClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now_ms().unsigned_abs())
    }
}

/// Everything sealed every ten minutes, as a server does it.
fn fill(store: &Store, clock: &ScrapeClock, recording: &Recording) {
    let ids: Vec<SeriesRef> =
        recording.series.iter().map(|(labels, _)| store.series(labels).expect("room")).collect();
    for (number, time_ms) in recording.times.iter().enumerate() {
        let (ids, values): (Vec<SeriesRef>, Vec<f64>) =
            recording.scrape(number).map(|(place, value)| (ids[place], value)).unzip();
        clock.0.store(*time_ms, Ordering::Relaxed);
        store.append_rows(*time_ms, &ids, &values).expect("room");
        if number % 600 == 599 {
            store.seal().expect("room");
        }
    }
}

fn ask(engine: &Engine, store: &Store, query: &Query, end_ms: i64, step: i64) -> Answer {
    let options = Options::default();
    let answer = match step {
        0 => engine.instant(store, query, end_ms, &options),
        step => engine.range(store, query, end_ms - HOUR_MS, end_ms, step * 1000, &options),
    };
    answer.expect("an answer")
}

fn questions(criterion: &mut Criterion) {
    let (recording, questions) = match std::env::var_os("BAROGRAPH_BENCH_DATA") {
        Some(path) => {
            (Recording::read(path.as_ref()).expect("a recording in the HM1 format"), RECORDED)
        }
        None => (Recording::made_up(), MADE_UP),
    };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(ScrapeClock(AtomicI64::new(recording.times[0])));
    let store = Store::open(Settings::new(dir.path()), clock.clone()).expect("an empty folder");
    fill(&store, &clock, &recording);
    let end_ms = clock.now_ms();
    let engine = Engine::new(barograph_promql::Settings::default(), Arc::new(SystemClock::new()));
    for form in ["live", "final"] {
        if form == "final" {
            store.seal().expect("room");
            clock.0.fetch_add(72 * HOUR_MS, Ordering::Relaxed);
        }
        // What is asked for is kept once time passes.
        store.maintain().expect("room");
        let mut group = criterion.benchmark_group(form);
        for (text, step) in questions {
            let query = Query::parse(text).expect("a question");
            group.bench_function(format!("{text}, step {step} s"), |bencher| {
                bencher.iter(|| black_box(ask(&engine, &store, &query, end_ms, *step)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, questions);
criterion_main!(benches);
