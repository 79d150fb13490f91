//! The interface of Prometheus, asked by hand, by our own command and by promtool.

use std::process::Stdio;

use barograph_model::SystemClock;
use serde_json::{Value, json};

use crate::program::{Answer, Server, peer_program, python, run, text};
use crate::protobuf::Message;

/// A server that holds a counter of three per second and a gauge, two minutes of each.
fn with_samples(folder: &tempfile::TempDir) -> (Server, i64) {
    let server = Server::start(&folder.path().join("data"));
    let now_ms = barograph_model::Clock::now_ms(&SystemClock::new()) / 1000 * 1000;
    let series = |labels: &[(&str, &str)], value: &dyn Fn(i64) -> f64| {
        let labels = labels.iter().fold(Message::default(), |series, (name, value)| {
            series.message(1, &Message::default().text(1, name).text(2, value))
        });
        (0..=120).fold(labels, |series, second| {
            let time_ms = now_ms - 120_000 + second * 1000;
            let sample =
                Message::default().double(1, value(second)).varint(2, time_ms.cast_unsigned());
            series.message(2, &sample)
        })
    };
    let request = Message::default()
        .message(
            1,
            &series(&[("__name__", "jobs_total"), ("queue", "a")], &|second| second as f64 * 3.0),
        )
        .message(1, &series(&[("__name__", "queue_length"), ("queue", "a")], &|_| 1e6))
        .message(1, &series(&[("__name__", "queue_length"), ("queue", "b \"x\"")], &|_| 1e-7));
    let body = snap::raw::Encoder::new().compress_vec(&request.0).unwrap();
    let headers = [("Content-Type", "application/x-protobuf")];
    let answer = server.post("/api/v1/write", &headers, &body);
    assert_eq!(answer.status, 204, "{}", answer.body);
    (server, now_ms)
}

fn form(server: &Server, path: &str, form: &str) -> Answer {
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    server.post(path, &headers, form.as_bytes())
}

fn get(server: &Server, path: &str) -> Answer {
    server.request(path, "localhost")
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

#[test]
fn answers_have_the_bytes_of_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let (server, now_ms) = with_samples(&folder);
    let now = now_ms / 1000;
    let answer = get(&server, &format!("/api/v1/query?query=queue_length&time={now}"));
    let wanted = format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"__name__":"queue_length","queue":"a"}},"value":[{now},"1000000"]}},{{"metric":{{"__name__":"queue_length","queue":"b \"x\""}},"value":[{now},"1e-07"]}}]}}}}"#
    );
    assert_eq!((answer.status, answer.body), (200, wanted));

    let start = now - 60;
    let asked = format!("query=rate(jobs_total[30s])&start={start}&end={now}&step=30");
    let answer = form(&server, "/api/v1/query_range", &asked);
    let [a, b, c] = [start, start + 30, now];
    let wanted = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{"queue":"a"}},"values":[[{a},"3"],[{b},"3"],[{c},"3"]]}}]}}}}"#
    );
    assert_eq!((answer.status, answer.body), (200, wanted));

    let answer =
        parsed(&get(&server, &format!("/api/v1/query?query=queue_length&time={now}&limit=1")));
    assert_eq!(answer["data"]["result"].as_array().unwrap().len(), 1);
    assert_eq!(answer["warnings"], json!(["results truncated due to limit"]));

    let series = parsed(&form(
        &server,
        "/api/v1/series",
        "match[]=jobs_total&match[]=queue_length{queue=\"a\"}",
    ));
    let wanted = json!([
        {"__name__": "jobs_total", "queue": "a"},
        {"__name__": "queue_length", "queue": "a"},
    ]);
    assert_eq!(series["data"], wanted);
    let values = parsed(&get(&server, "/api/v1/label/queue/values?match[]=queue_length"));
    assert_eq!(values["data"], json!(["a", "b \"x\""]));
    let labels = parsed(&get(&server, "/api/v1/labels?match[]=jobs_total"));
    assert_eq!(labels["data"], json!(["__name__", "queue"]));
}

/// Questions, with the status, the kind and the words of their refusal.
static REFUSALS: &[(&str, u16, &str, &str)] = &[
    (
        "query?query=foo%20bar",
        400,
        "bad_data",
        "invalid parameter \"query\": 1:5: parse error: unexpected identifier \"bar\"",
    ),
    (
        "query?query=1&time=noon",
        400,
        "bad_data",
        "invalid parameter \"time\": Invalid time value for 'time': cannot parse \"noon\" to a \
         valid timestamp",
    ),
    (
        "query_range?query=1&start=2&end=1&step=1",
        400,
        "bad_data",
        "invalid parameter \"end\": end timestamp must not be before start time",
    ),
    (
        "query_range?query=1&start=1&end=2&step=0",
        400,
        "bad_data",
        "invalid parameter \"step\": zero or negative query resolution step widths are not \
         accepted. Try a positive integer",
    ),
    (
        "query_range?query=up[5m]&start=1&end=2&step=1",
        400,
        "bad_data",
        "invalid parameter \"query\": invalid expression type \"range vector\" for range \
         query, must be Scalar or instant Vector",
    ),
    ("series", 400, "bad_data", "no match[] parameter provided"),
    (
        "series?match[]={}",
        400,
        "bad_data",
        "invalid parameter \"match[]\": match[] must contain at least one non-empty matcher",
    ),
    ("labels?match[]={}", 400, "bad_data", "match[] must contain at least one non-empty matcher"),
    (
        "labels?start=x",
        400,
        "bad_data",
        "invalid parameter \"start\": Invalid time value for 'start': cannot parse \"x\" to a \
         valid timestamp",
    ),
    (
        "query?query=1&limit=x",
        400,
        "bad_data",
        "invalid parameter \"limit\": strconv.Atoi: parsing \"x\": invalid syntax",
    ),
    (
        "query_range?query=1&start=0&end=1&step=1e300",
        400,
        "bad_data",
        "invalid parameter \"step\": cannot parse \"1e300\" to a valid duration. It overflows \
         int64",
    ),
    (
        "query?query=1&lookback_delta=x",
        400,
        "bad_data",
        "error parsing lookback delta duration: cannot parse \"x\" to a valid duration",
    ),
    ("query?query=1&timeout=0s", 503, "timeout", "query timed out in query execution"),
    ("query?query=1&timeout=-1", 503, "timeout", "query timed out in query execution"),
    ("metadata?limit=x", 400, "bad_data", "limit must be a number"),
    ("metadata?limit_per_metric=x", 400, "bad_data", "limit_per_metric must be a number"),
    ("targets/metadata?limit=x", 400, "bad_data", "limit must be a number"),
    ("status/tsdb?limit=0", 400, "bad_data", "limit must be a positive number"),
    ("query_exemplars?query=foo(", 400, "bad_data", "1:5: parse error: unclosed left parenthesis"),
    (
        "query_exemplars?query=foo&start=2&end=1",
        400,
        "bad_data",
        "end timestamp must not be before start timestamp",
    ),
    ("nothing", 404, "not_found", "no interface is called /api/v1/nothing"),
    (
        "query?query=vector(1)%20%2B%20on(a)%20(label_replace(vector(1),%22x%22,%22y%22,%22%22,%22%22)%20or%20vector(2))",
        422,
        "execution",
        "found duplicate series for the match group {} on the right hand-side of the \
         operation: [{x=\"y\"}, {}];many-to-many matching not allowed: matching labels must \
         be unique on one side",
    ),
];

#[test]
fn refusals_have_the_words_and_codes_of_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    for (path, status, kind, message) in REFUSALS.iter().copied() {
        let answer = get(&server, &format!("/api/v1/{path}"));
        let body = parsed(&answer);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert_eq!(
            (&body["status"], &body["errorType"]),
            (&json!("error"), &json!(kind)),
            "{path}"
        );
        if kind == "execution" {
            assert!(
                body["error"].as_str().unwrap().starts_with("found duplicate series"),
                "{body}"
            );
        } else {
            assert_eq!(body["error"], message, "{path}");
        }
    }
    let many = "(".repeat(20_000);
    let answer = form(&server, "/api/v1/query", &format!("query={many}"));
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("nested more than 200 levels deep"), "{}", answer.body);
}

#[test]
fn all_of_time_may_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = with_samples(&folder);
    let first = "-292273086-05-16T16:47:06Z";
    let last = "292277025-08-18T07:12:54.999999999Z";
    for (start, end) in [(first, last), ("-9223309901257974", "9223309901257974")] {
        let asked = format!("match[]=jobs_total&start={start}&end={end}");
        let series = parsed(&get(&server, &format!("/api/v1/series?{asked}")));
        assert_eq!(series["data"], json!([{"__name__": "jobs_total", "queue": "a"}]), "{asked}");
        let values = parsed(&get(&server, &format!("/api/v1/label/queue/values?{asked}")));
        assert_eq!(values["data"], json!(["a"]));
        let answer = parsed(&get(&server, &format!("/api/v1/query?query=jobs_total&time={end}")));
        assert_eq!(answer["data"]["result"], json!([]), "{answer}");
        let asked = format!("query=jobs_total&start={start}&end={end}&step=3600");
        assert_eq!(get(&server, &format!("/api/v1/query_range?{asked}")).status, 400);
    }
}

/// What Grafana's data source asks when it is set up and when a dashboard opens.
#[test]
fn grafana_finds_what_it_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let (server, now_ms) = with_samples(&folder);
    let (from, to) = (now_ms / 1000 - 60, now_ms / 1000);
    assert!(parsed(&get(&server, "/api/v1/status/buildinfo"))["data"]["version"].is_string());
    let answer = form(&server, "/api/v1/query", "query=1%2B1&time=1");
    assert_eq!(parsed(&answer)["data"]["result"], json!([1, "2"]));
    for path in [
        format!("labels?start={from}&end={to}"),
        format!("label/__name__/values?start={from}&end={to}"),
        format!("series?match%5B%5D=queue_length&start={from}&end={to}"),
    ] {
        let data = parsed(&get(&server, &format!("/api/v1/{path}")))["data"].clone();
        assert!(!data.as_array().unwrap().is_empty(), "{path}: {data}");
    }
    let asked = format!("query=queue_length&start={from}.5&end={to}.25&step=15");
    let answer = parsed(&form(&server, "/api/v1/query_range", &asked));
    assert_eq!(answer["data"]["result"].as_array().unwrap().len(), 2);
    let rules = parsed(&get(&server, "/api/v1/rules"))["data"].clone();
    assert_eq!(rules["groups"][0]["name"], "barograph");
    assert_eq!(rules["groups"][0]["rules"][0]["type"], "alerting");
    assert!(parsed(&get(&server, "/api/v1/metadata?limit=3"))["data"].is_object());
    assert_eq!(get(&server, "/-/healthy").status, 200);
    let tsdb = parsed(&get(&server, "/api/v1/status/tsdb?limit=1"))["data"].clone();
    assert_eq!(tsdb["seriesCountByMetricName"].as_array().unwrap().len(), 1);
    assert!(tsdb["headStats"]["numSeries"].as_u64().unwrap() >= 3, "{tsdb}");
    for list in ["bytesByMetricName", "bytesByLabelValuePair"] {
        assert!(tsdb[list][0]["value"].as_u64().unwrap() > 0, "{tsdb}");
    }
}

#[test]
fn promtool_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (server, now_ms) = with_samples(&folder);
    let url = format!("http://{}", server.address);
    let (from, to) = ((now_ms / 1000 - 60).to_string(), (now_ms / 1000).to_string());
    let asked: [(&[&str], &str); 4] = [
        (&["instant", "--time", &to, &url, "rate(jobs_total[1m])"], "{queue=\"a\"} => 3 @["),
        (
            &[
                "range",
                "--start",
                &from,
                "--end",
                &to,
                "--step",
                "30s",
                &url,
                "sum(rate(jobs_total[30s]))",
            ],
            "3 @[",
        ),
        (&["series", "--match", "jobs_total", &url], "{__name__=\"jobs_total\", queue=\"a\"}"),
        (&["labels", &url, "queue"], "b \"x\""),
    ];
    for (args, wanted) in asked {
        let Some(mut promtool) = peer_program("promtool") else { return };
        let output = promtool.arg("query").args(args).stdin(Stdio::null()).output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() && told.contains(wanted), "{args:?}: {told}");
    }
}

#[test]
fn the_query_command_shows_tables_charts_and_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let (server, now_ms) = with_samples(&folder);
    let url = format!("http://{}", server.address);
    let at = now_ms.to_string();
    let ask = |args: &[&str]| run(&[&["query", "--url", &url, "--at", &at], args].concat());

    let shown = text(&ask(&["queue_length"]).stdout);
    assert_eq!(shown, "queue_length\n\nQUEUE  VALUE\na      1M\nb \"x\"  1e-07\n",);
    let shown = text(&ask(&["rate(jobs_total[30s])", "--range", "1m", "--step", "10s"]).stdout);
    assert!(shown.contains('┤') && shown.contains("{queue=\"a\"}"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "colours only on a terminal");
    let shown = text(&ask(&["jobs_total", "--range", "2s", "--step", "1s", "--csv"]).stdout);
    let lines: Vec<&str> = shown.trim().lines().collect();
    assert_eq!(lines[0], "timestamp,\"jobs_total{queue=\"\"a\"\"}\"");
    assert!(lines.len() == 4 && lines[3].ends_with(",360"), "{shown}");
    let shown: Value = serde_json::from_slice(&ask(&["1 + 1", "--json"]).stdout).unwrap();
    assert_eq!(shown["data"]["resultType"], "scalar");

    let output = ask(&["sum(foo bar)"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "barograph: parse error: unexpected identifier \"bar\" in aggregation\n\n  sum(foo bar)\n          ^\n"
    );
    let output = ask(&[r"\Memory\Availible MBytes"]);
    assert!(text(&output.stderr).contains("near to it: `Available MBytes`"), "{output:?}");
}

/// What `prometheus-api-client` makes of the interface.
const API_CLIENT: &str = "
import sys
from datetime import datetime, timedelta, timezone
from prometheus_api_client import PrometheusConnect
server = PrometheusConnect(url=sys.argv[1])
assert server.check_prometheus_connection()
assert 'cpu_usage' in server.all_metrics()
assert 'host' in server.get_label_names()
assert server.get_label_values('__name__', params={'match[]': 'cpu_usage'}) == ['cpu_usage']
current = server.get_current_metric_value('cpu_usage')
assert len(current) == 1 and 0 <= float(current[0]['value'][1]) <= 100, current
end = datetime.now(timezone.utc)
start = end - timedelta(minutes=5)
samples = server.get_metric_range_data('cpu_usage', start_time=start, end_time=end)
assert samples[0]['metric']['__name__'] == 'cpu_usage', samples
ranges = server.custom_query_range('sum(cpu_usage)', start_time=start, end_time=end, step='5')
assert len(ranges[0]['values']) >= 1, ranges
assert server.get_metric_metadata('cpu_usage')[0]['type'] == 'gauge'
assert isinstance(server.get_targets()['activeTargets'], list)
try:
    server.custom_query('sum(')
except Exception as error:
    assert '1:5: parse error: unclosed left parenthesis' in str(error), error
else:
    raise AssertionError('a mistake was answered')
";

#[test]
fn pythons_client_of_the_interface_is_answered() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for("stored samples", |server| {
        let found = server.json("/api/v1/query?query=cpu_usage");
        (found["data"]["result"] != serde_json::json!([])).then_some(())
    });
    let url = format!("http://{}", server.address);
    let output = python.args(["-c", API_CLIENT, &url]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn regular_expressions_that_explode_elsewhere_are_answered_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = with_samples(&folder);
    for expression in
        ["(a*)*(a*)*b", "(.*)(.*)(.*)(.*)(.*)(.*)x", "(j%2B)%2B(o%2B)%2Bb", "((((a?)*)*)*)*c"]
    {
        let answer =
            form(&server, "/api/v1/query", &format!("query={{__name__=~\"{expression}\"}}"));
        assert_eq!(answer.status, 200, "{expression}: {}", answer.body);
    }
    let large = "query={__name__=~\"((a{100}){100}){100}\"}";
    let answer = form(&server, "/api/v1/query", large);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("1:2: parse error"), "{}", answer.body);
    assert!(answer.body.contains("size limit of 4194304 bytes"), "{}", answer.body);
}
