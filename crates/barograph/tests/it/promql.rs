//! The same questions to Barograph and to a real Prometheus that hold the same samples.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use barograph_model::METRIC_NAME;
use serde_json::Value;

use crate::program::{PATIENCE, Server, free_port, peer_program, request, run, text};
use crate::remote_write::Peer;

/// Seconds since 1970.
pub(crate) const START: i64 = 1_700_000_000;
/// So many samples of each series, one every ten seconds: twenty minutes.
const SAMPLES: i64 = 120;

/// What dashboards ask. No range ends on a sample, because a range of Prometheus 2 holds the sample
/// on its left edge, and one of Prometheus 3 does not.
pub(crate) const EXPRESSIONS: &[&str] = &[
    "requests_total",
    "requests_total{code=~\"5..\"} offset 95s",
    "rate(requests_total[65s])",
    "sum by (code) (rate(requests_total[125s]))",
    "sum(rate(requests_total{code=\"500\"}[125s])) / sum(rate(requests_total[125s]))",
    "increase(requests_total[305s])",
    "irate(requests_total[65s])",
    "resets(requests_total[605s])",
    "changes(temperature[305s])",
    "delta(temperature[305s])",
    "deriv(temperature[305s])",
    "predict_linear(temperature[305s], 3600)",
    "avg_over_time(temperature[305s])",
    "sum_over_time(temperature[65s])",
    "min_over_time(temperature[305s])",
    "max_over_time(temperature[305s])",
    "stddev_over_time(temperature[305s])",
    "quantile_over_time(0.9, temperature[305s])",
    "avg without (instance) (temperature)",
    "stddev(temperature)",
    "quantile(0.3, temperature)",
    "topk(2, temperature)",
    "count_values(\"rounded\", round(temperature, 10))",
    "temperature > 20 and on (instance) requests_total{code=\"200\"} > 100",
    "requests_total / on (instance) group_left sum by (instance) (requests_total)",
    "histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[125s])))",
    "max_over_time(rate(requests_total[61s])[304s:15s])",
    "absent(temperature{instance=\"z\"})",
    "clamp_max(temperature, 20) * 2 ^ 0.5",
    "label_replace(temperature, \"place\", \"room $1\", \"instance\", \"(.*)\")",
    "count by (__name__) ({__name__!=\"\"})",
    "scalar(sum(temperature)) + time()",
    "hour(vector(time())) + day_of_year()",
];

/// A series and its samples: seconds since 1970 with values.
pub(crate) type Recorded = (Vec<(&'static str, String)>, Vec<(i64, f64)>);

/// Three instances with counters that start anew, a gauge, and a histogram.
pub(crate) fn recorded(start: i64) -> Vec<Recorded> {
    let mut state = 7_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from(state >> 57).unwrap()
    };
    let named = |name: &str, more: &[(&'static str, &str)]| {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        std::iter::once((METRIC_NAME, name.to_owned())).chain(more).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for instance in ["a", "b", "c"] {
        for code in ["200", "404", "500"] {
            let mut count = 0;
            let samples = (0..SAMPLES).map(|step| {
                count = if noise() == 0 { 0 } else { count + noise() };
                (start + step * 10, count as f64)
            });
            let labels = [("instance", instance), ("code", code)];
            all.push((named("requests_total", &labels), samples.collect()));
        }
        let mut readings = Vec::new();
        for step in 0..SAMPLES {
            // Now and then a reading is missing.
            if noise() <= 120 {
                readings.push((start + step * 10, (noise() - 40) as f64 + 0.25));
            }
        }
        all.push((named("temperature", &[("instance", instance)]), readings));
        let mut counts = [0; 4];
        let mut buckets = [const { Vec::new() }; 4];
        for step in 0..SAMPLES {
            let mut sum = 0;
            for (count, samples) in counts.iter_mut().zip(&mut buckets) {
                *count += noise();
                sum += *count;
                samples.push((start + step * 10, sum as f64));
            }
        }
        for (samples, bound) in buckets.into_iter().zip(["0.1", "0.5", "2", "+Inf"]) {
            let labels = [("instance", instance), ("le", bound)];
            all.push((named("latency_seconds_bucket", &labels), samples));
        }
    }
    all
}

/// The same in the text form of OpenMetrics.
pub(crate) fn open_metrics(recorded: &[Recorded]) -> String {
    let mut out = String::new();
    for (labels, samples) in recorded {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let (name, labels) = labels.split_first().unwrap();
        let name = name.trim_start_matches("__name__=").trim_matches('"');
        for (time, value) in samples {
            writeln!(out, "{name}{{{}}} {value} {time}", labels.join(",")).unwrap();
        }
    }
    out + "# EOF\n"
}

/// Barograph and a real Prometheus with the recording, and the folder of both.
pub(crate) struct Pair {
    pub(crate) server: Server,
    pub(crate) prometheus: SocketAddr,
    _peer: Peer,
    _folder: tempfile::TempDir,
}

impl Pair {
    /// Nothing where Prometheus is not there.
    pub(crate) fn start() -> Option<Self> {
        let mut promtool = peer_program("promtool")?;
        let folder = tempfile::tempdir().unwrap();
        let (file, blocks) = (folder.path().join("recording.txt"), folder.path().join("blocks"));
        std::fs::write(&file, open_metrics(&recorded(START))).unwrap();
        let made = promtool
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&file, &blocks])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", text(&made.stderr));
        let data = folder.path().join("data");
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let taken = run(&["store", "import", &path(&file), "--data", &path(&data)]);
        assert!(taken.status.success(), "{}", text(&taken.stderr));
        let server = Server::start(&data);

        let (peer, prometheus) = start_prometheus(
            &server,
            folder.path(),
            "",
            &blocks,
            "--storage.tsdb.retention.time=100y",
        )?;
        Some(Self { server, prometheus, _peer: peer, _folder: folder })
    }
}

/// A Prometheus that scrapes nobody, when it is ready; nothing where it is not there.
pub(crate) fn start_prometheus(
    server: &Server,
    folder: &Path,
    more_settings: &str,
    data: &Path,
    argument: &str,
) -> Option<(Peer, SocketAddr)> {
    let mut program = peer_program("prometheus")?;
    let (port, settings) = (free_port(), folder.join("prometheus.yml"));
    std::fs::write(&settings, format!("scrape_configs: []\n{more_settings}")).unwrap();
    let peer = program
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!("--storage.tsdb.path={}", data.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg(argument)
        .stderr(Stdio::null())
        .spawn();
    let peer = Peer(peer.unwrap());
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    server.wait_for("Prometheus", |_| {
        std::net::TcpStream::connect_timeout(&address, PATIENCE).ok()?;
        (request(address, "/-/ready", "localhost").status == 200).then_some(())
    });
    Some((peer, address))
}

#[test]
fn a_real_prometheus_gives_the_same_answers() {
    let Some(pair) = Pair::start() else { return };
    let (from, to) = (START + 600, START + 1190);
    for query in EXPRESSIONS.iter().copied().map(escaped) {
        for path in [
            format!("/api/v1/query?query={query}&time={}", START + 1003),
            format!("/api/v1/query_range?query={query}&start={from}&end={to}&step=10"),
            format!("/api/v1/query_range?query={query}&start={}&end={to}&step=20", from + 3),
        ] {
            assert_same_answers(pair.server.address, pair.prometheus, &path);
        }
    }
}

/// Asks both, who have an answer.
#[track_caller]
pub(crate) fn assert_same_answers(own: SocketAddr, prometheus: SocketAddr, path: &str) {
    let status = assert_same_outcome(own, prometheus, path);
    assert_eq!(status, 200, "{path}");
}

/// Asks both, who may both refuse; what they answered by.
#[track_caller]
pub(crate) fn assert_same_outcome(own: SocketAddr, prometheus: SocketAddr, path: &str) -> u16 {
    let [own, other] = [own, prometheus].map(|address| {
        let answer = request(address, path, "localhost");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        (answer.status, body["errorType"].clone(), body["error"].clone(), body["data"].clone())
    });
    assert_eq!((own.0, &own.1), (other.0, &other.1), "{path}: {} is not {}", own.2, other.2);
    let is_ordered = path.contains("query=sort");
    let [data, others] = [own.3, other.3].map(|data| if is_ordered { data } else { sorted(data) });
    assert_same(path, &data, &others);
    own.0
}

/// Series by their labels.
fn sorted(mut data: Value) -> Value {
    if let Some(series) = data["result"].as_array_mut() {
        series.sort_by_key(|series| series["metric"].to_string());
    }
    data
}

/// Numbers may differ in their last digits.
#[track_caller]
fn assert_same(question: &str, own: &Value, other: &Value) {
    match (own, other) {
        (Value::Array(own), Value::Array(other)) => {
            assert_eq!(own.len(), other.len(), "{question}: {own:?} is not {other:?}");
            for (own, other) in own.iter().zip(other) {
                assert_same(question, own, other);
            }
        }
        (Value::Object(own), Value::Object(other)) => {
            let names = |object: &serde_json::Map<String, Value>| {
                object.keys().cloned().collect::<Vec<_>>()
            };
            assert_eq!(names(own), names(other), "{question}");
            for (own, other) in own.values().zip(other.values()) {
                assert_same(question, own, other);
            }
        }
        (Value::String(own), Value::String(other)) => match (own.parse(), other.parse()) {
            (Ok(own), Ok(other)) => assert_near(question, own, other),
            _ => assert_eq!(own, other, "{question}"),
        },
        (own, other) if own.is_number() => {
            assert_near(question, own.as_f64().unwrap(), other.as_f64().unwrap());
        }
        (own, other) => assert_eq!(own, other, "{question}"),
    }
}

#[track_caller]
fn assert_near(question: &str, own: f64, other: f64) {
    let near = (own - other).abs() <= 1e-9 * (1.0 + own.abs().max(other.abs()));
    assert!(near || own.to_string() == other.to_string(), "{question}: {own} is not {other}");
}

pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
        out
    })
}
