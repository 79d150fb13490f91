//! Rules: checked and tested on the command line, evaluated by the server.

use std::fs;

use serde_json::Value;

use crate::program::{Server, run, text};

const RULES: &str = "groups:
- name: own
  interval: 1s
  rules:
  - {alert: Always, metric: cpu_count, greater_than: 0, severity: warning,
     annotations: {summary: 'it has {{ $value }}'}}
  - {record: 'own:cpus', expr: sum(cpu_count)}
  - {record: 'own:processes', expr: '2 * \\System\\Processes'}
";

#[test]
fn rule_files_are_checked_and_tested() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    let tests = folder.path().join("tests.yml");
    fs::write(&rules, RULES).unwrap();
    let good = run(&["rules", "check", rules.to_str().unwrap()]);
    assert!(good.status.success());
    assert!(text(&good.stdout).contains("1 groups, 1 alerting and 2 recording rules"));
    fs::write(
        &tests,
        "rule_files: [rules.yml]
tests:
- input_series: [{series: cpu_count, values: '2x3'}]
  promql_expr_test:
  - {expr: own:cpus, eval_time: 1m, exp_samples: [{labels: 'own:cpus', value: 2}]}
",
    )
    .unwrap();
    let tested = run(&["rules", "test", tests.to_str().unwrap()]);
    assert!(text(&tested.stdout).ends_with("1 passed, 0 failed\n"), "{}", text(&tested.stdout));
    fs::write(&rules, RULES.replace("sum(cpu_count)", "sum(cpu_count")).unwrap();
    let bad = run(&["rules", "check", rules.to_str().unwrap()]);
    assert_eq!(bad.status.code(), Some(1));
    let told = text(&bad.stdout);
    assert!(told.contains("rules.yml:7:") && told.contains("unclosed left parenthesis"), "{told}");
}

#[test]
fn the_server_evaluates_rules_and_people_acknowledge() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    fs::write(&rules, RULES).unwrap();
    let config = folder.path().join("barograph.toml");
    let path = rules.to_str().unwrap();
    fs::write(&config, format!("[rules]\ndefaults = false\nfiles = ['{path}']\n")).unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    server.wait_for("a firing alert", |server| {
        let alerts: Value = server.json("/api/v1/alerts");
        (alerts["data"]["alerts"][0]["state"] == "firing").then_some(())
    });
    let json = |path: &str| server.json(path);
    let alerts = json("/api/alerts");
    assert_eq!(alerts[0]["type"], "Always");
    assert_eq!(
        (&alerts[0]["metric"], &alerts[0]["severity"]),
        (&"cpu_count".into(), &"warning".into())
    );
    assert!(alerts[0]["message"].as_str().unwrap().starts_with("it has "));
    let groups = json("/api/v1/rules");
    assert_eq!(groups["data"]["groups"][0]["rules"][1]["health"], "ok");
    let both = server.wait_for("a rule on a counter path", |server| {
        let query = "query=own:processes%20/%20%5CSystem%5CProcesses";
        let both = server.json(&format!("/api/v1/query?{query}"));
        (both["data"]["result"][0]["value"][1] != Value::Null).then_some(both)
    });
    assert!(both["data"]["result"][0]["value"][1].is_string(), "{both}");
    let incident = json("/api/incidents/1");
    assert_eq!(incident["group"]["alertname"], "Always");
    let answer =
        server.post("/api/incidents/1/acknowledge", &[], br#"{"by":"anna","text":"on it"}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(json("/api/incidents/1")["acknowledged"]["by"], "anna");
    assert_eq!(server.post("/api/incidents/9/resolve", &[], b"").status, 404);
}
