//! What an engine answers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use barograph_model::{Labels, STALE, SystemClock};
use proptest::prelude::*;

use super::*;
use crate::MemorySource;

mod shared;
mod summed;

use shared::Shared;
use summed::Summed;

const STEP: u16 = 15_000;

/// Expressions that together touch every kind of part.
const EXPRESSIONS: &[&str] = &[
    "a_total",
    "a_total offset 20s",
    "a_total @ 100",
    "timestamp(a_total)",
    "-a_total",
    "rate(a_total[1m])",
    "increase(a_total[1m] offset 10s)",
    "delta(b[45s])",
    "irate(a_total[1m])",
    "idelta(b[1m])",
    "changes(b[2m])",
    "resets(a_total[2m])",
    "deriv(b[2m])",
    "predict_linear(b[2m], 60)",
    "avg_over_time(b[2m])",
    "sum_over_time(b[3m])",
    "min_over_time(b[3m])",
    "max_over_time(b[3m])",
    "count_over_time(b[1m])",
    "first_over_time(b[1m])",
    "last_over_time(b[1m])",
    "present_over_time(b[20s])",
    "stddev_over_time(b[2m])",
    "stdvar_over_time(b[2m])",
    "quantile_over_time(0.3, b[3m])",
    "mad_over_time(b[2m])",
    "ts_of_max_over_time(b[2m])",
    "ts_of_min_over_time(b[2m])",
    "double_exponential_smoothing(b[2m], 0.3, 0.6)",
    "absent_over_time(b{i=\"0\"}[20s])",
    "absent(b{i=\"0\"})",
    "sum by (j) (rate(a_total[1m]))",
    "avg without (i) (b)",
    "count(b)",
    "min by (i) (b)",
    "max(b)",
    "group by (j) (b)",
    "stddev by (j) (b)",
    "quantile by (j) (0.7, b)",
    "topk by (j) (1, b)",
    "bottomk(2, b)",
    "limitk by (j) (1, b)",
    "limit_ratio(0.5, b)",
    "count_values(\"v\", round(b, 50))",
    "a_total + ignoring(j) b",
    "a_total / on (i, j) group_left () b",
    "b > bool 0",
    "b > 0",
    "0 < b",
    "a_total and on (i) b > 0",
    "a_total or b",
    "a_total unless on (i) b > 0",
    "clamp(b, -10, 10)",
    "abs(b) ^ 2 % 7",
    "scalar(b{i=\"1\", j=\"x\"}) + time()",
    "vector(time()) * 2",
    "hour() + minute(b)",
    "sum_over_time(b[2m:20s])",
    "max_over_time(rate(a_total[1m])[2m:15s] offset 10s)",
    "rate(a_total[1m] anchored)",
    "increase(a_total[45s] smoothed)",
    "delta(b[1m] smoothed offset 10s)",
    "resets(a_total[1m] anchored)",
    "a_total smoothed",
    "label_replace(b, \"k\", \"$1\", \"i\", \"(.*)\")",
    "label_join(b, \"k\", \"-\", \"i\", \"j\")",
    "histogram_quantile(0.8, label_replace(a_total, \"le\", \"+Inf\", \"i\", \"2\"))",
];

fn engine(threads: usize) -> Engine {
    Engine::new(Settings { threads, ..Settings::default() }, Arc::new(SystemClock::new()))
}

fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

/// Six series of two metrics, from a sequence of numbers.
fn source(numbers: &[u8]) -> MemorySource {
    let mut source = MemorySource::new();
    let mut numbers = numbers.iter().copied().cycle();
    let mut next = move || numbers.next().unwrap_or_default();
    for (i, j) in [("0", "x"), ("1", "x"), ("2", "y")] {
        for name in ["a_total", "b"] {
            let labels = Labels::new([("__name__", name), ("i", i), ("j", j)]).unwrap();
            let (mut time, mut counter) = (0, 0.0);
            while time < 400_000 {
                time += 1000 + i64::from(next()) * 60;
                counter = if next() < 20 { 0.0 } else { counter + f64::from(next()) };
                let value = match (name, next()) {
                    (_, 250..) => STALE,
                    ("b", 240..) => f64::NAN,
                    ("b", 238..) => f64::INFINITY,
                    ("b", _) => f64::from(next()) - 100.0,
                    _ => counter,
                };
                source.push(&labels, time, value);
            }
        }
    }
    source
}

fn matrix(answer: Answer) -> Vec<Series> {
    match answer.value {
        Value::Matrix(series) => series,
        other => panic!("not a matrix: {other:?}"),
    }
}

/// Nearly the same, since sums may be taken in another order.
fn same(a: f64, b: f64) -> bool {
    let near = (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()));
    near || a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[track_caller]
fn assert_same(text: &str, a: &[Series], b: &[Series]) {
    let labels = |series: &[Series]| series.iter().map(|s| s.labels.clone()).collect::<Vec<_>>();
    assert_eq!(labels(a), labels(b), "{text}");
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.samples.times, b.samples.times, "{text}: {}", a.labels);
        for (index, (x, y)) in a.samples.values.iter().zip(&b.samples.values).enumerate() {
            let time = a.samples.times[index];
            assert!(same(*x, *y), "{text}: {} at {time}: {x} is not {y}", a.labels);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_range_is_its_instants(numbers in prop::collection::vec(any::<u8>(), 200..400)) {
        let (source, engine, options) = (source(&numbers), engine(1), Options::default());
        for text in EXPRESSIONS {
            let query = query(text);
            let range = engine.range(&source, &query, 60_000, 390_000, STEP.into(), &options).unwrap();
            let mut found: std::collections::BTreeMap<Labels, Samples> = [].into();
            for time in (60_000..=390_000).step_by(STEP.into()) {
                let answer = engine.instant(&source, &query, time, &options).unwrap();
                let samples = match answer.value {
                    Value::Vector(samples) => samples,
                    Value::Scalar(value) => {
                        let labels = Labels::new::<&str, &str>([]).unwrap();
                        vec![VectorSample { labels, value }]
                    }
                    other => panic!("{text}: {other:?}"),
                };
                for VectorSample { labels, value } in samples {
                    let samples = found.entry(labels).or_default();
                    samples.times.push(time);
                    samples.values.push(value);
                }
            }
            let found: Vec<Series> =
                found.into_iter().map(|(labels, samples)| Series { labels, samples }).collect();
            assert_same(text, &matrix(range), &found);
        }
    }

    #[test]
    fn shared_times_and_known_values_answer_like_others(
        numbers in prop::collection::vec(any::<u8>(), 200..400),
        gap in 1_i64..200,
    ) {
        let (alone, engine, options) = (source(&numbers), engine(1), Options::default());
        let mut together = MemorySource::new();
        for (labels, samples) in alone.iter() {
            let times = (1..400).filter(|second| second % gap != 0 || gap == 1);
            for (second, value) in times.zip(samples.values().cycle()) {
                together.push(labels, second * 1000, *value);
            }
        }
        for source in [&alone, &together] {
            let shared = Shared::new(source);
            for text in EXPRESSIONS {
                let query = query(text);
                let ask = |source: &dyn SeriesSource| {
                    let step = STEP.into();
                    let answer = engine.range(source, &query, 60_000, 390_000, step, &options);
                    let bits = |series: Series| {
                        let Samples { times, values } = series.samples;
                        let bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
                        (series.labels, times, bits)
                    };
                    matrix(answer.unwrap()).into_iter().map(bits).collect::<Vec<_>>()
                };
                prop_assert_eq!(ask(&shared), ask(source), "{}", text);
            }
        }
    }

    #[test]
    fn buckets_answer_like_samples(numbers in prop::collection::vec(any::<u8>(), 200..400)) {
        let (source, engine, options) = (source(&numbers), engine(1), Options::default());
        let summed = Summed(&source);
        for text in EXPRESSIONS {
            let query = query(text);
            let ask = |source: &dyn SeriesSource| {
                matrix(engine.range(source, &query, 60_000, 390_000, STEP.into(), &options).unwrap())
            };
            assert_same(text, &ask(&source), &ask(&summed));
        }
    }
}

/// So many series with a thousand samples each.
fn large(series: usize) -> MemorySource {
    let mut source = MemorySource::new();
    for i in 0..series {
        let name = format!("{i}");
        let labels = Labels::new([("__name__", "a_total"), ("i", &name), ("j", "x")]).unwrap();
        for (t, ms) in (0..1000).zip((0..).step_by(1000)) {
            source.push(&labels, ms, (t * (i + 7) % 1013) as f64);
        }
    }
    source
}

#[test]
fn threads_do_not_change_an_answer() {
    // Enough for three threads.
    let source = large(400);
    for text in [
        "sum by (j) (rate(a_total[1m]))",
        "avg(a_total)",
        "stddev(a_total)",
        "max by (j) (max_over_time(a_total[5m]))",
        "rate(a_total[30s]) * 2",
        "count(a_total > 500)",
    ] {
        let ask = |threads| {
            let engine = engine(threads);
            let options = Options::default();
            matrix(engine.range(&source, &query(text), 0, 999_000, 1000, &options).unwrap())
        };
        assert_same(text, &ask(1), &ask(3));
    }
}

#[test]
fn each_limit_has_its_error() {
    let (source, engine) = (large(50), engine(2));
    let ask = |text: &str, step_ms, options: &Options<'_>| {
        engine.range(&source, &query(text), 0, 999_000, step_ms, options).unwrap_err()
    };
    let options = Options::default();
    let points = ask("a_total", 1, &options);
    assert_eq!(points, EvalError::TooManyPoints { max: 11_000 });
    assert!(points.to_string().contains("query.max_points"));
    let few = Options { max_series: Some(49), ..options };
    assert_eq!(ask("sum(a_total)", 1000, &few), EvalError::TooManySeries { max: 49 });
    let few = Options { max_samples: Some(40_000), ..options };
    let samples = ask("sum(a_total)", 10_000, &few);
    assert_eq!(samples, EvalError::TooManySamples { max: 40_000 });
    assert!(samples.to_string().contains("query.max_samples"));
    let subquery = ask("max_over_time(vector(1)[50y:1ms])", 1000, &options);
    assert_eq!(subquery, EvalError::TooManySamples { max: 50_000_000 });
    let cancelled = AtomicBool::new(true);
    let cancel = Options { cancel: Some(&cancelled), ..options };
    assert_eq!(ask("a_total", 1000, &cancel), EvalError::Cancelled);
}

/// A second passes at each look.
#[derive(Debug, Default)]
struct Hasty(AtomicU64);

impl Clock for Hasty {
    fn now_ms(&self) -> i64 {
        0
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn an_evaluation_ends_in_time() {
    let engine = Engine::new(Settings::default(), Arc::new(Hasty::default()));
    let options = Options { timeout: Some(Duration::from_secs(20)), ..Options::default() };
    let error = engine.instant(&large(50), &query("sum(a_total)"), 5000, &options).unwrap_err();
    assert_eq!(error, EvalError::Timeout { after: Duration::from_secs(20) });
    assert!(error.to_string().contains("query.timeout"));
}

#[test]
fn the_deepest_expressions_fit_on_a_small_stack() {
    let source = large(50);
    let deep = move |times: usize, open: &str, close: &str| {
        let text = format!("{}a_total{}", open.repeat(times), close.repeat(times));
        engine(1).instant(&source, &query(&text), 5000, &Options::default()).unwrap();
    };
    let run = move || {
        deep(190, "(", ")");
        deep(190, "-", "");
        deep(190, "sum(", ")");
        deep(190, "sort(", ")");
        deep(190, "", " or a_total");
        deep(95, "a_total or (", ")");
        deep(190, "max_over_time(", "[1s:1s])");
    };
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(run).unwrap().join().unwrap();
}

#[track_caller]
fn check(text: &str, expected: &[(&str, f64)]) {
    let answer =
        engine(1).instant(&source(&[9, 77, 3, 200]), &query(text), 200_000, &Options::default());
    let Value::Vector(found) = answer.unwrap().value else { panic!("not a vector") };
    let found: Vec<(String, f64)> =
        found.into_iter().map(|sample| (sample.labels.to_string(), sample.value)).collect();
    let expected: Vec<(String, f64)> =
        expected.iter().map(|(labels, value)| ((*labels).to_owned(), *value)).collect();
    assert_eq!(found, expected);
}

#[test]
fn names_go_at_the_end() {
    check("count by (__name__) (-b)", &[("", 3.0)]);
    check("count by (__name__) (b)", &[("b", 3.0)]);
    // Two metrics are two groups, which have the same labels once the name has gone.
    let both = query("count by (__name__) ({__name__=~\"a_total|b\"} * 2)");
    let source = source(&[9, 77, 3, 200]);
    let error = engine(1).instant(&source, &both, 200_000, &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "vector cannot contain metrics with the same labelset");
    check(
        "label_replace(-b{i=\"0\"} * 0, \"__name__\", \"${1}_zero\", \"__name__\", \"(.*)\")",
        &[("b_zero{i=\"0\",j=\"x\"}", -0.0)],
    );
}

#[test]
fn a_filter_keeps_what_it_lets_through() {
    check("count(b == b)", &[("", 3.0)]);
    check("count(b != b)", &[]);
    check(
        "b != bool b",
        &[("{i=\"0\",j=\"x\"}", 0.0), ("{i=\"1\",j=\"x\"}", 0.0), ("{i=\"2\",j=\"y\"}", 0.0)],
    );
}

#[test]
fn missing_partners_are_filled_in() {
    check(
        "b * 0 + on (i) fill_right(7) (a_total{i=\"0\"} * 0)",
        &[("{i=\"0\"}", 0.0), ("{i=\"1\"}", 7.0), ("{i=\"2\"}", 7.0)],
    );
    check(
        "(a_total{i=\"0\"} * 0) + on (i) fill_left(5) (b * 0)",
        &[("{i=\"0\"}", 0.0), ("{i=\"1\"}", 5.0), ("{i=\"2\"}", 5.0)],
    );
}

/// A counter that starts anew, 10 s apart.
fn ramp() -> MemorySource {
    let mut source = MemorySource::new();
    let labels = Labels::new([("__name__", "a_total"), ("instance", "h")]).unwrap();
    for (time, value) in [(0, 0.0), (10, 20.0), (20, 40.0), (30, 10.0), (40, 30.0)] {
        source.push(&labels, time * 1000, value);
    }
    let labels = [("__name__", "target_info"), ("instance", "h"), ("os", "linux"), ("arch", "x86")];
    source.push(&Labels::new(labels).unwrap(), 20_000, 1.0);
    source
}

#[track_caller]
fn check_ramp(text: &str, seconds: i64, expected: &[(&str, f64)]) {
    let options = Options::default();
    let answer = engine(1).instant(&ramp(), &query(text), seconds * 1000, &options).unwrap();
    let Value::Vector(found) = answer.value else { panic!("not a vector") };
    let found: Vec<(String, f64)> =
        found.into_iter().map(|sample| (sample.labels.to_string(), sample.value)).collect();
    let expected: Vec<(String, f64)> =
        expected.iter().map(|(labels, value)| ((*labels).to_owned(), *value)).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn anchored_ranges_start_from_the_sample_before() {
    check_ramp("increase(a_total[10s] anchored)", 25, &[("{instance=\"h\"}", 20.0)]);
    check_ramp("increase(a_total[15s] anchored)", 40, &[("{instance=\"h\"}", 30.0)]);
    check_ramp("delta(a_total[15s] anchored)", 40, &[("{instance=\"h\"}", -10.0)]);
    check_ramp("resets(a_total[15s] anchored)", 40, &[("{instance=\"h\"}", 1.0)]);
    check_ramp("changes(a_total[10s] anchored)", 60, &[]);
}

#[test]
fn smoothed_ranges_have_interpolated_ends() {
    check_ramp("increase(a_total[10s] smoothed)", 15, &[("{instance=\"h\"}", 20.0)]);
    check_ramp("rate(a_total[10s] smoothed)", 15, &[("{instance=\"h\"}", 2.0)]);
    check_ramp("increase(a_total[10s] smoothed)", 25, &[("{instance=\"h\"}", 15.0)]);
    check_ramp("a_total smoothed", 15, &[("a_total{instance=\"h\"}", 30.0)]);
    check_ramp("a_total smoothed", 45, &[("a_total{instance=\"h\"}", 30.0)]);
}

#[test]
fn functions_refuse_ranges_that_they_cannot_extend() {
    let query = query("avg_over_time(a_total[1m] anchored)");
    let error = engine(1).instant(&ramp(), &query, 0, &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "anchored modifier can only be used with: changes, delta, increase, rate, resets - not \
         with avg_over_time"
    );
}

#[test]
fn info_adds_the_labels_of_the_target() {
    let all = "a_total{arch=\"x86\",instance=\"h\",os=\"linux\"}";
    check_ramp("info(a_total)", 20, &[(all, 40.0)]);
    let one = "a_total{instance=\"h\",os=\"linux\"}";
    check_ramp("info(a_total, {os=~\".+\"})", 20, &[(one, 40.0)]);
    check_ramp("info(a_total, {os=\"windows\"})", 20, &[]);
    check_ramp("info(a_total)", 10, &[("a_total{instance=\"h\"}", 20.0)]);
}

#[test]
fn steps_of_a_subquery_can_count_from_its_end() {
    check_ramp("count_over_time(a_total[20s::7s])", 40, &[("{instance=\"h\"}", 3.0)]);
    check_ramp("max_over_time(a_total[20s::20s])", 29, &[("{instance=\"h\"}", 40.0)]);
}

#[test]
fn what_is_said_names_its_place() {
    let text = "sum(rate(b[1m])) +\n  quantile(1.5, b)";
    let answer =
        engine(1).instant(&source(&[9, 77, 3, 200]), &query(text), 200_000, &Options::default());
    let answer = answer.unwrap();
    assert_eq!(
        answer.infos,
        ["PromQL info: metric might not be a counter, name does not end in \
        _total/_sum/_count/_bucket: \"b\" (1:10)"]
    );
    let warning = "PromQL warning: quantile value should be between 0 and 1, got 1.5 (2:12)";
    assert_eq!(answer.warnings, [warning]);
}
