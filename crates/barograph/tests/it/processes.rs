//! Processes and what happens to them, seen by the program as people run it.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Server, barograph, run, text};

/// A child of this test that every list of the processes has the time to hold: the program
/// itself, recording for some seconds.
fn short_lived() -> u32 {
    let mut child = barograph()
        .args(["counters", "read", r"\Memory\Available Bytes", "--count", "6"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success());
    child.id()
}

#[test]
fn this_test_is_among_the_processes_and_large_ones_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let list = server.wait_for("processes", |server| {
        let answer = server.request("/api/processes?sort=memory", "localhost");
        (answer.status == 200).then(|| serde_json::from_str::<Value>(&answer.body).unwrap())
    });
    let processes = list["processes"].as_array().unwrap();
    assert_eq!(processes.len(), list["total"]);
    let memory: Vec<u64> =
        processes.iter().map(|one| one["working_set_bytes"].as_u64().unwrap()).collect();
    assert!(memory.is_sorted_by(|a, b| a >= b), "{memory:?}");
    let own = processes.iter().find(|one| one["pid"] == std::process::id()).unwrap();
    assert!(own["threads"].as_u64().unwrap() >= 1 && own["user"].is_string(), "{own}");
    assert!(own["started_ms"].as_i64().unwrap() > 1_500_000_000_000, "{own}");
    // Once something is stored, the moment before the first record has nothing to show.
    let stored = server.wait_for("a stored list", |server| {
        let answer = server.request("/api/processes?at=9999999999999&top=3", "localhost");
        (answer.status == 200).then(|| serde_json::from_str::<Value>(&answer.body).unwrap())
    });
    assert!(stored["processes"].as_array().unwrap().len() <= 3, "{stored}");
    assert!(stored["time_ms"].as_i64().unwrap() >= list["time_ms"].as_i64().unwrap());
    let answer = server.request("/api/processes?at=1000", "localhost");
    assert_eq!(answer.status, 404, "{}", answer.body);
    assert!(answer.body.contains("nothing_stored"), "{}", answer.body);
    let address = format!("http://{}", server.address);
    let output = run(&["processes", "--at", "1ms", "--json", "--server", &address]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["total"], stored["total"].as_u64().map(Value::from).unwrap_or_default());
}

#[test]
fn a_process_that_starts_and_ends_leaves_two_events() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for("processes", |server| {
        (server.request("/api/processes", "localhost").status == 200).then_some(())
    });
    // The listener needs a moment to know what runs already.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let pid = short_lived();
    let events = server.wait_for("its end", |server| {
        let answer = server.json("/api/events?kind=process_started&kind=process_ended&limit=10000");
        let mut events = answer["events"].as_array().unwrap().clone();
        events.retain(|event| event["fields"]["pid"] == pid);
        events.iter().any(|event| event["kind"] == "process_ended").then_some(events)
    });
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["process_started", "process_ended"]);
    let started = &events[0]["fields"];
    assert!(started["name"].as_str().unwrap().starts_with("barograph"), "{started}");
    assert_eq!(started["parent"], std::process::id(), "{started}");
    let source = server.json("/api/processes?top=1")["events"]["source"].clone();
    if source == "kernel" {
        assert_eq!(events[1]["fields"]["exit_code"], 0);
    } else {
        assert_eq!(source, "differences");
    }
    let address = format!("http://{}", server.address);
    let output = run(&["events", "--from", "5m", "--kind", "process_ended", "--server", &address]);
    let shown = text(&output.stdout);
    assert!(shown.lines().any(|line| line.contains(&format!("({pid})"))), "{shown}");
}

#[test]
fn the_machine_is_read_without_a_server() {
    let output = run(&["processes", "--json", "--top", "100000"]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let processes = shown["processes"].as_array().unwrap();
    assert!(processes.iter().any(|one| one["pid"] == std::process::id()));
    assert!(processes.iter().any(|one| one["cpu_percent"].is_number()));
    let table = text(&run(&["processes", "--top", "3"]).stdout);
    assert_eq!(table.lines().count(), 5, "{table}");
}

#[test]
fn a_watched_name_becomes_series_even_when_nothing_runs() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("barograph.toml");
    std::fs::write(&config, "[watch]\nprocesses = ['no-such-program', 'barograph*']\n").unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for("series", |server| {
        let count = |name: &str| {
            let path = format!("/api/range?metric=process_group_count&match=name%3D{name}");
            let answer = server.request(&path, "localhost");
            let answer: Value = serde_json::from_str(&answer.body).unwrap();
            answer["series"][0]["avg"].as_array()?.iter().rev().find_map(Value::as_f64)
        };
        let running = count("barograph*").is_some_and(|count| count >= 1.0);
        (running && count("no-such-program") == Some(0.0)).then_some(())
    });
}

#[test]
fn watched_names_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bad.toml");
    std::fs::write(&config, "[watch]\nprocesses = ['a', '/bin/b']\n").unwrap();
    let mut command: Command = barograph();
    let output = command.args(["check-config", "--config"]).arg(&config).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("line 2: `watch.processes` is not usable: `/bin/b`"), "{said}");
}
