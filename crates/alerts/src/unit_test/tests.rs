//! Files of tests, run.

use std::sync::Arc;

use barograph_model::Clock;
use barograph_promql::NoShorthands;
use barograph_testkit::FakeClock;

use super::*;

const RULES: &str = "
groups:
- name: example
  rules:
  - alert: InstanceDown
    expr: up == 0
    for: 5m
    labels: {severity: page}
    annotations:
      summary: 'Instance {{ $labels.instance }} down'
  - record: job:up:sum
    expr: sum by (job) (up)
";

fn run_with(tests: &str) -> Result<Report, Vec<String>> {
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::new(0));
    let read = |path: &str| match path {
        "rules.yml" => Ok(RULES.to_owned()),
        "bad.yml" => Ok("groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]".to_owned()),
        _ => Err("no such file".to_owned()),
    };
    run(tests, &clock, &read, &NoShorthands)
}

const TESTS: &str = "
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- name: down
  interval: 1m
  input_series:
  - series: 'up{job=\"node\", instance=\"a:9100\"}'
    values: '1x2 0x20'
  - series: 'up{job=\"node\", instance=\"b:9100\"}'
    values: '1x30'
  alert_rule_test:
  - eval_time: 7m
    alertname: InstanceDown
  - eval_time: 8m
    alertname: InstanceDown
    exp_alerts:
    - exp_labels: {severity: page, job: node, instance: 'a:9100'}
      exp_annotations: {summary: 'Instance a:9100 down'}
  promql_expr_test:
  - expr: job:up:sum
    eval_time: 1m
    exp_samples:
    - {labels: 'job:up:sum{job=\"node\"}', value: 2}
  - expr: 'job:up:sum > 1'
    eval_time: 10m
";

#[test]
fn a_file_as_promtool_reads_it_passes() {
    assert_eq!(run_with(TESTS), Ok(Report { passed: 4, failures: Vec::new() }));
}

#[test]
fn what_differs_is_shown_both_ways() {
    let wrong = TESTS.replace("value: 2}", "value: 3}").replace("eval_time: 8m", "eval_time: 6m");
    let report = run_with(&wrong).unwrap();
    assert_eq!(report.passed, 2);
    let [alert, sample] = report.failures.as_slice() else { panic!("{report:?}") };
    assert_eq!((alert.test.as_str(), alert.what.as_str()), ("down", "alert `InstanceDown` at 6m"));
    assert!(alert.found.is_empty() && alert.expected.len() == 1);
    assert_eq!(sample.expected, ["job:up:sum{job=\"node\"} 3"]);
    assert_eq!(sample.found, ["job:up:sum{job=\"node\"} 2"]);
}

#[test]
fn fuzzy_comparison_forgives_rounding() {
    let tests = |fuzzy: bool| {
        format!(
            "{{fuzzy_compare: {fuzzy}, tests: [{{promql_expr_test: [{{expr: '0.1 + 0.2', eval_time: 0,
              exp_samples: [{{labels: '{{}}', value: 0.3}}]}}]}}]}}"
        )
    };
    assert_eq!(run_with(&tests(true)).unwrap().passed, 1);
    assert_eq!(run_with(&tests(false)).unwrap().failures.len(), 1);
}

#[test]
fn tests_can_begin_at_any_time() {
    let tests = "
tests:
- start_timestamp: 2026-01-01T00:00:00Z
  input_series: [{series: x, values: '1x5'}]
  promql_expr_test:
  - {expr: 'timestamp(x)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1767225660}]}
";
    assert_eq!(run_with(tests), Ok(Report { passed: 1, failures: Vec::new() }));
}

#[test]
fn mistakes_are_told_all_at_once() {
    let errors = run_with("rule_files: [bad.yml, none.yml]\ngroup_eval_order: [x]").unwrap_err();
    let expected = [
        "bad.yml:1:45: group `g`, rule `A`: could not parse `expr`: 1:5: parse error: unclosed left parenthesis",
        "none.yml: no such file",
        "`group_eval_order` names `x`, which no rule file has",
    ];
    assert_eq!(errors, expected);
    let series = "tests: [{input_series: [{series: x, values: '1 many'}]}]";
    let errors = run_with(series).unwrap_err();
    assert!(errors[0].starts_with("test 1: series `x`: `many` is no value"), "{errors:?}");
    assert!(run_with("tests: 5").is_err());
    let endless = "tests: [{interval: 1ms, alert_rule_test: [{eval_time: 90y, alertname: A}]}]";
    assert!(run_with(endless).unwrap_err()[0].contains("more than 1000000 evaluations"));
}
