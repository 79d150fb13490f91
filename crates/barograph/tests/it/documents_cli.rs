//! Documents as files, secrets, silences and backtests on the command line.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Server, barograph, run, text};

/// Runs a command against a server; what it printed, when it succeeded.
fn told(server: &Server, args: &[&str]) -> String {
    let address = format!("http://{}", server.address);
    let output = run(&[args, &["--server", &address]].concat());
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The same of a command that fails.
fn refused(server: &Server, args: &[&str]) -> String {
    let address = format!("http://{}", server.address);
    let output = run(&[args, &["--server", &address]].concat());
    assert!(!output.status.success(), "{args:?}: {}", text(&output.stdout));
    text(&output.stderr)
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const RULES: &str = "# mine
groups:
- name: own
  interval: 1s
  rules:
  - {alert: Always, metric: cpu_count, greater_than: 0, severity: warning}
";

#[test]
fn a_folder_of_documents_is_applied_compared_exported_and_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let conf = folder.path().join("conf");
    write(&conf, "rules/own.yaml", RULES);
    write(
        &conf,
        "team.yml",
        "kind: channels\nname: hook\ntype: webhook\nurl: https://example.org/\n---\n\
         kind: people\nname: anna\nname: Anna Example\ncontacts: [{channel: hook}]\n---\n\
         kind: policies\nname: day\nsteps: [{notify: [person:anna]}]\n",
    );
    let path = conf.to_str().unwrap();
    let tried = told(&server, &["apply", "-f", path, "--dry-run", "--by", "ben"]);
    assert!(
        tried.ends_with("4 created, 0 changed, 0 unchanged, 0 removed (nothing was written)\n")
    );
    let applied = told(&server, &["apply", "-f", path, "--by", "ben"]);
    assert!(applied.contains("created rules/own, version 1"), "{applied}");
    server.wait_for("the rule's alert", |server| {
        let alerts: Value = server.json("/api/v1/alerts");
        (alerts["data"]["alerts"][0]["labels"]["alertname"] == "Always").then_some(())
    });
    let again = told(&server, &["apply", "-f", path]);
    assert_eq!(again, "0 created, 0 changed, 4 unchanged, 0 removed\n");
    assert_eq!(told(&server, &["diff", "-f", path]), "");

    write(&conf, "rules/own.yaml", &RULES.replace("warning", "critical"));
    let diff = told(&server, &["diff", "-f", path]);
    assert!(diff.starts_with("rules/own\n--- now\n+++ then\n"), "{diff}");
    told(&server, &["apply", "-f", path, "-m", "it is worse"]);
    let history = told(&server, &["documents", "history", "rules", "own"]);
    assert!(history.contains("it is worse"), "{history}");
    told(&server, &["rollback", "rules", "own", "1"]);
    let out = folder.path().join("out");
    told(&server, &["export", "-o", out.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(out.join("rules/own.yaml")).unwrap(), RULES);
    let streamed = told(&server, &["export"]);
    write(folder.path(), "one/all.yaml", &streamed);
    let one = folder.path().join("one");
    let same = told(&server, &["apply", "-f", one.to_str().unwrap()]);
    assert_eq!(same, "0 created, 0 changed, 4 unchanged, 0 removed\n");

    write(&out, "rules/own.yaml", &RULES.replace("cpu_count", "cpu_count{"));
    let wrong = refused(&server, &["apply", "-f", out.to_str().unwrap()]);
    assert!(wrong.contains("rules `own`:6:"), "{wrong}");
    fs::remove_file(conf.join("rules/own.yaml")).unwrap();
    write(&conf, "rules/other.yaml", "groups: []\n");
    let pruned = told(&server, &["apply", "-f", path, "--prune"]);
    assert!(pruned.contains("removed rules/own, version 4"), "{pruned}");
    let listed = told(&server, &["documents", "list", "rules"]);
    assert!(listed.contains("other") && !listed.contains("own"), "{listed}");
}

#[test]
fn a_secret_goes_in_and_never_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let address = format!("http://{}", server.address);
    let mut child = barograph()
        .args(["secret", "set", "hook token", "--server", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"very-secret-4711\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(told(&server, &["secret", "list"]), "hook token\n");
    assert_eq!(server.json("/api/secrets")["secrets"][0], "hook token");
    assert_eq!(server.request("/api/secrets/hook%20token", "localhost").status, 405);
    drop(server);
    for entry in fs::read_dir(data.join("state")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|it| it == b"very-secret-4711"));
    }
    let server = Server::start(&data);
    told(&server, &["secret", "remove", "hook token"]);
    assert!(refused(&server, &["secret", "remove", "hook token"]).contains("there is no secret"));
}

#[test]
fn silences_are_previewed_and_rules_are_tried_on_history() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    write(folder.path(), "rules/own.yaml", RULES);
    let rules = folder.path().join("rules/own.yaml");
    let rules = rules.to_str().unwrap();
    told(&server, &["apply", "-f", rules]);
    server.wait_for("a firing alert", |server| {
        let alerts: Value = server.json("/api/v1/alerts");
        (alerts["data"]["alerts"][0]["state"] == "firing").then_some(())
    });
    let args = ["alerts", "silence", "alertname=Always", "--for", "1h", "-m", "known"];
    let seen = told(&server, &[&args[..], &["--dry-run"]].concat());
    assert!(seen.contains("Always{") && seen.contains("It would hide 1 of "), "{seen}");
    let made = told(&server, &[&args[..], &["--until-recovery", "--by", "ben"]].concat());
    assert!(made.starts_with("Silence ben-"), "{made}");
    server.wait_for("the incident to be hidden", |server| {
        let incidents: Value = server.json("/api/incidents");
        let hidden = incidents.to_string().contains("\"muted_by\":\"silence ben-");
        hidden.then_some(())
    });
    let window = b"{matchers: [host=a], schedule: {time_zone: UTC, from: '02:00', to: '03:00'}}";
    let preview = server.post("/api/documents/windows/w/preview", &[], window);
    let preview: Value = serde_json::from_str(&preview.body).unwrap();
    assert!(preview["times"].as_array().unwrap().len() >= 5, "{preview}");

    let tried = told(&server, &["rules", "backtest", rules, "--last", "1h", "--step", "1s"]);
    assert!(tried.contains("Always: cpu_count > 0"), "{tried}");
    assert!(tried.contains("would have fired 1 times"), "{tried}");
    let never = folder.path().join("never-loaded.yml");
    let text = "groups: [{name: g, rules: [{record: 'own:double', expr: 2 * cpu_count}, \
                {alert: Doubled, expr: 'own:double > 1'}]}]";
    fs::write(&never, text).unwrap();
    let never = never.to_str().unwrap();
    let tried = told(&server, &["rules", "backtest", never, "--last", "1h", "--step", "1s"]);
    assert!(tried.contains("as this file records own:double"), "{tried}");
    assert!(tried.contains("would have fired 1 times"), "{tried}");
    let none = refused(&server, &["rules", "backtest", rules, "--rule", "Never"]);
    assert!(none.contains("no such alerting rule"), "{none}");
}
