//! What a rule would have done on history: how often it would have fired, for how long, on what.
//!
//! What recording rules beside it would have recorded is evaluated first, so that a file that was
//! never loaded is tested as a whole.

mod needed;
mod recorded;

use std::collections::{BTreeMap, BTreeSet};

use barograph_promql::{EvalError, Options, Query, Series, Value};

use crate::evaluate::Ground;
use crate::machine::{Answered, Evaluation, Phase, RuleAlerts, Texts, TransitionKind, texts};
use crate::rule::AlertingRule;

pub use needed::Recording;
use needed::{Needed, needed};
use recorded::Recorded;

/// Firings that are listed one by one.
const MAX_FIRINGS: usize = 1000;
/// Steps that are asked for at once.
const PART_STEPS: i64 = 2000;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Backtest {
    pub from_ms: i64,
    pub to_ms: i64,
    pub step_ms: i64,
    /// How often it fired, and for how long in all.
    pub fired: usize,
    pub firing_ms: i64,
    /// How often it was pending without firing.
    pub dropped: usize,
    /// The first [`MAX_FIRINGS`], in order of their beginning.
    pub firings: Vec<Firing>,
    /// The names that were read as the recording rules beside it would have recorded them.
    pub recorded: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// Of the series.
    pub labels: Texts,
    pub from_ms: i64,
    /// `None`: it still fires at the end.
    pub to_ms: Option<i64>,
    /// The largest and the smallest value while it fired.
    pub max: f64,
    pub min: f64,
}

/// Lets a rule be evaluated from one time to another, at every step. Its labels and texts are not
/// filled in. Of the recording rules those are evaluated that it reads, directly or not.
///
/// # Errors
/// An expression cannot be evaluated, or rules would record too much.
pub fn backtest(
    ground: &Ground<'_>,
    rule: &AlertingRule,
    recordings: &[Recording<'_>],
    (from_ms, to_ms): (i64, i64),
    step_ms: i64,
) -> Result<Backtest, EvalError> {
    let step_ms = step_ms.max(1);
    let lookback = ground.engine.settings().lookback.as_millis();
    let needed = needed(rule, recordings, i64::try_from(lookback).unwrap_or(i64::MAX));
    let names: BTreeSet<&str> = needed.iter().map(|it| it.recording.rule.record.as_str()).collect();
    let recorded = names.into_iter().map(str::to_owned).collect();
    let mut run = Run {
        rule,
        alerts: RuleAlerts::default(),
        open: BTreeMap::new(),
        result: Backtest { from_ms, to_ms, step_ms, recorded, ..Backtest::default() },
    };
    let mut at_ms = from_ms;
    while at_ms <= to_ms {
        // A part at a time, so that a long history needs no more memory than a short one.
        let end_ms = to_ms.min(at_ms.saturating_add(step_ms.saturating_mul(PART_STEPS - 1)));
        let source = record(ground, &needed, (at_ms, end_ms), step_ms)?;
        let ground = Ground { source: &source, ..*ground };
        let ask = |query: &Query| ask(&ground, query, (at_ms, end_ms), step_ms);
        let mut answers = Cursor::new(ask(&rule.query)?);
        let mut clears = rule.clear.as_ref().map(ask).transpose()?.map(Cursor::new);
        while at_ms <= end_ms {
            let cleared = clears.as_mut().map(|it| it.answered(at_ms));
            run.step(at_ms, answers.answered(at_ms), cleared);
            at_ms = at_ms.saturating_add(step_ms);
        }
    }
    Ok(run.finish())
}

/// What rules would have recorded for the evaluations of a part.
fn record<'a>(
    ground: &Ground<'a>,
    needed: &[Needed<'a>],
    (from_ms, to_ms): (i64, i64),
    step_ms: i64,
) -> Result<Recorded<'a>, EvalError> {
    let mut source = Recorded::new(ground.source);
    for Needed { recording, before_ms } in needed {
        // As often as the rule is evaluated, and whenever the alert is.
        let times = step_ms.div_euclid(recording.interval_ms.max(1)).max(1);
        let own_step_ms = (step_ms / times).max(1);
        let steps = before_ms.div_euclid(own_step_ms) + 1;
        let start_ms = from_ms.saturating_sub(steps.saturating_mul(own_step_ms));
        source.add(ground, recording.rule, (start_ms, to_ms), own_step_ms)?;
    }
    Ok(source)
}

fn ask(
    ground: &Ground<'_>,
    query: &Query,
    (from_ms, to_ms): (i64, i64),
    step_ms: i64,
) -> Result<Vec<Series>, EvalError> {
    let options = Options { cancel: ground.cancel, ..Options::default() };
    let answer = ground.engine.range(ground.source, query, from_ms, to_ms, step_ms, &options)?;
    match answer.value {
        Value::Matrix(series) => Ok(series),
        _ => Ok(Vec::new()),
    }
}

/// A rule on its way through history.
struct Run<'a> {
    rule: &'a AlertingRule,
    alerts: RuleAlerts,
    open: BTreeMap<Texts, Firing>,
    result: Backtest,
}

impl Run<'_> {
    fn step(&mut self, at_ms: i64, answered: Vec<Answered>, cleared: Option<Vec<Answered>>) {
        let evaluation = Evaluation {
            at_ms,
            elapsed_ms: self.result.step_ms,
            answered,
            cleared: cleared.map(|all| all.into_iter().map(|it| it.series).collect()),
            is_silent: &|_| false,
        };
        for transition in self.alerts.step(self.rule, evaluation) {
            match transition.kind {
                TransitionKind::Fired => {
                    self.result.fired += 1;
                    let alert = transition.alert;
                    let (labels, value) = (alert.labels.clone(), alert.value);
                    let firing =
                        Firing { labels, from_ms: at_ms, to_ms: None, max: value, min: value };
                    self.open.insert(alert.labels, firing);
                }
                TransitionKind::Resolved => {
                    if let Some(firing) = self.open.remove(&transition.alert.labels) {
                        self.result.end(firing, Some(at_ms));
                    }
                }
                TransitionKind::Dropped => self.result.dropped += 1,
                _ => {}
            }
        }
        for alert in self.alerts.iter().filter(|it| it.phase == Phase::Firing) {
            if let Some(firing) = self.open.get_mut(&alert.labels) {
                firing.max = firing.max.max(alert.value);
                firing.min = firing.min.min(alert.value);
            }
        }
    }

    fn finish(self) -> Backtest {
        let mut result = self.result;
        for firing in self.open.into_values() {
            result.end(firing, None);
        }
        result.firings.sort_by(|a, b| (a.from_ms, &a.labels).cmp(&(b.from_ms, &b.labels)));
        result.firings.truncate(MAX_FIRINGS);
        result
    }
}

impl Backtest {
    fn end(&mut self, mut firing: Firing, to_ms: Option<i64>) {
        firing.to_ms = to_ms;
        self.firing_ms += to_ms.unwrap_or(self.to_ms) - firing.from_ms;
        // Far more than are listed would only take memory.
        if self.firings.len() < 10 * MAX_FIRINGS {
            self.firings.push(firing);
        }
    }
}

/// Walks through series step by step.
struct Cursor {
    series: Vec<(Texts, Series, usize)>,
}

impl Cursor {
    fn new(series: Vec<Series>) -> Self {
        Self { series: series.into_iter().map(|it| (texts(&it.labels), it, 0)).collect() }
    }

    fn answered(&mut self, at_ms: i64) -> Vec<Answered> {
        let mut answered = Vec::new();
        for (labels, series, place) in &mut self.series {
            if series.samples.times.get(*place) == Some(&at_ms) {
                let value = series.samples.values.get(*place).copied().unwrap_or(f64::NAN);
                *place += 1;
                answered.push(Answered {
                    series: labels.clone(),
                    labels: labels.clone(),
                    annotations: Texts::new(),
                    value,
                });
            }
        }
        answered
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use barograph_promql::{Engine, MemorySource, Settings, notation};
    use barograph_testkit::FakeClock;

    use super::*;
    use crate::rule::{Rule, read_rules};

    const MINUTE: i64 = 60_000;

    /// Runs a rule over series of one value per minute.
    fn attempt(fields: &str, lines: &[&str], minutes: i64) -> Result<Backtest, EvalError> {
        let mut source = MemorySource::new();
        for text in lines {
            let line = notation::line(text).unwrap();
            for (place, value) in (0..).zip(line.values) {
                if let notation::Value::Number(value) = value {
                    source.push(&line.labels, place * MINUTE, value);
                }
            }
        }
        let text = format!("groups: [{{name: g, rules: [{{alert: A, {fields}}}]}}]");
        let group = read_rules(&text).unwrap().remove(0);
        let (mut alerts, mut recordings) = (Vec::new(), Vec::new());
        for rule in &group.rules {
            match rule {
                Rule::Alerting(rule) => alerts.push(rule),
                Rule::Recording(rule) => recordings.push(Recording { rule, interval_ms: MINUTE }),
            }
        }
        let engine = Engine::new(Settings::default(), Arc::new(FakeClock::new(0)));
        let ground = Ground {
            engine: &engine,
            source: &source,
            external_labels: &BTreeMap::new(),
            external_url: "",
            cancel: None,
        };
        backtest(&ground, alerts[0], &recordings, (0, minutes * MINUTE), MINUTE)
    }

    fn run(fields: &str, lines: &[&str], minutes: i64) -> Backtest {
        attempt(fields, lines, minutes).unwrap()
    }

    #[test]
    fn firings_are_counted_measured_and_named() {
        let lines = ["cpu{host=\"a\"} 10x4 90 95x3 10x10 90 10x5", "cpu{host=\"b\"} 10x17 99x30"];
        let found = run("metric: cpu, greater_than: 80, for: 2m", &lines, 40);
        assert_eq!((found.fired, found.dropped), (2, 1));
        let told: Vec<_> = found
            .firings
            .iter()
            .map(|it| (it.labels["host"].as_str(), it.from_ms / MINUTE, it.to_ms, it.max))
            .collect();
        assert_eq!(told, [("a", 7, Some(10 * MINUTE), 95.0), ("b", 20, None, 99.0)]);
        assert_eq!(found.firing_ms, (3 + 20) * MINUTE);
    }

    #[test]
    fn a_long_history_is_asked_for_in_parts() {
        let line = ["cpu 10x1990 90x20 10x3000"];
        let found = run("metric: cpu, greater_than: 80, for: 5m", &line, 5000);
        let told: Vec<_> = found.firings.iter().map(|it| (it.from_ms, it.to_ms)).collect();
        assert_eq!(told, [(1996 * MINUTE, Some(2012 * MINUTE))]);
    }

    #[test]
    fn hysteresis_makes_one_firing_of_many() {
        let line = ["cpu 90 75 90 75 90 75 60 50x5"];
        assert_eq!(run("metric: cpu, greater_than: 80", &line, 10).fired, 3);
        let calm = run("metric: cpu, greater_than: 80, clear: 70", &line, 10);
        assert_eq!((calm.fired, calm.firing_ms), (1, 6 * MINUTE));
    }

    #[test]
    fn what_the_file_records_is_evaluated_first_and_goes_before_what_is_stored() {
        let lines = ["cpu{core=\"0\"} 10x4 90x5 10x20", "cpu{core=\"1\"} 20x29", "cpu:max 99x29"];
        let fields = "expr: 'cpu:max:mean5m > 50', for: 1m}, \
                      {record: 'cpu:max:mean5m', expr: 'avg_over_time(cpu:max[5m])'}, \
                      {record: 'cpu:max', expr: max(cpu)";
        let found = run(fields, &lines, 29);
        assert_eq!(found.recorded, ["cpu:max", "cpu:max:mean5m"]);
        let told: Vec<_> = found.firings.iter().map(|it| (it.from_ms, it.to_ms)).collect();
        // Of the means 20, 34, 48, 62, 76, 90, 90, 76, 62, 48 … from the fourth minute on.
        assert_eq!(told, [(8 * MINUTE, Some(13 * MINUTE))]);
    }

    #[test]
    fn a_series_that_a_rule_no_longer_records_ends() {
        let line = ["cpu 90x3 10x20"];
        let fields = "expr: 'cpu:high == 90'}, {record: 'cpu:high', expr: cpu > 80";
        let found = run(fields, &line, 20);
        let told: Vec<_> = found.firings.iter().map(|it| (it.from_ms, it.to_ms)).collect();
        assert_eq!(told, [(0, Some(4 * MINUTE))]);
    }

    #[test]
    fn records_that_look_alike_are_an_error_that_names_the_rule() {
        let lines = ["cpu{core=\"0\"} 1x9", "cpu{core=\"1\"} 1x9"];
        let fields = "expr: 'r > 0'}, {record: r, expr: cpu, labels: {core: ''}";
        let error = attempt(fields, &lines, 9).unwrap_err().to_string();
        assert!(error.starts_with("recording rule `r`: vector contains metrics"), "{error}");
    }
}
