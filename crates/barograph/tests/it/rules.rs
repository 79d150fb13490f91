//! Rules: checked and tested on the command line, evaluated by the server.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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

/// Lets the clients of a test end, also when it fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Questions that take all the time that there is do not hold up rules: no evaluation is missed, and
/// each has stored its answer.
#[test]
fn rules_are_evaluated_in_time_while_heavy_questions_are_answered() {
    const CLIENTS: usize = 8;
    const EVALUATIONS: f64 = 8.0;
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    let recorded = (0..200).map(|i| format!("  - {{record: 'own:{i}', expr: 'sum(cpu_count)'}}\n"));
    let recorded: String = recorded.collect();
    fs::write(&rules, format!("groups:\n- name: own\n  interval: 2s\n  rules:\n{recorded}"))
        .unwrap();
    let config = folder.path().join("barograph.toml");
    let path = rules.to_str().unwrap();
    fs::write(&config, format!("[rules]\ndefaults = false\nfiles = ['{path}']\n")).unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    let evaluations = |server: &Server| {
        let query = "query=count_over_time(own:199%5B10m%5D)";
        let answer = server.json(&format!("/api/v1/query?{query}"));
        answer["data"]["result"][0]["value"][1].as_str()?.parse::<f64>().ok()
    };
    let before = server.wait_for("the first evaluation", evaluations);
    // A million points.
    let heavy = "query=sum(max_over_time(%7B__name__!%3D%22%22%7D%5B30m%3A1s%5D))";
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let answer = server.request(&format!("/api/v1/query?{heavy}"), "localhost");
                    let is_busy = matches!(answer.status, 429 | 503);
                    assert!(answer.status == 200 || is_busy, "{}", answer.body);
                    answered.fetch_add(usize::from(!is_busy), Ordering::Relaxed);
                }
            });
        }
        let _ends_with_it = Done(&done);
        server.wait_for("more evaluations", |server| {
            let now = server.json("/api/v1/rules");
            let last = &now["data"]["groups"][0]["lastEvaluation"];
            assert!(last.is_string(), "{now}");
            let rounds = evaluations(server)? - before;
            (rounds >= EVALUATIONS && answered.load(Ordering::Relaxed) > 3).then_some(())
        });
    });
    let status = server.json("/api/status");
    assert_eq!(status["alerting"]["missed"], 0, "{}", status["alerting"]);
    assert_eq!(status["alerting"]["failing"], 0, "{}", status["alerting"]);
}
