//! `barograph counters`: by the paths that Windows administrators know.

use serde_json::Value;

use crate::program::{ON_WINDOWS, run, text};

#[track_caller]
fn refused(args: &[&str], words: &[&str]) {
    let output = run(args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` not in: {said}");
    }
}

fn read_json(args: &[&str]) -> Vec<Value> {
    let mut all = vec!["counters", "read", "--json"];
    all.extend(args);
    let output = run(&all);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn values_come_with_unit_and_move() {
    let readings = read_json(&[
        r"\System\System Up Time",
        r"\Memory\Available MBytes",
        r"\Processor(_Total)\% Idle Time",
        "--every",
        "200ms",
        "--count",
        "3",
    ]);
    assert_eq!(readings.len(), 3);
    let value =
        |at: usize, which: usize| readings[at]["readings"][which]["value"].as_f64().unwrap();
    assert!(value(2, 0) > value(0, 0), "{readings:?}");
    assert!(value(0, 1) > 1.0, "{readings:?}");
    assert!((0.0..=100.0).contains(&value(1, 2)), "{readings:?}");
    assert_eq!(readings[0]["readings"][0]["unit"], "seconds");
}

#[test]
fn wildcard_gives_one_reading_per_processor() {
    let readings =
        read_json(&[r"\Processor(*)\% Processor Time", "--every", "100ms", "--count", "1"]);
    let paths: Vec<&str> = readings[0]["readings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reading| reading["path"].as_str().unwrap())
        .collect();
    assert!(paths.contains(&r"\Processor(0)\% Processor Time"), "{paths:?}");
    assert!(paths.contains(&r"\Processor(_Total)\% Processor Time"), "{paths:?}");
}

#[test]
fn mistakes_are_pointed_at_and_names_suggested() {
    refused(&["counters", "read", r"\Processor(0\X"], &["bracket", "          ^"]);
    refused(
        &["counters", "read", r"\Processor(_Total)\% Procesor Time"],
        &["has no counter", "% Processor Time"],
    );
    refused(&["counters", "read", r"\Procesor(0)\X"], &["no object", "Processor"]);
    refused(&["counters", "read", r"\\other\System\Threads"], &["other", "own counters"]);
    refused(&["counters", "read", r"\System\Threads", "--every", "1ms"], &["100ms up to 24h"]);
}

#[test]
fn list_is_searched_and_says_what_is_not_here() {
    let output = run(&["counters", "list", "idle time"]);
    let lines = text(&output.stdout);
    assert!(lines.contains(r"\Processor(*)\% Idle Time"), "{lines}");
    assert!(!lines.contains(r"\System\Threads"), "{lines}");
    let json: Value =
        serde_json::from_str(&text(&run(&["counters", "list", "--all", "--json"]).stdout)).unwrap();
    let counters = json.as_array().unwrap();
    assert!(counters.len() > 30);
    assert!(counters.iter().all(|one| one["help"].as_str().unwrap().ends_with('.')));
    let nothing = text(&run(&["counters", "list", "zzzz"]).stdout);
    assert!(nothing.contains("no counter"), "{nothing}");
}

#[test]
fn list_shows_type_instances_and_why_a_counter_is_not_here() {
    let args = ["counters", "list", "--object", "processor", "--instances", "--json"];
    let json: Value = serde_json::from_str(&text(&run(&args).stdout)).unwrap();
    let counters = json.as_array().unwrap();
    assert!(counters.iter().all(|one| one["object"] == "Processor"), "{json}");
    let time = counters.iter().find(|one| one["counter"] == "% Processor Time").unwrap();
    assert_eq!(time["type"], "PERF_100NSEC_TIMER_INV");
    let instances = time["instances"].as_array().unwrap();
    assert!(instances.contains(&"0".into()) && instances.contains(&"_Total".into()), "{time}");
    if !ON_WINDOWS {
        let lines = text(&run(&["counters", "list", "write copies", "--all"]).stdout);
        assert!(lines.contains("not on this system: Linux counts no copies"), "{lines}");
        let args = ["counters", "read", r"\Memory\Write Copies/sec", "--count", "1"];
        let lines = text(&run(&args).stdout);
        assert!(lines.contains("only Windows tells it: Linux counts no copies"), "{lines}");
    }
}

#[test]
fn doctor_tells_sources_with_their_times_and_what_repairs_a_finding() {
    let output = run(&["counters", "doctor", "--json"]);
    let json: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    let sources = json["sources"].as_array().unwrap();
    let cpu = sources.iter().find(|source| source["name"] == "cpu").unwrap();
    assert_eq!(cpu["outcome"], "told");
    assert!(cpu["milliseconds"].as_f64().unwrap() >= 0.0);
    let findings = json["findings"].as_array().unwrap();
    let errors = findings.iter().filter(|finding| finding["severity"] == "error").count();
    assert_eq!(output.status.code(), Some(i32::from(errors > 0)), "{json}");
    for finding in findings {
        assert!(finding["what"].is_string() && finding["why"].is_string(), "{finding}");
    }
    let lines = text(&run(&["counters", "doctor"]).stdout);
    assert!(lines.contains("cpu") && lines.contains("told"), "{lines}");
}

#[test]
fn completion_scripts_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = text(&run(&["completion", shell]).stdout);
        assert!(script.contains("counters"), "{shell}");
    }
}

#[test]
fn a_system_without_counters_of_its_own_says_so() {
    // Those of Wine are not asked, since most of its functions end the process.
    refused(&["counters", "list", "--system"], &["--system: performance counters", "absent"]);
    refused(&["counters", "list", "--system", "--all"], &["cannot be used with"]);
}
