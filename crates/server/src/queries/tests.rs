//! Counter paths on history, and questions within bounds.

use std::sync::Arc;

use barograph_collect::catalog::{self, History};
use barograph_model::{Labels, METRIC_NAME, SystemClock};
use barograph_promql::{MemorySource, Query, Settings, Value};

use super::{Queries, When, Wishes};

const AT_MS: i64 = 1_000_000;

fn queries() -> Arc<Queries> {
    Arc::new(Queries::new(Settings::default(), Arc::new(SystemClock::new())))
}

/// Name, labels, and how much it grows per second.
type Growing<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

/// Two minutes of samples each second.
fn history(series: &[Growing<'_>]) -> Arc<MemorySource> {
    let mut source = MemorySource::new();
    for (name, labels, per_second) in series {
        let labels = labels.iter().copied().chain([(METRIC_NAME, *name), ("host", "a")]);
        let labels = Labels::new(labels).unwrap();
        for second in 0..=120 {
            let value = 7.0 + f64::from(second) * per_second;
            source.push(&labels, AT_MS - 120_000 + i64::from(second) * 1000, value);
        }
    }
    Arc::new(source)
}

/// The values of a path, by one label.
async fn cooked(source: &Arc<MemorySource>, path: &str, label: &str) -> Vec<(String, f64)> {
    let queries = queries();
    let query = queries.parse(path, 0).unwrap();
    let when = When::Instant { at_ms: AT_MS };
    let answer = queries.ask(source, &query, when, Wishes::default()).await.unwrap();
    let Value::Vector(samples) = answer.value else { panic!("{:?}", answer.value) };
    let named = |labels: &Labels| labels.get(label).unwrap_or_default().to_owned();
    // Sixty seconds are divided by sixty: nine digits are exact enough.
    let rounded = |value: f64| (value * 1e9).round() / 1e9;
    samples.iter().map(|sample| (named(&sample.labels), rounded(sample.value))).collect()
}

#[tokio::test]
async fn a_path_gives_on_history_what_its_counter_means() {
    let source = history(&[
        ("disk_reads_total", &[("disk", "sda")], 4.0),
        ("disk_reads_total", &[("disk", "sdb")], 0.0),
        ("disk_read_seconds_total", &[("disk", "sda")], 0.02),
        ("disk_read_seconds_total", &[("disk", "sdb")], 0.0),
        ("cpu_seconds_total", &[("cpu", "0"), ("mode", "user")], 0.25),
        ("cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")], 0.75),
        ("cpu_seconds_total", &[("cpu", "1"), ("mode", "user")], 0.75),
        ("cpu_seconds_total", &[("cpu", "1"), ("mode", "idle")], 0.25),
    ]);
    for (path, label, wanted) in [
        (r"\PhysicalDisk(*)\Disk Reads/sec", "disk", &[("sda", 4.0), ("sdb", 0.0)][..]),
        (r"\PhysicalDisk(_Total)\Disk Reads/sec", "disk", &[("", 4.0)]),
        (r"\PhysicalDisk(SDA)\Disk Reads/sec", "disk", &[("sda", 4.0)]),
        // A disk without reads has no average.
        (r"\PhysicalDisk(*)\Avg. Disk sec/Read", "disk", &[("sda", 0.005)]),
        (r"\Processor(*)\% Processor Time", "cpu", &[("0", 25.0), ("1", 75.0)]),
        (r"\Processor(_Total)\% Processor Time", "cpu", &[("", 50.0)]),
        (r"\\a\Processor(1)\% Processor Time", "cpu", &[("1", 75.0)]),
        (r"\\other\Processor(1)\% Processor Time", "cpu", &[]),
    ] {
        let wanted: Vec<_> =
            wanted.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        assert_eq!(cooked(&source, path, label).await, wanted, "{path}");
    }
}

#[test]
fn every_counter_with_a_history_is_a_query() {
    let history = History { instance: None, host: Some("a"), window: "1m" };
    let mut count = 0;
    for row in catalog::rows() {
        if let Some(promql) = row.promql(&history) {
            Query::parse(&promql)
                .unwrap_or_else(|error| panic!("{}: {promql}: {error}", row.path()));
            queries().parse(&row.path(), 0).unwrap();
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn a_path_that_means_nothing_says_what_is_near() {
    let refused = |path: &str| match queries().parse(path, 0) {
        Err(error) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let near = refused(r"\PhysicalDisk(*)\Disk Redas/sec");
    assert!(near.contains("near to it: `Disk Reads/sec`"), "{near}");
    assert!(refused(r"\Memory").contains("counter path"), "{}", refused(r"\Memory"));
    let live = refused(r"\Process(*)\% Processor Time");
    assert!(live.contains("no history"), "{live}");
}

#[test]
fn a_long_step_widens_the_window() {
    let query = queries().parse(r"\PhysicalDisk(*)\Disk Reads/sec", 300_000).unwrap();
    assert_eq!(query.expr().to_string(), "rate(disk_reads_total[5m])");
}

#[tokio::test]
async fn what_is_too_large_to_answer_at_once_is_answered_on_a_thread() {
    let many: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let labels: Vec<[(&str, &str); 1]> = many.iter().map(|n| [("n", n.as_str())]).collect();
    let series: Vec<_> = labels.iter().map(|labels| ("m", &labels[..], 1.0)).collect();
    let source = history(&series);
    assert_eq!(cooked(&source, "count(m)", "n").await, [(String::new(), 200.0)]);
}

#[test]
fn the_cache_is_bounded() {
    let queries = queries();
    for n in 0..3 * Queries::MAX_CACHED {
        queries.parse(&format!("a + {n}"), 0).unwrap();
    }
    assert!(queries.cache.read().unwrap().len() <= Queries::MAX_CACHED);
    let twice = (queries.parse("b", 0).unwrap(), queries.parse("b", 0).unwrap());
    assert!(Arc::ptr_eq(&twice.0, &twice.1));
}
