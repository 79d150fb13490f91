//! The example of a program with metrics of its own: run, scraped and pushed, until its rules fire.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use serde_json::Value;

use crate::program::{Server, free_port, run, text};

#[expect(dead_code, reason = "its main reads arguments, and here are none")]
#[path = "../../../client/examples/queue.rs"]
mod queue;

const RULES: &str = include_str!("../../../client/examples/queue.rules.yml");

/// Ends the program also when the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn rules_fire(server: &Server, settings: &queue::Settings) {
    let ended = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let _ends = Ends(&ended);
        threads.spawn(|| queue::run(settings, || !ended.load(Relaxed)).unwrap());
        let firing = server.wait_for("both alerts", |server| {
            let alerts: Value = server.json("/api/v1/alerts");
            let mut firing = alerts["data"]["alerts"].as_array().unwrap().clone();
            firing.retain(|alert| alert["state"] == "firing");
            firing.sort_by_key(|alert| alert["labels"]["alertname"].to_string());
            (firing.len() == 2).then_some(firing)
        });
        assert_eq!(firing[0]["labels"]["alertname"], "MailQueueLong");
        assert_eq!(firing[0]["labels"]["queue"], "mail");
        let summary = firing[0]["annotations"]["summary"].as_str().unwrap();
        assert!(summary.ends_with(" jobs wait in the queue mail"), "{summary}");
        assert_eq!(firing[1]["labels"]["alertname"], "MailSlow");
    });
}

/// The rules as they are, but for a test's patience.
fn prepare(folder: &Path, config: &str) -> Server {
    let original = folder.join("queue.rules.yml");
    fs::write(&original, RULES).unwrap();
    let checked = run(&["rules", "check", original.to_str().unwrap()]);
    assert!(checked.status.success(), "{}", text(&checked.stdout));
    let hasty = RULES
        .replace("for: 1m", "for: 1s")
        .replace("interval: 5s", "interval: 1s")
        .replace("> 20", "> 2")
        .replace("> 5", "> 0.2");
    let rules = folder.join("hasty.yml");
    fs::write(&rules, hasty).unwrap();
    let config = format!("[rules]\ndefaults = false\nfiles = ['{}']\n{config}", rules.display());
    fs::write(folder.join("barograph.toml"), config).unwrap();
    Server::start(&folder.join("data"))
}

fn settings() -> queue::Settings {
    let (every_job, one_job) = (Duration::from_millis(20), Duration::from_millis(50));
    queue::Settings { listen: None, push: None, every_job, one_job }
}

#[test]
fn a_scraped_programs_queue_and_latency_fire_its_rules() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let config = format!("[[scrape]]\njob = 'mail'\ntargets = ['{address}']\ninterval = '1s'\n");
    let server = prepare(folder.path(), &config);
    let settings = queue::Settings { listen: Some(address), ..settings() };
    rules_fire(&server, &settings);
    let types = server.json("/api/v1/metadata?metric=job_seconds");
    assert_eq!(types["data"]["job_seconds"][0]["type"], "histogram");
}

#[test]
fn a_pushing_programs_queue_and_latency_fire_its_rules() {
    let folder = tempfile::tempdir().unwrap();
    let server = prepare(folder.path(), "");
    let push = Some(format!("http://{}/api/v1/push", server.address));
    rules_fire(&server, &queue::Settings { push, ..settings() });
}
