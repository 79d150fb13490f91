//! StatsD and DogStatsD: by hand, and from the client libraries of others.

use std::net::UdpSocket;
use std::path::Path;

use crate::program::{ON_WINDOWS, Server, free_port, python, run, stored, text};

fn start(data: &Path, settings: &str) -> Server {
    let config = data.parent().unwrap().join("barograph.toml");
    std::fs::write(&config, format!("[statsd]\nflush_interval = '1s'\n{settings}")).unwrap();
    Server::start(data)
}

/// Waits until the server has written so many samples of StatsD.
fn wait_for_samples(server: &Server, count: u64) -> serde_json::Value {
    server.wait_for("samples of StatsD", |server| {
        let answer = server.json("/api/ingest");
        let mut sources = answer["sources"].as_array().unwrap().iter();
        sources
            .find(|one| one["door"] == "statsd" && one["samples"].as_u64() >= Some(count))
            .cloned()
    })
}

/// The newest value of the only series of a metric that has a label.
fn newest(data: &Path, metric: &str, label: (&str, &str)) -> f64 {
    let series = stored(data, metric);
    let mut with = series.iter().filter(|one| one.labels.get(label.0) == Some(label.1));
    let found = with.next().unwrap_or_else(|| panic!("no {metric} with {label:?}: {series:?}"));
    assert!(with.next().is_none(), "{series:?}");
    *found.values.last().unwrap()
}

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn datagrams_become_series_and_bad_lines_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let port = free_port();
    let server = start(&data, &format!("listen = '127.0.0.1:{port}'\n"));
    // Its own series tell the name of the host.
    server.wait_for_values();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let lines = "queue.length:7|g\nqueue.length:+3|g\nhits:1|c|@0.1|#path:/a\nbad:1|c|@0\ngarbage";
    socket.send_to(lines.as_bytes(), ("127.0.0.1", port)).unwrap();
    let source = wait_for_samples(&server, 1);
    assert_eq!(source["refused"]["malformed"], 2, "{source}");
    let complaint = source["complaint"].as_str().unwrap();
    assert!(complaint.contains("at most 1, in `bad:1|c|@0`"), "{complaint}");
    // What came since the last time is written at the end.
    socket.send_to(b"late:5|c", ("127.0.0.1", port)).unwrap();
    server.stop();
    assert_near(newest(&data, "queue_length", ("host", &host(&data))), 10.0);
    assert_near(newest(&data, "hits", ("path", "/a")), 10.0);
    if !ON_WINDOWS {
        assert_near(newest(&data, "late", ("host", &host(&data))), 5.0);
    }
}

/// The name of this machine, as its own series have it.
fn host(data: &Path) -> String {
    stored(data, "cpu_count")[0].labels.get("host").unwrap().to_owned()
}

#[test]
fn pythons_statsd_client_is_understood() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let port = free_port();
    let settings = format!("listen = '127.0.0.1:{port}'\nquantiles = [0.5]\n");
    let server = start(&data, &settings);
    let script = "
import sys, statsd
client = statsd.StatsClient('127.0.0.1', int(sys.argv[1]), prefix='app')
for ms in (100, 200, 300):
    client.timing('request', ms)
with client.pipeline() as pipe:
    pipe.incr('jobs', 3)
    pipe.decr('jobs')
    pipe.gauge('depth', 20)
    pipe.gauge('depth', -5, delta=True)
    pipe.set('users', 'a')
    pipe.set('users', 'b')
";
    let output = python.args(["-c", script, &port.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    wait_for_samples(&server, 1);
    server.stop();
    let host = host(&data);
    assert_near(newest(&data, "app_jobs", ("host", &host)), 2.0);
    assert_near(newest(&data, "app_depth", ("host", &host)), 15.0);
    assert_near(newest(&data, "app_request_count", ("host", &host)), 3.0);
    assert_near(newest(&data, "app_request_sum", ("host", &host)), 0.6);
    assert_near(newest(&data, "app_request", ("quantile", "0.5")), 0.2);
    let users = stored(&data, "app_users");
    assert_near(users[0].values.iter().copied().fold(0.0, f64::max), 2.0);
}

#[test]
fn datadogs_client_is_understood_on_a_unix_socket() {
    if ON_WINDOWS {
        return;
    }
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = folder.path().join("statsd.sock");
    let server = start(&data, "socket = 'statsd.sock'\nbuckets = [0.25, 1]\n");
    let script = "
import sys
from datadog.dogstatsd import DogStatsd
client = DogStatsd(socket_path=sys.argv[1], constant_tags=['env:test'], disable_telemetry=True)
client.increment('page.views', 4, tags=['path:/a'])
client.gauge('depth', 12)
client.histogram('size', 0.2)
client.distribution('size', 0.5)
client.timing('wait', 2000)
client.event('deployed', 'version 2')
client.service_check('db', 0)
client.flush()
";
    let output = python.args(["-c", script, path.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let source = wait_for_samples(&server, 1);
    assert_eq!(source["complaint"], serde_json::Value::Null, "{source}");
    server.stop();
    assert_near(newest(&data, "page_views", ("env", "test")), 4.0);
    assert_near(newest(&data, "depth", ("env", "test")), 12.0);
    for (le, count) in [("0.25", 1.0), ("1", 2.0), ("+Inf", 2.0)] {
        assert_near(newest(&data, "size_bucket", ("le", le)), count);
    }
    assert_near(newest(&data, "wait_sum", ("env", "test")), 2.0);
    let host = host(&data);
    assert_near(newest(&data, "barograph_statsd_events_total", ("host", &host)), 1.0);
    assert_near(newest(&data, "barograph_statsd_service_checks_total", ("host", &host)), 1.0);
}

#[test]
fn addresses_that_others_reach_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("b.toml");
    std::fs::write(&config, "[statsd]\nlisten = '0.0.0.0:8125'\n").unwrap();
    let data = folder.path().join("data");
    let output = run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        config.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(4));
    let log = text(&output.stderr);
    assert!(log.contains("cannot listen on 0.0.0.0:8125: only loopback addresses"), "{log}");
}
