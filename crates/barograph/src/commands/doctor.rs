//! `barograph doctor`: what a running server costs, and whether it does its job.

mod history;
mod outward;
mod senders;
mod space;
mod targets;
mod telling;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::DoctorArgs;
use crate::client::Client;
use crate::output;

use history::Storage;
use outward::Outward;
use senders::Senders;
use space::Space;
use targets::Targets;
use telling::Telling;

/// The part of `/api/status` that is shown.
#[derive(Debug, Deserialize, Serialize)]
struct Status {
    version: String,
    trouble: Option<String>,
    live_series: u64,
    ticks: u64,
    missed_ticks: u64,
    clock_jumps: u64,
    pace: u32,
    own: Own,
    collectors: Vec<Collector>,
    store: Store,
    #[serde(default)]
    alerting: Alerting,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Alerting {
    failing: u64,
    missed: u64,
    problem: Option<String>,
    rule_problems: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Own {
    cpu_percent: Option<f64>,
    resident_bytes: Option<f64>,
    threads: Option<f64>,
    handles: Option<f64>,
    memory_limit_bytes: Option<f64>,
    handles_limit: Option<f64>,
    #[serde(default)]
    over: Vec<String>,
}

impl Own {
    /// What is over a limit of its own.
    fn findings(&self) -> impl Iterator<Item = String> {
        self.over.iter().map(|what| {
            let (now, limit, shown): (_, _, fn(f64) -> String) = match what.as_str() {
                "memory" => (self.resident_bytes, self.memory_limit_bytes, output::amount),
                _ => (self.handles, self.handles_limit, |count| format!("{count:.0}")),
            };
            let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), shown);
            format!(
                "Barograph takes more {what} ({}) than `limits.{what}` allows ({}), so it keeps \
                 nothing that it could read again",
                shown(now),
                shown(limit)
            )
        })
    }
}

#[derive(Debug, Deserialize, Serialize)]
struct Collector {
    name: String,
    state: String,
    #[serde(default)]
    interval_ms: u64,
    duration_ms: Option<f64>,
    total_seconds: f64,
    samples: u64,
    runs: u64,
    failures: u64,
    timeouts: u64,
    panics: u64,
    error: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Store {
    partitions: u64,
    samples: u64,
    disk_bytes: u64,
    head_bytes: u64,
    waiting_batches: u64,
    lost_batches: u64,
    refused_samples: u64,
    #[serde(default)]
    refused_by_reason: BTreeMap<String, u64>,
    #[serde(default)]
    failed_commits: u64,
    damaged_parts: u64,
    #[serde(default)]
    problems: Vec<String>,
    storage: Storage,
}

pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let status: Status = client.get("/api/status")?;
    let senders: Senders = client.get("/api/ingest")?;
    let targets: Targets = client.get("/api/v1/targets")?;
    let space::Answer { data: space } = client.get(Space::PATH)?;
    let outward =
        Outward { forward: client.get("/api/forward")?, textfiles: client.get("/api/textfiles")? };
    let telling: Telling = client.get("/api/notifications?status=dead")?;
    if args.asking.json {
        let mut all = serde_json::to_value(&status)?;
        all["ingest"] = json!(senders);
        all["space"] = json!(space);
        all["targets"] = json!(targets);
        all["outward"] = json!(outward);
        all["notifications"] = json!(telling);
        return output::pretty_json(&all);
    }
    let findings = [
        findings(&status),
        senders.findings(),
        targets.findings(),
        outward.findings(),
        telling.findings(),
    ]
    .concat();
    let parts = [Some(telling.rows()), senders.rows(), space.rows()];
    output::line(&report(&status, parts, &findings))?;
    match findings.len() {
        0 => Ok(()),
        1 => anyhow::bail!("1 thing needs attention"),
        count => anyhow::bail!("{count} things need attention"),
    }
}

fn report(
    status: &Status,
    parts: impl IntoIterator<Item = Option<Vec<Vec<String>>>>,
    findings: &[String],
) -> String {
    let mut text = format!("Barograph {}, {} series\n\n", status.version, status.live_series);
    let mut rows = vec![["cost", "", "readings", ""].map(str::to_owned).to_vec()];
    let left = own_rows(&status.own);
    let right = [
        ("taken", status.ticks.to_string()),
        ("left out", status.missed_ticks.to_string()),
        ("clock jumps", status.clock_jumps.to_string()),
        ("pace", format!("every {} interval(s)", status.pace)),
    ];
    for ((left, value), (right, number)) in left.into_iter().zip(right) {
        rows.push(vec![format!("  {left}"), value, format!("  {right}"), number]);
    }
    text += &output::table(&rows);
    text += "\n\n";
    text += &output::table(&collector_rows(&status.collectors));
    text += "\n\n";
    text += &output::table(&store_rows(&status.store));
    text += "\n\n";
    text += &output::table(&status.store.storage.rows());
    for rows in parts.into_iter().flatten() {
        text += "\n\n";
        text += &output::table(&rows);
    }
    if findings.is_empty() {
        text += "\n\nNothing needs attention.";
    } else {
        text += "\n\nNeeds attention:";
        for finding in findings {
            // Writing to a string cannot fail.
            write!(text, "\n  - {finding}").unwrap_or_default();
        }
    }
    text
}

fn own_rows(own: &Own) -> [(&'static str, String); 4] {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    [
        ("processor", or_dash(own.cpu_percent.map(|share| format!("{share:.2} % of one core")))),
        ("memory", or_dash(own.resident_bytes.map(output::amount))),
        ("threads", or_dash(own.threads.map(|count| format!("{count:.0}")))),
        ("open handles", or_dash(own.handles.map(|count| format!("{count:.0}")))),
    ]
}

fn collector_rows(collectors: &[Collector]) -> Vec<Vec<String>> {
    let head = ["collector", "state", "samples", "newest", "average", "failed", "given up"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in collectors {
        let newest = one.duration_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.2} ms"));
        let average = if one.runs == 0 {
            "–".to_owned()
        } else {
            format!("{:.2} ms", 1000.0 * one.total_seconds / one.runs as f64)
        };
        rows.push(vec![
            format!("  {}", one.name),
            one.state.clone(),
            one.samples.to_string(),
            newest,
            average,
            (one.failures + one.panics).to_string(),
            one.timeouts.to_string(),
        ]);
    }
    rows
}

fn store_rows(store: &Store) -> Vec<Vec<String>> {
    let per_sample = if store.samples == 0 {
        "–".to_owned()
    } else {
        format!("{:.2} bytes each", store.disk_bytes as f64 / store.samples as f64)
    };
    [
        ["store".to_owned(), String::new(), String::new()],
        ["  samples".to_owned(), store.samples.to_string(), per_sample],
        ["  on disk".to_owned(), output::size(store.disk_bytes), String::new()],
        ["  in memory".to_owned(), output::size(store.head_bytes), String::new()],
        ["  partitions".to_owned(), store.partitions.to_string(), String::new()],
    ]
    .map(|row| row.to_vec())
    .to_vec()
}

/// What an administrator should look into.
fn findings(status: &Status) -> Vec<String> {
    let mut findings: Vec<String> = status.trouble.iter().cloned().collect();
    let store = &status.store;
    let counts = [
        (store.lost_batches, "batches of samples were lost because the store did not take them"),
        (store.damaged_parts, "parts of the data folder are damaged and were skipped"),
        (store.failed_commits, "appends failed; the log of whoever sent them tells why"),
    ];
    for (count, what) in counts {
        if count > 0 {
            findings.push(format!("{count} {what}"));
        }
    }
    findings.extend(refusals(store));
    findings.extend(store.problems.iter().cloned());
    findings.extend(store.storage.findings());
    findings.extend(status.own.findings());
    if status.pace > 1 {
        findings.push(format!(
            "collecting is over its processor budget, so it reads every {} intervals",
            status.pace
        ));
    }
    for one in &status.collectors {
        let is_well = matches!(one.state.as_str(), "running" | "absent");
        if let (Some(error), true) = (&one.error, one.state != "absent") {
            findings.push(format!("collector `{}`: {error}", one.name));
        } else if one.state == "slowed" {
            findings.push(format!(
                "collector `{}` takes too much processor time, so it is read every {} s",
                one.name,
                one.interval_ms as f64 / 1000.0
            ));
        } else if !is_well {
            findings.push(format!("collector `{}` is {}", one.name, one.state));
        }
    }
    let Alerting { failing, problem, rule_problems, .. } = &status.alerting;
    findings.extend(problem.iter().map(|it| format!("alerts cannot be saved: {it}")));
    if *failing > 0 {
        findings.push(format!("{failing} rules cannot be evaluated; /api/v1/rules tells why"));
    }
    findings.extend(rule_problems.iter().map(|it| format!("rules with mistakes: {it}")));
    findings
}

fn refusals(store: &Store) -> Vec<String> {
    let reasons = [
        ("too_many_series", "there were too many series (`store.max_series`)"),
        ("late", "they were too late (`store.late_window`)"),
        ("too_old", "samples of their time have expired"),
        ("future", "their clock was far ahead"),
    ];
    let told = reasons.into_iter().filter_map(|(reason, why)| {
        let count = *store.refused_by_reason.get(reason)?;
        (count > 0).then(|| format!("{count} samples were refused: {why}"))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        serde_json::from_value(serde_json::json!({
            "version": "1", "trouble": null, "live_series": 5, "ticks": 9, "missed_ticks": 0,
            "clock_jumps": 0, "pace": 1,
            "own": {"cpu_percent": 0.5, "resident_bytes": 1_048_576.0, "threads": 3.0, "handles": null},
            "collectors": [{"name": "cpu", "state": "running", "duration_ms": 0.1,
                "total_seconds": 0.5, "samples": 5, "runs": 10, "failures": 0, "timeouts": 0,
                "panics": 0, "error": null}],
            "store": {"partitions": 1, "samples": 100, "disk_bytes": 150, "head_bytes": 10,
                "waiting_batches": 0, "lost_batches": 0, "refused_samples": 0, "damaged_parts": 0,
                "storage": {"tiers": [], "disk_free_bytes": null, "disk_full_days": null, "steady_bytes": null}}
        }))
        .unwrap()
    }

    #[test]
    fn all_is_well() {
        let text = report(&status(), [], &findings(&status()));
        assert!(text.contains("0.50 % of one core"), "{text}");
        assert!(text.contains("50.00 ms"), "{text}");
        assert!(text.contains("1.50 bytes each"), "{text}");
        assert!(text.ends_with("Nothing needs attention."), "{text}");
    }

    #[test]
    fn everything_that_is_wrong_is_found() {
        let mut sick = status();
        sick.trouble = Some("samples are not being stored".into());
        sick.pace = 5;
        sick.store.damaged_parts = 2;
        sick.store.failed_commits = 1;
        sick.store.refused_by_reason = [("late".to_owned(), 7), ("future".to_owned(), 0)].into();
        sick.store.problems = vec!["raw/x.db: cut".to_owned()];
        sick.own.over = vec!["memory".into(), "handles".into()];
        sick.own.memory_limit_bytes = Some(524_288.0);
        sick.collectors[0].state = "stuck".into();
        let mut dear = status().collectors.remove(0);
        (dear.name, dear.state, dear.interval_ms) = ("disk".into(), "slowed".into(), 16_000);
        sick.collectors.push(dear);
        assert_eq!(
            findings(&sick),
            [
                "samples are not being stored",
                "2 parts of the data folder are damaged and were skipped",
                "1 appends failed; the log of whoever sent them tells why",
                "7 samples were refused: they were too late (`store.late_window`)",
                "raw/x.db: cut",
                "Barograph takes more memory (1.0 MiB) than `limits.memory` allows (512.0 KiB), so it keeps nothing that it could read again",
                "Barograph takes more handles (–) than `limits.handles` allows (–), so it keeps nothing that it could read again",
                "collecting is over its processor budget, so it reads every 5 intervals",
                "collector `cpu` is stuck",
                "collector `disk` takes too much processor time, so it is read every 16 s",
            ]
        );
    }
}
