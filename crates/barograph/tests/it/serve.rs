//! `barograph serve`: collects, stores, answers, stops, and goes on where it was.

use crate::program::{ON_WINDOWS, Server, run, text};

const HEADLINE: [&str; 20] = [
    "cpu_count",
    "cpu_usage",
    "disk_free_gb",
    "disk_percent",
    "disk_read_bytes",
    "disk_reads",
    "disk_total_gb",
    "disk_used_gb",
    "disk_write_bytes",
    "disk_writes",
    "memory_available",
    "memory_committed",
    "memory_percent",
    "memory_total_gb",
    "memory_used_gb",
    "network_bytes_recv",
    "network_bytes_sent",
    "network_bytes_total",
    "process_count",
    "thread_count",
];

#[test]
fn headline_values_are_those_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let body = server.wait_for_values();
    let system = body["system"].as_object().unwrap();
    if !ON_WINDOWS {
        let names: Vec<&str> = system.keys().map(String::as_str).collect();
        assert_eq!(names, HEADLINE);
    }
    let cpus = std::thread::available_parallelism().unwrap().get() as f64;
    assert!(system["cpu_count"].as_f64().unwrap() >= cpus);
    let value = |name: &str| system[name].as_f64().unwrap();
    for percent in ["cpu_usage", "memory_percent"] {
        assert!((0.0..=100.0).contains(&value(percent)), "{percent} {}", value(percent));
    }
    let used = value("memory_total_gb") - value("memory_available") / 1024.0;
    assert!((used - value("memory_used_gb")).abs() < 0.1, "{system:?}");
    assert!(body["timestamp"].as_str().unwrap().contains(".000Z"), "{body}");
}

#[test]
fn history_survives_a_stop_and_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let points = |server: &Server| {
        server.json("/api/historical_metrics/memory_percent?hours=1").as_array().unwrap().clone()
    };
    let server = Server::start(&data);
    let first = server.wait_for("three points", |server| {
        server.wait_for_values();
        Some(points(server)).filter(|points| points.len() >= 3)
    });
    let status = server.stop();
    assert!(status.success() || ON_WINDOWS, "{status}");

    let server = Server::start(&data);
    let second = points(&server);
    assert!(second.len() >= first.len(), "{} then {}", first.len(), second.len());
    assert_eq!(second[..first.len()], first[..]);
    server.kill();

    let server = Server::start(&data);
    let third = points(&server);
    assert_eq!(third[..second.len()], second[..]);
}

#[test]
fn history_is_in_order_and_questions_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    let points = server.json("/api/historical_metrics/cpu_count");
    let times: Vec<&str> =
        points.as_array().unwrap().iter().map(|p| p["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && !times.is_empty());

    let unknown = server.request("/api/historical_metrics/cpu_usge", "localhost");
    assert_eq!((unknown.status, unknown.error_code().as_str()), (404, "unknown_metric"));
    assert!(unknown.body.contains("cpu_usage"), "{}", unknown.body);
    for bad in ["0", "-1", "abc", ""] {
        let path = format!("/api/historical_metrics/cpu_usage?hours={bad}");
        assert_eq!(server.request(&path, "localhost").error_code(), "bad_hours", "{bad}");
    }
    let nowhere = server.request("/api/nothing", "localhost");
    assert_eq!((nowhere.status, nowhere.error_code().as_str()), (404, "unknown_interface"));
}

#[test]
fn range_gives_the_modes_of_the_processor() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let cpus = server.wait_for_values()["system"]["cpu_count"].as_f64().unwrap();
    // The store follows the newest values by a moment.
    let shares = server.wait_for("rates", |server| {
        let answer = server.json("/api/range?metric=cpu_seconds_total&rate=true&by=mode&step=1000");
        assert_eq!(answer["step_ms"], 1000);
        let first = |one: &serde_json::Value| {
            one["avg"].as_array().unwrap().iter().find_map(serde_json::Value::as_f64)
        };
        answer["series"].as_array().unwrap().iter().map(first).sum::<Option<f64>>()
    });
    assert!((shares / cpus - 1.0).abs() < 0.25, "all modes of {cpus} cpus add up to {shares}");

    let typo = server.request("/api/range?metric=cpu_seconds_totl", "localhost");
    assert_eq!(typo.error_code(), "unknown_metric");
    assert!(typo.body.contains("cpu_seconds_total"), "{}", typo.body);
}

#[test]
fn own_health_is_told_in_three_forms() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    assert_eq!(server.json("/healthz")["status"], "ok");
    let status = server.json("/api/status");
    assert!(status["trouble"].is_null(), "{status}");
    let collectors = status["collectors"].as_array().unwrap();
    assert!(collectors.iter().any(|one| one["name"] == "cpu" && one["state"] == "running"));
    let metrics = server.get("/metrics");
    for name in ["barograph_collector_runs_total{collector=\"cpu\"}", "barograph_store_samples"] {
        assert!(metrics.contains(name), "{name} not in\n{metrics}");
    }
}

#[test]
fn foreign_pages_are_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let refused = server.request("/api/host", "evil.example");
    assert_eq!((refused.status, refused.error_code().as_str()), (403, "foreign_host"));
    let page = server.request("/", "localhost");
    assert_eq!(page.status, 200);
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    assert!(page.head.contains("x-content-type-options: nosniff"), "{}", page.head);
}

#[test]
fn doctor_tells_what_the_server_costs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    // What the server itself takes is read every ten seconds, and a share needs two readings.
    server.wait_for("a share of the processor", |server| {
        server.json("/api/status")["own"]["cpu_percent"].as_f64()
    });
    let address = format!("http://{}", server.address);
    let output = run(&["doctor", "--server", &address]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(said.contains("% of one core") && said.contains("Nothing needs attention"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&text(&run(&["doctor", "--server", &address, "--json"]).stdout))
            .unwrap();
    assert!(json["own"]["resident_bytes"].as_f64().unwrap() > 1e6, "{json}");

    drop(server);
    let gone = run(&["doctor", "--server", &address]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains("is `barograph serve` running?"), "{}", text(&gone.stderr));
}
