//! Scraping real sockets into a real store.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use barograph_model::{METRIC_NAME, Matcher, SystemClock, is_stale};
use barograph_store::{Limits, Settings, Store};
use serde_json::{Value, json};

use super::*;
use crate::ingest::IngestSettings;

struct Bench {
    _folder: tempfile::TempDir,
    store: Arc<Store>,
    ingest: Arc<Ingest>,
    clock: Arc<dyn Clock>,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = Arc::new(Store::open(Settings::new(folder.path()), Arc::clone(&clock)).unwrap());
    let settings = IngestSettings::default();
    let ingest = Arc::new(Ingest::new(Arc::clone(&store), Arc::clone(&clock), settings));
    Bench { _folder: folder, store, ingest, clock }
}

impl Bench {
    fn scrape(&self, jobs: Vec<Value>) -> Scraper {
        let job = |one| serde_json::from_value::<ScrapeConfig>(one).unwrap().into_job().unwrap();
        Scraper::start(jobs.into_iter().map(job).collect(), &self.ingest, &self.clock)
    }

    /// All values of a metric's series, with the series.
    fn values(&self, metric: &str) -> Vec<(String, Vec<f64>)> {
        let matchers = [Matcher::equal(METRIC_NAME, metric)];
        let answer = self.store.select(&matchers, i64::MIN, i64::MAX, &Limits::default()).unwrap();
        answer.data.into_iter().map(|one| (one.labels.to_string(), one.values)).collect()
    }

    async fn wait_for<T>(&self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        const PATIENCE: Duration = Duration::from_secs(60);
        let asking = async {
            loop {
                if let Some(answer) = ask(self) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("no {what}"))
    }
}

/// A server that answers its n-th request as it is told to.
fn server(answer: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (answer, count) = (Arc::clone(&answer), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut socket = socket.unwrap();
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                answer(count.fetch_add(1, Ordering::SeqCst), &mut socket);
            });
        }
    });
    address
}

fn send(socket: &mut TcpStream, content_type: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    socket.write_all((head + body).as_bytes()).unwrap_or_default();
}

fn errors(scraper: &Scraper) -> HashMap<String, String> {
    let answer = serde_json::to_value(scraper.targets(Wanted::Any, None)).unwrap();
    let targets = answer["activeTargets"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    targets.iter().map(|one| (text(&one["scrapePool"]), text(&one["lastError"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn series_that_vanish_and_targets_that_fail_end() {
    let bench = bench();
    let address = server(|count, socket| match count {
        0 => send(socket, "text/plain", "a{x=\"1\",job=\"own\"} 1\nb 2\n"),
        1 => send(socket, "text/plain", "a{x=\"1\",job=\"own\"} 3\n"),
        _ => send(socket, "text/plain", "a{x=} 3\n"),
    });
    let scraper = bench.scrape(vec![json!({
        "job": "j", "targets": [address], "interval": "1s", "labels": {"env": "test"},
        "metric_relabel_configs": [
            {"source_labels": ["x"], "regex": "(.+)", "target_label": "y", "replacement": "y$1"},
            {"regex": "x", "action": "labeldrop"},
        ],
    })]);
    let up = bench
        .wait_for("three scrapes", |bench| {
            bench.values("up").pop().filter(|(_, values)| values.len() >= 3)
        })
        .await;
    assert_eq!(up.1[..3], [1.0, 1.0, 0.0]);
    assert_eq!(up.0, format!("up{{env=\"test\",instance=\"{address}\",job=\"j\"}}"));
    let (labels, values) = bench.values("a").pop().unwrap();
    assert_eq!(
        labels,
        format!("a{{env=\"test\",exported_job=\"own\",instance=\"{address}\",job=\"j\",y=\"y1\"}}")
    );
    assert_eq!(values[..2], [1.0, 3.0]);
    assert!(values.len() == 3 && is_stale(values[2]), "{values:?}");
    let (_, values) = bench.values("b").pop().unwrap();
    assert_eq!(values[..1], [2.0]);
    assert!(values.len() == 2 && is_stale(values[1]), "{values:?}");
    let scraped = bench.values("scrape_samples_scraped").pop().unwrap().1;
    assert_eq!(scraped[..3], [2.0, 1.0, 0.0]);
    let added = bench.values("scrape_series_added").pop().unwrap().1;
    assert_eq!(added[..3], [2.0, 0.0, 0.0]);
    let error = errors(&scraper).remove("j").unwrap();
    assert_eq!(error, "line 1, byte 5: expected a label value in quotes, found `} 3`");
    scraper.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn series_with_times_of_their_own_end_where_that_is_wanted() {
    let bench = bench();
    let now_ms = bench.clock.now_ms();
    let exporter = || {
        server(move |count, socket| {
            let stamped = if count == 0 { format!("a 1 {now_ms}\n") } else { String::new() };
            send(socket, "application/octet-stream", &format!("{stamped}b{{x=\"{count}\"}} 1\n"));
        })
    };
    let job = |name: &str, tracks: bool| {
        json!({"job": name, "targets": [exporter()], "interval": "1s",
            "fallback_scrape_protocol": "PrometheusText0.0.4", "track_timestamps_staleness": tracks})
    };
    let scraper = bench.scrape(vec![job("tracks", true), job("lets", false)]);
    let values = |bench: &Bench, metric: &str, job: &str| {
        let wanted = format!("job=\"{job}\"");
        let found = bench.values(metric).into_iter().filter(|(name, _)| name.contains(&wanted));
        found.map(|(_, values)| values).collect::<Vec<_>>()
    };
    bench
        .wait_for("two ends", |bench| {
            let is_over = |values: &Vec<f64>| values.last().copied().is_some_and(is_stale);
            let ended = values(bench, "a", "tracks").first().is_some_and(is_over);
            (ended && values(bench, "b", "lets").iter().any(is_over)).then_some(())
        })
        .await;
    assert_eq!(values(&bench, "a", "lets"), [[1.0]]);
    scraper.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_of_two_jobs_is_told_of_with_both() {
    let bench = bench();
    let address = server(|_, socket| send(socket, "text/plain", "a 1\n"));
    let job = |name: &str, path: &str| json!({"job": name, "targets": [address], "path": path});
    let scraper = bench.scrape(vec![job("x", "/m"), job("other", "/n")]);
    let text = format!("{{targets: ['{address}'], path: /m}}");
    let secret = |_: &str| Err("there is none".to_owned());
    scraper.follow(vec![ScrapeDocument::job("y", &text, &secret).unwrap()]).await;
    let problems = bench
        .wait_for("the problem", |_| {
            let answer = serde_json::to_value(scraper.targets(Wanted::Any, None)).unwrap();
            Some(answer["problems"].clone()).filter(|it| it != &json!([]))
        })
        .await;
    let url = format!("http://{address}/m");
    assert_eq!(problems, json!([format!("`x`, `y`: {url} is scraped by each of these jobs")]));
    scraper.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_come_and_go_and_those_that_stay_go_on() {
    let bench = bench();
    let address = server(|_, socket| send(socket, "text/plain", "a 1\n"));
    let job = |name: &str, interval: &str| {
        let text = format!("{{targets: ['{address}'], interval: {interval}}}");
        ScrapeDocument::job(name, &text, &|_| Err("there is none".to_owned())).unwrap()
    };
    let scraper = bench.scrape(vec![json!({ "job": "fixed", "targets": [address] })]);
    scraper.follow(vec![job("stays", "1s"), job("goes", "1s")]).await;
    let values = |bench: &Bench, job: &str| {
        let wanted = format!("job=\"{job}\"");
        let found = bench.values("up").into_iter().find(|(labels, _)| labels.contains(&wanted));
        found.map_or_else(Vec::new, |(_, values)| values)
    };
    bench.wait_for("scrapes", |it| (values(it, "goes").len() > 1).then_some(())).await;
    scraper.follow(vec![job("stays", "1s"), job("comes", "1s")]).await;
    bench
        .wait_for("the end of a series", |it| {
            values(it, "goes").last().copied().is_some_and(is_stale).then_some(())
        })
        .await;
    bench.wait_for("a scrape", |it| (!values(it, "comes").is_empty()).then_some(())).await;
    assert!(!values(&bench, "stays").into_iter().any(is_stale));
    let names: Vec<String> = scraper.stats().into_iter().map(|it| it.job).collect();
    assert_eq!(names, ["fixed", "stays", "comes"]);
    scraper.follow(Vec::new()).await;
    assert_eq!(scraper.stats().len(), 1);
    scraper.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_that_hang_lie_or_flood_are_bounded_and_named() {
    let bench = bench();
    let silent = server(|_, _| std::thread::sleep(Duration::from_secs(120)));
    let short = server(|_, socket| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na 1\n";
        socket.write_all(head.as_bytes()).unwrap_or_default();
    });
    let long = server(|_, socket| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
        socket.write_all(head.as_bytes()).unwrap_or_default();
        std::thread::sleep(Duration::from_secs(120));
    });
    let flood = server(|_, socket| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        socket.write_all(head.as_bytes()).unwrap_or_default();
        let chunk = format!("10000\r\n{}\r\n", "a 1\n".repeat(0x4000));
        while socket.write_all(chunk.as_bytes()).is_ok() {}
    });
    let html = server(|_, socket| send(socket, "text/html", "<!DOCTYPE html>"));
    let moved = server(|_, socket| {
        let head = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\
                    Content-Length: 0\r\n\r\n";
        socket.write_all(head.as_bytes()).unwrap_or_default();
    });
    let many = server(|_, socket| send(socket, "text/plain", "a{x=\"1\"} 1\na{x=\"2\"} 1\n"));
    let job = |name: &str, address: &str| {
        json!({"job": name, "targets": [address], "interval": "1s", "timeout": "500ms",
            "body_size_limit": "1MB"})
    };
    let mut limited = job("many", &many);
    limited["sample_limit"] = json!(1);
    let scraper = bench.scrape(vec![
        job("silent", &silent),
        job("short", &short),
        job("long", &long),
        job("flood", &flood),
        job("html", &html),
        job("moved", &moved),
        job("closed", "127.0.0.1:1"),
        limited,
    ]);
    let expected = [
        ("silent", "no answer within 500 ms"),
        ("short", "the connection broke"),
        ("long", "the answer is larger than 1048576 bytes"),
        ("flood", "the answer is larger than 1048576 bytes"),
        ("html", "the answer is of type `text/html`, not a page of metrics"),
        (
            "moved",
            "the answer is 302 Found to `http://169.254.169.254/`; redirects are not followed",
        ),
        ("closed", "no connection to 127.0.0.1:1"),
        ("many", "more than 1 samples are left after relabelling (`sample_limit`)"),
    ];
    bench
        .wait_for("errors", |_| {
            let errors = errors(&scraper);
            expected
                .iter()
                .all(|(job, error)| errors.get(*job).is_some_and(|text| text.starts_with(error)))
                .then_some(())
        })
        .await;
    assert!(bench.values("up").iter().all(|(_, values)| values.iter().all(|up| *up == 0.0)));
    scraper.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_of_files_come_and_go() {
    let bench = bench();
    let address = server(|_, socket| send(socket, "text/plain", "a 1\n"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("targets.json");
    let text = json!([{"targets": [address], "labels": {"from": "file"}}]).to_string();
    std::fs::write(&file, &text).unwrap();
    let scraper = bench.scrape(vec![json!({
        "job": "j", "interval": "1s", "target_files": [folder.path().join("*.json")],
    })]);
    bench.wait_for("a sample", |bench| bench.values("a").pop()).await;
    std::fs::write(&file, "[]").unwrap();
    let (labels, _) = bench
        .wait_for("the end", |bench| {
            let up = bench.values("up").pop()?;
            up.1.last().is_some_and(|last| is_stale(*last)).then_some(up)
        })
        .await;
    assert!(labels.contains("from=\"file\""), "{labels}");
    let values = bench.values("a").pop().unwrap().1;
    assert!(is_stale(*values.last().unwrap()), "{values:?}");
    scraper.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_exporter_is_scraped_whole() {
    let program = "/usr/bin/prometheus-node-exporter";
    if std::env::consts::OS == "windows" || !std::path::Path::new(program).exists() {
        eprintln!("not scraped: no node_exporter (cargo xtask test installs it)");
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    #[expect(clippy::disallowed_methods, reason = "tests start other programs")]
    let mut child = std::process::Command::new(program)
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let bench = bench();
    let scraper = bench.scrape(vec![
        json!({"job": "node", "targets": [format!("127.0.0.1:{port}")], "interval": "1s"}),
    ]);
    let scraped = bench
        .wait_for("a whole page", |bench| {
            let (_, values) = bench.values("scrape_samples_scraped").pop()?;
            values.last().copied().filter(|count| *count > 200.0)
        })
        .await;
    let kept = bench.values("scrape_samples_post_metric_relabeling").pop().unwrap().1;
    assert_eq!(kept.last(), Some(&scraped));
    assert!(!bench.values("node_cpu_seconds_total").is_empty());
    let info = bench.ingest.infos().get("node_cpu_seconds_total").unwrap();
    assert_eq!(info.kind, barograph_wire::MetricType::Counter);
    scraper.stop().await;
    child.kill().unwrap();
    child.wait().unwrap();
}
