//! Rule files, read.

use super::*;

#[track_caller]
fn rules(text: &str) -> Vec<Group> {
    match read_rules(text) {
        Ok(groups) => groups,
        Err(problems) => panic!("{}", shown(&problems).join("\n")),
    }
}

fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check_problems(text: &str, expected: &[&str]) {
    assert_eq!(shown(&read_rules(text).unwrap_err()), expected, "{text}");
}

fn alerting(group: &Group) -> Vec<&AlertingRule> {
    let rules = group.rules.iter();
    rules
        .filter_map(|rule| match rule {
            Rule::Alerting(rule) => Some(&**rule),
            Rule::Recording(_) => None,
        })
        .collect()
}

#[test]
fn a_rule_file_of_prometheus_is_read_unchanged() {
    let groups = rules(
        r"
groups:
  - name: node
    interval: 30s
    limit: 10
    query_offset: 1m
    labels: {team: ops}
    rules:
      - record: instance:cpu:rate5m
        expr: sum by (instance) (rate(node_cpu_seconds_total[5m]))
        labels: {kind: aggregate}
      - alert: DiskWillFill
        expr: |
          predict_linear(node_filesystem_avail_bytes[6h], 86400) < 0
          and node_filesystem_readonly == 0
        for: 1h30m
        keep_firing_for: 10m
        labels:
          severity: critical
        annotations:
          summary: 'Disk of {{ $labels.instance }} is {{ $value | humanize }}'
",
    );
    let [group] = groups.as_slice() else { panic!("one group") };
    assert_eq!((group.name.as_str(), group.interval_ms), ("node", Some(30_000)));
    assert_eq!((group.limit, group.offset_ms), (10, 60_000));
    let Rule::Recording(recording) = &group.rules[0] else { panic!("a recording rule") };
    assert_eq!(recording.record, "instance:cpu:rate5m");
    assert_eq!(recording.labels["team"], "ops");
    let rule = alerting(group)[0];
    assert_eq!((rule.for_ms, rule.keep_firing_for_ms), (5_400_000, 600_000));
    assert_eq!(rule.labels.keys().collect::<Vec<_>>(), ["severity", "team"]);
    assert!(rule.annotations.contains_key("summary"));
}

#[test]
fn the_simple_form_is_an_expression() {
    let groups = rules(
        "groups:
- name: simple
  rules:
  - {alert: Cpu, metric: cpu_usage, greater_than: 80, clear: 70, severity: warning, for: 5m}
  - {alert: Free, metric: 'disk_free_gb{drive=\"C:\"}', less_than: 1.5}
  - {alert: Dead, metric: service_up, equals: 0}
",
    );
    let found = alerting(&groups[0]);
    let texts: Vec<_> = found
        .iter()
        .map(|rule| (rule.query.text(), rule.clear.as_ref().map(barograph_promql::Query::text)))
        .collect();
    assert_eq!(
        texts,
        [
            ("cpu_usage > 80", Some("cpu_usage <= 70")),
            ("disk_free_gb{drive=\"C:\"} < 1.5", None),
            ("service_up == 0", None),
        ]
    );
    let threshold = found[0].threshold.clone().unwrap();
    assert_eq!((threshold.value, threshold.clear), (80.0, Some(70.0)));
}

#[test]
fn what_barograph_adds_is_read() {
    let groups = rules(
        "groups:
- name: g
  rules:
  - alert: A
    expr: x > 1
    clear: x < 0.5
    escalation: night
    runbook: https://example.org/a
    remediation: restart-nginx
    depends_on: [HostSilent]
    evidence: ['rate(x[5m])']
",
    );
    let rule = alerting(&groups[0])[0];
    assert_eq!(rule.clear.as_ref().unwrap().text(), "x < 0.5");
    assert_eq!(rule.escalation.as_deref(), Some("night"));
    assert_eq!(rule.runbook.as_deref(), Some("https://example.org/a"));
    assert_eq!(rule.remediation.as_deref(), Some("restart-nginx"));
    assert_eq!(rule.depends_on, ["HostSilent"]);
    assert_eq!(rule.evidence[0].text(), "rate(x[5m])");
}

#[test]
fn all_mistakes_are_told_with_their_places() {
    check_problems(
        "groups:
- name: a
  interval: often
  rules:
  - alert: Bad
    expr: sum(
    for: 5 minutes
    annotations:
      summary: '{{ $value'
  - record: r
    expr: up
    for: 1m
- name: a
  rules:
  - expr: up
",
        &[
            "3:13: group `a`: `interval` is \"often\": not a valid duration string; such as 30s, 5m, 1h30m",
            "6:11: group `a`, rule `Bad`: could not parse `expr`: 1:5: parse error: unclosed left parenthesis",
            "9:16: group `a`, rule `Bad`: annotation `summary`: template:1: unclosed action",
            "7:10: group `a`, rule `Bad`: `for` is \"5 minutes\": not a valid duration string; such as 30s, 5m, 1h30m",
            "12:10: group `a`, rule `r`: `for` is for alerting rules only",
            "13:9: group `a`: the group's name is given twice in this file",
            "15:5: group `a`, rule 1: one of `record` or `alert` must be set",
        ],
    );
}

#[test]
fn the_simple_form_tells_what_is_missing() {
    let rule = |fields: &str| format!("groups:\n- name: g\n  rules:\n  - {{alert: A, {fields}}}\n");
    for (fields, expected) in [
        ("metric: m", "`metric` needs one of `greater_than`, `less_than` or `equals`"),
        ("metric: m, greater_than: 1, less_than: 3", "`less_than` is one comparison too many"),
        ("metric: m, greater_than: 80, clear: 90", "`clear` is 90, allowed is at most 80"),
        ("expr: m, greater_than: 80", "`greater_than` goes with `metric`, not with `expr`"),
        (
            "expr: m > 1, clear: 5",
            "`clear` as a number goes with `metric`; with `expr` it is an expression",
        ),
        ("metric: m, equals: 1, severity: bad", "`bad` is no severity: info, warning or critical"),
        ("for: 1m", "one of `expr` or `metric` must be set"),
    ] {
        let problems = read_rules(&rule(fields)).unwrap_err();
        assert_eq!(problems[0].message, expected, "{fields}");
    }
}

#[test]
fn an_unknown_field_is_named() {
    let problems = read_rules("groups:\n- name: g\n  rulez: []\n").unwrap_err();
    assert!(problems[0].message.contains("rulez"), "{}", problems[0]);
    assert_eq!(problems[0].line, 3);
}

#[test]
fn empty_files_have_no_rules() {
    for text in ["", "# nothing\n", "groups: []", "groups:\n"] {
        assert!(rules(text).is_empty(), "{text:?}");
    }
}

#[test]
fn explosions_and_nonsense_are_errors() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let refs = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb = format!("{bomb}a{i}: &a{i} [{refs}]\n");
    }
    assert!(read_rules(&bomb).is_err());
    assert!(read_rules(&"[".repeat(100_000)).is_err());
    assert!(read_rules("groups: 5").is_err());
    assert!(read_rules("\u{0}").is_err());
}

#[test]
fn what_public_collections_are_written_in_is_read() {
    let groups = rules(include_str!("tests/collection.yaml"));
    let counts: Vec<(usize, usize)> =
        groups.iter().map(|group| (group.rules.len(), alerting(group).len())).collect();
    assert_eq!(counts, [(3, 3), (3, 1), (7, 7)]);
    let overcommit = alerting(&groups[0])[2];
    assert!(overcommit.annotations["description"].text().ends_with("B.\n"));
    assert_eq!(groups[1].interval_ms, Some(180_000));
}
