//! Lets time pass and compares.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use barograph_model::{Clock, Labels};
use barograph_promql::notation::{self, Value as Written};
use barograph_promql::{
    Engine, MemorySource, Options, Query, Settings, Shorthands, Value, parse_duration,
};
use jiff::Timestamp;

use super::raw::{self, AlertTest, ExprTest, Start, Test};
use super::{Failure, MAX_FILE_BYTES, ReadFile, Report};
use crate::evaluate::Ground;
use crate::machine::{Evaluation, Phase, RuleAlerts, Texts};
use crate::rule::{Group, Rule, read_rules_with};

/// Evaluations of one group; more is a mistake in an interval or a time.
const MAX_EVALUATIONS: i64 = 1_000_000;
/// Fuzzy comparison allows this relative difference, as promtool does.
const FUZZY: f64 = 1e-8;

/// Runs a file of tests. `read_file` gives the rule files that it names, relative to itself; in
/// their expressions, not in the tests' own, shorthands may stand for queries.
///
/// # Errors
/// The file, or a rule file, cannot be understood: all mistakes, in words.
pub fn run(
    text: &str,
    clock: &Arc<dyn Clock>,
    read_file: ReadFile<'_>,
    known: &dyn Shorthands,
) -> Result<Report, Vec<String>> {
    if text.len() > MAX_FILE_BYTES {
        return Err(vec![format!("{} bytes, at most {MAX_FILE_BYTES} are allowed", text.len())]);
    }
    let file: raw::File =
        serde_saphyr::from_str(text).map_err(|error| vec![error.without_snippet().to_string()])?;
    let groups = groups(&file, read_file, known)?;
    let interval_ms = match &file.evaluation_interval {
        Some(text) => duration("evaluation_interval", text).map_err(|error| vec![error])?,
        None => 60_000,
    };
    let mut report = Report::default();
    for (number, test) in (1..).zip(&file.tests) {
        let name = test.name.clone().unwrap_or_else(|| format!("test {number}"));
        let bench = Bench {
            name: &name,
            test,
            groups: &groups,
            interval_ms,
            is_fuzzy: file.fuzzy_compare,
            engine: Engine::new(Settings::default(), Arc::clone(clock)),
        };
        bench.run(&mut report).map_err(|error| vec![format!("{name}: {error}")])?;
    }
    Ok(report)
}

/// The groups of all rule files, in the order that the file asks for.
fn groups(
    file: &raw::File,
    read_file: ReadFile<'_>,
    known: &dyn Shorthands,
) -> Result<Vec<Group>, Vec<String>> {
    let mut groups = Vec::new();
    let mut problems = Vec::new();
    for path in &file.rule_files {
        match read_file(path).map(|text| read_rules_with(&text, known)) {
            Ok(Ok(read)) => groups.extend(read),
            Ok(Err(found)) => problems.extend(found.iter().map(|it| format!("{path}:{it}"))),
            Err(problem) => problems.push(format!("{path}: {problem}")),
        }
    }
    for name in &file.group_eval_order {
        if !groups.iter().any(|group| group.name == *name) {
            problems.push(format!("`group_eval_order` names `{name}`, which no rule file has"));
        }
    }
    let place = |group: &Group| file.group_eval_order.iter().position(|it| *it == group.name);
    groups.sort_by_key(|group| place(group).unwrap_or(usize::MAX));
    if problems.is_empty() { Ok(groups) } else { Err(problems) }
}

fn duration(what: &str, text: &str) -> Result<i64, String> {
    parse_duration(text).map_err(|error| format!("`{what}` is `{text}`: {error}"))
}

struct Bench<'a> {
    name: &'a str,
    test: &'a Test,
    groups: &'a [Group],
    interval_ms: i64,
    is_fuzzy: bool,
    engine: Engine,
}

impl Bench<'_> {
    fn run(&self, report: &mut Report) -> Result<(), String> {
        let start_ms = self.start_ms()?;
        let series = self.series(start_ms)?;
        let mut checks: Vec<(i64, &AlertTest)> = Vec::new();
        for check in &self.test.alerts {
            checks.push((start_ms + duration("eval_time", &check.eval_time)?, check));
        }
        checks.sort_by_key(|(at_ms, _)| *at_ms);
        let mut asked: Vec<(i64, &ExprTest)> = Vec::new();
        for check in &self.test.answers {
            asked.push((start_ms + duration("eval_time", &check.eval_time)?, check));
        }
        let ends = checks.iter().map(|it| it.0).chain(asked.iter().map(|it| it.0));
        let end_ms = ends.max().unwrap_or(start_ms);
        let shortest_ms = self.groups.iter().filter_map(|it| it.interval_ms).min();
        if (end_ms - start_ms) / shortest_ms.unwrap_or(self.interval_ms).max(1) > MAX_EVALUATIONS {
            return Err(format!("comes to more than {MAX_EVALUATIONS} evaluations"));
        }
        let mut world = World::new(self.groups, series);
        let mut checks = checks.into_iter().peekable();
        let mut at_ms = start_ms;
        while at_ms <= end_ms {
            // A check between two evaluations sees what the one before left.
            world.evaluate(self, start_ms, at_ms)?;
            let next_ms = at_ms + self.interval_ms;
            while let Some((_, check)) = checks.next_if(|(time_ms, _)| *time_ms < next_ms) {
                self.check_alerts(check, &world, report);
            }
            at_ms = next_ms;
        }
        for (at_ms, check) in asked {
            self.check_answer(check, at_ms, &world, report)?;
        }
        Ok(())
    }

    fn start_ms(&self) -> Result<i64, String> {
        match &self.test.start_timestamp {
            None => Ok(0),
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            Some(Start::Seconds(seconds)) => Ok((seconds * 1000.0) as i64),
            Some(Start::Text(text)) => match text.parse::<Timestamp>() {
                Ok(at) => Ok(at.as_millisecond()),
                Err(_) => {
                    Err(format!("`start_timestamp` is `{text}`, allowed is a time in RFC 3339"))
                }
            },
        }
    }

    fn series(&self, start_ms: i64) -> Result<MemorySource, String> {
        let interval_ms = match &self.test.interval {
            Some(text) => duration("interval", text)?,
            None => self.interval_ms,
        };
        let mut source = MemorySource::new();
        for input in &self.test.input_series {
            let line = notation::line(&format!("{} {}", input.series, input.values))
                .map_err(|error| format!("series `{}`: {error}", input.series))?;
            for (place, value) in (0..).zip(line.values) {
                match value {
                    Written::Number(value) => {
                        source.push(&line.labels, start_ms + place * interval_ms, value);
                    }
                    Written::Missing => {}
                    Written::Histogram => {
                        let series = &input.series;
                        return Err(format!(
                            "series `{series}`: native histograms are not supported"
                        ));
                    }
                }
            }
        }
        Ok(source)
    }

    fn check_alerts(&self, check: &AlertTest, world: &World<'_>, report: &mut Report) {
        let firing = world.alerts.values().flat_map(RuleAlerts::iter).filter(|alert| {
            alert.phase == Phase::Firing && alert.labels.get("alertname") == Some(&check.alertname)
        });
        let shown = |labels: &Texts, annotations: &Texts| format!("{labels:?} {annotations:?}");
        let mut found: Vec<String> = firing
            .map(|alert| {
                let mut labels = alert.labels.clone();
                labels.remove("alertname");
                shown(&labels, &alert.annotations)
            })
            .collect();
        let mut expected: Vec<String> = check
            .exp_alerts
            .iter()
            .map(|alert| {
                let mut labels = alert.exp_labels.clone();
                labels.remove("alertname");
                shown(&labels, &alert.exp_annotations)
            })
            .collect();
        found.sort();
        expected.sort();
        let is_same = found == expected;
        let what = format!("alert `{}` at {}", check.alertname, check.eval_time);
        self.judge(is_same, what, expected, found, report);
    }

    fn check_answer(
        &self,
        check: &ExprTest,
        at_ms: i64,
        world: &World<'_>,
        report: &mut Report,
    ) -> Result<(), String> {
        let query =
            Query::parse(&check.expr).map_err(|error| format!("`{}`: {error}", check.expr))?;
        let answer = self.engine.instant(&world.source, &query, at_ms, &Options::default());
        let value = answer.map_err(|error| format!("`{}`: {error}", check.expr))?.value;
        let none: [(&str, &str); 0] = [];
        let mut found: Vec<(Labels, f64)> = match value {
            Value::Vector(samples) => samples.into_iter().map(|it| (it.labels, it.value)).collect(),
            Value::Scalar(value) => {
                vec![(Labels::new(none).map_err(|error| error.to_string())?, value)]
            }
            Value::String(_) | Value::Matrix(_) => {
                return Err(format!("`{}` is neither a vector nor a scalar", check.expr));
            }
        };
        let mut expected = Vec::new();
        for sample in &check.exp_samples {
            if sample.histogram.is_some() {
                return Err("native histograms are not supported".to_owned());
            }
            let line = notation::line(&sample.labels)
                .map_err(|error| format!("labels `{}`: {error}", sample.labels))?;
            expected.push((line.labels, sample.value.unwrap_or(0.0)));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let pairs = found.iter().zip(&expected);
        let is_same = found.len() == expected.len()
            && pairs.into_iter().all(|(a, b)| a.0 == b.0 && self.is_near(a.1, b.1));
        let shown = |samples: Vec<(Labels, f64)>| {
            samples.iter().map(|(labels, value)| format!("{labels} {value}")).collect::<Vec<_>>()
        };
        let what = format!("`{}` at {}", check.expr, check.eval_time);
        self.judge(is_same, what, shown(expected), shown(found), report);
        Ok(())
    }

    fn is_near(&self, a: f64, b: f64) -> bool {
        let is_close = (a - b).abs() <= FUZZY * a.abs().max(b.abs());
        let is_same = a.partial_cmp(&b).map_or(a.is_nan() && b.is_nan(), Ordering::is_eq);
        is_same || (self.is_fuzzy && is_close)
    }

    fn judge(
        &self,
        is_same: bool,
        what: String,
        expected: Vec<String>,
        found: Vec<String>,
        report: &mut Report,
    ) {
        if is_same {
            report.passed += 1;
        } else {
            let test = self.name.to_owned();
            report.failures.push(Failure { test, what, expected, found });
        }
    }
}

/// The series and alerts as they are at a moment of a test.
struct World<'a> {
    groups: &'a [Group],
    source: MemorySource,
    /// By group and rule.
    alerts: BTreeMap<(usize, usize), RuleAlerts>,
    evaluated_ms: Vec<Option<i64>>,
}

impl<'a> World<'a> {
    fn new(groups: &'a [Group], source: MemorySource) -> Self {
        Self { groups, source, alerts: BTreeMap::new(), evaluated_ms: vec![None; groups.len()] }
    }

    /// Evaluates the groups that are due, rule by rule, so that each sees what those before it
    /// recorded.
    fn evaluate(&mut self, bench: &Bench<'_>, start_ms: i64, at_ms: i64) -> Result<(), String> {
        for (number, group) in self.groups.iter().enumerate() {
            let interval_ms = group.interval_ms.unwrap_or(bench.interval_ms);
            if (at_ms - start_ms) % interval_ms != 0 {
                continue;
            }
            let before_ms = self.evaluated_ms.get_mut(number).and_then(|it| it.replace(at_ms));
            let elapsed_ms = before_ms.map_or(0, |it| at_ms - it);
            for (place, rule) in group.rules.iter().enumerate() {
                let ground = Ground {
                    engine: &bench.engine,
                    source: &self.source,
                    external_labels: &bench.test.external_labels,
                    external_url: &bench.test.external_url,
                    cancel: None,
                };
                let failed = |error| format!("rule `{}` at {at_ms} ms: {error}", rule.name());
                match rule {
                    Rule::Recording(rule) => {
                        let records = ground.records(rule, at_ms, group.limit).map_err(failed)?;
                        for (labels, value) in records {
                            self.source.push(&labels, at_ms, value);
                        }
                    }
                    Rule::Alerting(rule) => {
                        let answer = ground.alerts(rule, at_ms, group.limit).map_err(failed)?;
                        let evaluation = Evaluation {
                            at_ms,
                            elapsed_ms,
                            answered: answer.answered,
                            cleared: answer.cleared,
                            is_silent: &|_| false,
                        };
                        let alerts = self.alerts.entry((number, place)).or_default();
                        alerts.step(rule, evaluation);
                    }
                }
            }
        }
        Ok(())
    }
}
