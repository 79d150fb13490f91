//! States over time, step by step and at random.

use proptest::prelude::*;

use super::TransitionKind::{
    Dropped, Fired, Known, Pending, Resolved, StartedFlapping, StoppedFlapping, Unknown,
};
use std::sync::Arc;

use super::*;
use crate::rule::{Rule, read_rules};

const STEP_MS: i64 = 10_000;

fn rule(fields: &str) -> AlertingRule {
    let text = format!("groups: [{{name: g, rules: [{{alert: A, expr: x > 1{fields}}}]}}]");
    match read_rules(&text).unwrap().remove(0).rules.remove(0) {
        Rule::Alerting(rule) => Arc::unwrap_or_clone(rule),
        Rule::Recording(_) => unreachable!("the rule is an alerting one"),
    }
}

fn host(name: &str) -> Texts {
    Texts::from([("host".to_owned(), name.to_owned())])
}

/// A rule and its alerts, evaluated every ten seconds.
struct Bench {
    rule: AlertingRule,
    alerts: RuleAlerts,
    at_ms: i64,
}

impl Bench {
    fn new(fields: &str) -> Self {
        Self { rule: rule(fields), alerts: RuleAlerts::default(), at_ms: 0 }
    }

    /// One evaluation that answers these hosts.
    fn step(&mut self, answered: &[&str]) -> Vec<(TransitionKind, String)> {
        self.evaluate(answered, None, &[])
    }

    fn evaluate(
        &mut self,
        answered: &[&str],
        cleared: Option<&[&str]>,
        silent: &[&str],
    ) -> Vec<(TransitionKind, String)> {
        self.at_ms += STEP_MS;
        let answers = answered.iter().map(|name| Answered {
            series: host(name),
            labels: host(name),
            annotations: Texts::new(),
            value: self.at_ms as f64,
        });
        let evaluation = Evaluation {
            at_ms: self.at_ms,
            elapsed_ms: STEP_MS,
            answered: answers.collect(),
            cleared: cleared.map(|hosts| hosts.iter().map(|name| host(name)).collect()),
            is_silent: &|series| silent.iter().any(|name| series == &host(name)),
        };
        let transitions = self.alerts.step(&self.rule, evaluation);
        transitions.into_iter().map(|it| (it.kind, it.alert.labels["host"].clone())).collect()
    }

    fn kinds(&mut self, answered: &[&str]) -> Vec<TransitionKind> {
        self.step(answered).into_iter().map(|(kind, _)| kind).collect()
    }

    fn phase(&self) -> Phase {
        self.alerts.iter().next().unwrap().phase
    }
}

#[test]
fn without_for_an_alert_fires_at_once_and_ends_with_its_series() {
    let mut bench = Bench::new("");
    assert_eq!(bench.step(&["b", "a"]), [(Fired, "a".into()), (Fired, "b".into())]);
    assert_eq!(bench.step(&["a"]), [(Resolved, "b".into())]);
    assert_eq!(bench.step(&["a"]), []);
    assert_eq!(bench.step(&[]), [(Resolved, "a".into())]);
}

#[test]
fn an_alert_fires_after_its_time_and_an_interruption_starts_anew() {
    let mut bench = Bench::new(", for: 20s");
    assert_eq!(bench.kinds(&["a"]), [Pending]);
    assert_eq!(bench.kinds(&["a"]), []);
    assert_eq!(bench.kinds(&[]), [Dropped]);
    assert_eq!(bench.kinds(&["a"]), [Pending]);
    assert_eq!(bench.kinds(&["a"]), []);
    assert_eq!(bench.kinds(&["a"]), [Fired]);
    let alert = bench.alerts.iter().next().unwrap();
    assert_eq!((alert.active_ms, alert.fired_ms), (40_000, Some(60_000)));
    assert_eq!(alert.generation, 1);
}

#[test]
fn an_alert_keeps_firing_as_long_as_it_is_told_to() {
    let mut bench = Bench::new(", keep_firing_for: 20s");
    bench.step(&["a"]);
    assert_eq!(bench.kinds(&[]), []);
    assert_eq!(bench.kinds(&["a"]), [], "it is answered again, and the time starts anew");
    // The time begins with the first evaluation that does not answer it, as in Prometheus.
    for _ in 0..2 {
        assert_eq!(bench.kinds(&[]), []);
    }
    assert_eq!(bench.kinds(&[]), [Resolved]);
}

#[test]
fn between_its_two_thresholds_an_alert_stays_as_it_is() {
    let mut bench = Bench::new(", clear: x < 0");
    bench.evaluate(&["a"], Some(&[]), &[]);
    assert_eq!(bench.evaluate(&[], Some(&[]), &[]), []);
    assert_eq!(bench.phase(), Phase::Firing);
    assert_eq!(bench.evaluate(&[], Some(&["b"]), &[]), []);
    assert_eq!(bench.evaluate(&[], Some(&["a"]), &[]), [(Resolved, "a".into())]);
}

#[test]
fn a_silent_host_makes_its_alerts_unknown_and_never_ends_them() {
    let mut bench = Bench::new("");
    bench.step(&["a"]);
    assert_eq!(bench.evaluate(&[], None, &["a"]), [(Unknown, "a".into())]);
    assert_eq!(bench.evaluate(&[], None, &["a"]), []);
    assert_eq!(bench.phase(), Phase::Firing);
    assert_eq!(bench.step(&["a"]), [(Known, "a".into())]);
    bench.evaluate(&[], None, &["a"]);
    assert_eq!(bench.step(&[]), [(Known, "a".into()), (Resolved, "a".into())]);
}

#[test]
fn while_its_host_is_silent_a_pending_alert_waits() {
    let mut bench = Bench::new(", for: 20s");
    bench.step(&["a"]);
    bench.step(&["a"]);
    for _ in 0..10 {
        bench.evaluate(&[], None, &["a"]);
    }
    assert_eq!(bench.step(&["a"]), [(Known, "a".into()), (Fired, "a".into())]);
}

#[test]
fn an_alert_that_fires_again_and_again_flaps_until_it_is_calm() {
    let mut bench = Bench::new("");
    let mut told = Vec::new();
    for _ in 0..6 {
        told.extend(bench.kinds(&["a"]));
        told.extend(bench.kinds(&[]));
    }
    assert_eq!(told.iter().filter(|kind| **kind == StartedFlapping).count(), 1);
    let calm = (0..400).flat_map(|_| bench.kinds(&[])).collect::<Vec<_>>();
    assert_eq!(calm, [StoppedFlapping]);
    assert_eq!(bench.alerts.iter().count(), 0, "it is forgotten in the end");
}

#[test]
fn what_was_saved_goes_on_where_it_was() {
    let mut bench = Bench::new(", for: 20s");
    bench.step(&["a"]);
    bench.step(&["a"]);
    let saved: Vec<Alert> = bench.alerts.iter().cloned().collect();
    bench.alerts = RuleAlerts::restore(saved);
    assert_eq!(bench.kinds(&["a"]), [Fired]);
}

#[test]
fn an_alert_that_comes_back_is_the_same_in_its_next_generation() {
    let mut bench = Bench::new("");
    bench.step(&["a"]);
    bench.step(&[]);
    assert_eq!(bench.kinds(&["a"]), [Fired]);
    assert_eq!(bench.alerts.iter().next().unwrap().generation, 2);
}

proptest! {
    /// An alert fires exactly when its series was answered without a break for long enough.
    #[test]
    fn firing_is_what_the_answers_of_the_past_say(
        answers in prop::collection::vec(any::<bool>(), 1..60),
        for_steps in 0_usize..5,
    ) {
        let mut bench = Bench::new(&format!(", for: {}s", for_steps * 10));
        for end in 0..answers.len() {
            bench.step(if answers[end] { &["a"] } else { &[] });
            let run = answers[..=end].iter().rev().take_while(|it| **it).count();
            let fires = bench.alerts.iter().any(|it| it.phase == Phase::Firing);
            prop_assert_eq!(fires, run > for_steps);
        }
    }

    /// Whatever happens, each alert's transitions make sense one after the other.
    #[test]
    fn transitions_follow_each_other(
        steps in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 1..80),
        for_steps in 0_i64..3,
        keep_steps in 0_i64..3,
    ) {
        let fields = format!(
            ", for: {}s, keep_firing_for: {}s, clear: x < 0", for_steps * 10, keep_steps * 10
        );
        let mut bench = Bench::new(&fields);
        let mut fires = false;
        for (answered, cleared, silent) in steps {
            let list = |it: bool| if it { &["a"][..] } else { &[][..] };
            for (kind, _) in bench.evaluate(list(answered), Some(list(cleared)), list(silent)) {
                match kind {
                    Fired => { prop_assert!(!fires); fires = true; }
                    Resolved => { prop_assert!(fires && !silent); fires = false; }
                    Pending | Dropped => prop_assert!(!fires),
                    _ => {}
                }
            }
            let phase = bench.alerts.iter().next().map(|it| it.phase);
            prop_assert_eq!(fires, phase == Some(Phase::Firing));
        }
    }
}
