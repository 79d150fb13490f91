//! Pages for others to scrape, beside the exporters whose names they use and by others' parsers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use barograph_wire::MetricType;
use barograph_wire::text::{Entry, Format, Limits, Metadata, TextParser};

use crate::program::{Server, free_port, peer_program, python};

type Series = (String, Vec<(String, String)>);

/// Types by metric and values by series.
#[derive(Default)]
struct Page {
    types: BTreeMap<String, MetricType>,
    values: BTreeMap<Series, f64>,
}

fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut parser =
        TextParser::new(text.as_bytes(), Format::Prometheus, Limits::default()).unwrap();
    while let Some(entry) = parser.next_entry().unwrap() {
        match entry {
            Entry::About(Metadata::Type { metric, metric_type }) => {
                page.types.insert(metric.into_owned(), metric_type);
            }
            Entry::About(_) => {}
            Entry::Sample(sample) => {
                let mut labels: Vec<_> = sample
                    .labels
                    .iter()
                    .map(|one| (one.name.clone().into_owned(), one.value.clone().into_owned()))
                    .collect();
                labels.sort();
                page.values.insert((sample.name.to_owned(), labels), sample.value);
            }
        }
    }
    page
}

/// What a program says of a text that it is given.
fn judged(mut command: Command, text: &str) -> (Option<i32>, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn node_exporters_names_types_labels_and_values_are_its_own() {
    let Some(mut exporter) = peer_program("prometheus-node-exporter") else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let port = free_port();
    let mut child = exporter
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let theirs = server.wait_for("node_exporter", |_| {
        let url = format!("http://127.0.0.1:{port}/metrics");
        ureq::get(&url).call().ok()?.body_mut().read_to_string().ok()
    });
    server.wait_for_values();
    let ours = server.get("/metrics/host?names=node_exporter");
    child.kill().unwrap();
    child.wait().unwrap();
    let (ours, theirs) = (read(&ours), read(&theirs));
    assert!(ours.types.len() > 90, "{}", ours.types.len());
    let mut different = Vec::new();
    for (name, metric_type) in &ours.types {
        if theirs.types.get(name).is_some_and(|other| other != metric_type) {
            different.push(format!("{name} is {metric_type:?}"));
        }
    }
    for ((name, labels), value) in &ours.values {
        if !theirs.types.contains_key(name) || name == "node_uname_info" {
            continue;
        }
        match theirs.values.get(&(name.clone(), labels.clone())) {
            // Debian's builds leave it out, others do not.
            None if labels.contains(&("device".to_owned(), "lo".to_owned())) => {}
            None => different.push(format!("{name} {labels:?} is only ours")),
            Some(other) if !is_near(name, *value, *other) => {
                different.push(format!("{name} {labels:?}: {value} and {other}"));
            }
            Some(_) => {}
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Taken some seconds apart on a busy machine.
fn is_near(name: &str, ours: f64, theirs: f64) -> bool {
    // What is still to be written changes by gigabytes within a second.
    if name.contains("Dirty") || name.contains("Writeback") {
        return true;
    }
    let slack: f64 = if name.contains("bytes") { 1024.0 * 1_048_576.0 } else { 1000.0 };
    (ours - theirs).abs() <= slack.max(0.25 * theirs.abs())
}

#[test]
fn pages_pass_promtool_and_the_strict_python_parser() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    for path in [
        "/metrics",
        "/metrics/host",
        "/metrics/host?names=node_exporter",
        "/metrics/host?names=windows_exporter",
    ] {
        let Some(mut promtool) = peer_program("promtool") else { break };
        promtool.args(["check", "metrics"]);
        let (_, said) = judged(promtool, &server.get(path));
        // Names that people have in their rules stay, whatever the linter thinks of them.
        let complaints: Vec<_> = said.lines().filter(|line| !is_known(line)).collect();
        assert!(complaints.is_empty(), "{path}: {}", complaints.join("\n"));
    }
    let url = |path: &str| format!("http://{}{path}", server.address);
    let federate = "/federate?match%5B%5D=%7Bhost!=%22%22%7D";
    server.wait_for("stored samples", |server| {
        server.get(federate).contains("cpu_usage").then_some(())
    });
    for (path, least) in [
        ("/metrics/host", 51),
        ("/metrics/host?names=node_exporter", 51),
        // Linux has less of it than Windows.
        ("/metrics/host?names=windows_exporter", 15),
        (federate, 51),
    ] {
        let Some(mut python) = python() else { break };
        let openmetrics = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8";
        let answer = ureq::get(url(path)).header("Accept", openmetrics).call();
        let mut answer = answer.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
        let page = answer.body_mut().read_to_string().unwrap();
        let script = "import sys\nfrom prometheus_client.openmetrics.parser import *\n\
            found = len(list(text_string_to_metric_families(sys.stdin.read())))\n\
            assert found >= int(sys.argv[1]), found";
        python.args(["-c", script, &least.to_string()]);
        let (code, said) = judged(python, &page);
        assert_eq!(code, Some(0), "{path}: {said}");
    }
}

/// Whoever scrapes the page would call such series its own.
#[test]
fn series_without_an_instance_have_an_empty_one_when_federated() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let line = server.wait_for("stored samples", |server| {
        let page = server.get("/federate?match%5B%5D=%7Bhost!=%22%22%7D");
        page.lines().find(|line| line.starts_with("cpu_usage{")).map(str::to_owned)
    });
    assert!(line.contains(",instance=\"\"}"), "{line}");
}

fn is_known(line: &str) -> bool {
    let fixed = [
        "network_bytes_",
        "disk_",
        "memory_",
        "node_",
        "cpu_",
        "barograph_",
        "sockets",
        "process_count ",
        "thread_count ",
        "system_entropy_bits ",
    ];
    line.is_empty() || fixed.iter().any(|start| line.starts_with(start))
}

#[test]
fn what_cannot_be_asked_for_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    for (path, part) in [
        ("/federate", "`match[]` is missing"),
        ("/federate?match%5B%5D=%7B", "`match[]` is no selector"),
        ("/metrics/host?names=collectd", "`names` is `node_exporter` or `windows_exporter`"),
        ("/metrics/host?name=x", "no parameter `name`"),
    ] {
        let answer = server.request(path, "localhost");
        assert_eq!((answer.status, answer.error_code().as_str()), (400, "bad_parameter"));
        assert!(answer.body.contains(part), "{path}: {}", answer.body);
    }
}
