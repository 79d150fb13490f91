//! From a rule file's text to rules, with all of its mistakes at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use barograph_model::METRIC_NAME;
use barograph_promql::{NoShorthands, Query, Shorthands, parse_duration};
use barograph_template::Template;
use serde_saphyr::{Options, Spanned};

use super::raw::{self, Scalar};
use super::{AlertingRule, Comparison, Group, Problem, RecordingRule, Rule, Severity, Threshold};
use crate::document::{is_blank, position, syntax};

/// A larger file is not one of rules.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
/// Rules in one file.
pub const MAX_RULES: usize = 20_000;
/// Mistakes that are told; the others are likely to follow from them.
const MAX_PROBLEMS: usize = 100;
const SEVERITY: &str = "severity";

/// Reads a rule file.
///
/// # Errors
/// All mistakes that were found.
pub fn read_rules(text: &str) -> Result<Vec<Group>, Vec<Problem>> {
    read_rules_with(text, &NoShorthands)
}

/// Reads a rule file in whose expressions shorthands may stand for queries.
///
/// # Errors
/// All mistakes that were found.
pub fn read_rules_with(text: &str, known: &dyn Shorthands) -> Result<Vec<Group>, Vec<Problem>> {
    if text.len() > MAX_FILE_BYTES {
        let bytes = text.len();
        let message = format!("the file has {bytes} bytes, at most {MAX_FILE_BYTES} are allowed");
        return Err(vec![Problem::whole(message)]);
    }
    let file: raw::File = if is_blank(text) {
        raw::File { groups: Vec::new() }
    } else {
        let options = Options::default();
        serde_saphyr::from_str_with_options(text, options).map_err(|error| vec![syntax(&error)])?
    };
    let mut reader = Reader { known, problems: Vec::new(), place: String::new(), rules: 0 };
    let groups = reader.groups(&file);
    if reader.problems.is_empty() {
        return Ok(groups);
    }
    reader.problems.truncate(MAX_PROBLEMS);
    Err(reader.problems)
}

struct Reader<'a> {
    known: &'a dyn Shorthands,
    problems: Vec<Problem>,
    /// Group and rule that are being read.
    place: String,
    rules: usize,
}

impl Reader<'_> {
    fn wrong<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        let (line, column) = position(&at.defined);
        let (place, message) = (self.place.clone(), message.into());
        self.problems.push(Problem { line, column, place, message });
    }

    fn groups(&mut self, file: &raw::File) -> Vec<Group> {
        let mut names = BTreeSet::new();
        let mut groups = Vec::new();
        for group in &file.groups {
            let name = &group.name;
            self.place = format!("group `{}`", name.value);
            if name.value.is_empty() {
                self.wrong(name, "the group has no name");
            }
            if !names.insert(&name.value) {
                self.wrong(name, "the group's name is given twice in this file");
            }
            groups.push(self.group(group));
        }
        groups
    }

    fn group(&mut self, group: &raw::Group) -> Group {
        let interval_ms = group.interval.as_ref().map(|it| self.duration("interval", it));
        let offset = group.query_offset.as_ref().map(|it| self.duration("query_offset", it));
        let shared = self.labels(&group.labels);
        let group_place = self.place.clone();
        let mut rules = Vec::new();
        for rule in &group.rules {
            self.rules += 1;
            if self.rules > MAX_RULES {
                self.wrong(rule, format!("more than {MAX_RULES} rules in one file"));
                break;
            }
            let name = rule.value.alert.as_ref().or(rule.value.record.as_ref());
            self.place = match name {
                Some(name) => format!("{group_place}, rule `{}`", name.value),
                None => format!("{group_place}, rule {}", rules.len() + 1),
            };
            rules.extend(self.rule(rule, &shared));
        }
        Group {
            name: group.name.value.clone(),
            interval_ms: interval_ms.filter(|it| *it > 0),
            limit: group.limit.as_ref().map_or(0, |it| it.value as usize),
            offset_ms: offset.unwrap_or(0),
            rules,
        }
    }

    fn rule(
        &mut self,
        rule: &Spanned<raw::Rule>,
        shared: &BTreeMap<String, String>,
    ) -> Option<Rule> {
        match (&rule.value.record, &rule.value.alert) {
            (None, None) => self.wrong(rule, "one of `record` or `alert` must be set"),
            (Some(record), Some(_)) => {
                self.wrong(record, "only one of `record` and `alert` may be set");
            }
            (Some(record), None) => return self.recording(rule, record, shared),
            (None, Some(alert)) => return self.alerting(rule, alert, shared),
        }
        None
    }

    fn recording(
        &mut self,
        rule: &Spanned<raw::Rule>,
        record: &Spanned<String>,
        shared: &BTreeMap<String, String>,
    ) -> Option<Rule> {
        let raw = &rule.value;
        let only_alerts = [
            ("for", raw.for_.as_ref().map(|it| &it.defined)),
            ("keep_firing_for", raw.keep_firing_for.as_ref().map(|it| &it.defined)),
            ("annotations", raw.annotations.values().next().map(|it| &it.defined)),
            ("metric", raw.metric.as_ref().map(|it| &it.defined)),
            ("clear", raw.clear.as_ref().map(|it| &it.defined)),
            ("severity", raw.severity.as_ref().map(|it| &it.defined)),
            ("escalation", raw.escalation.as_ref().map(|it| &it.defined)),
            ("runbook", raw.runbook.as_ref().map(|it| &it.defined)),
            ("remediation", raw.remediation.as_ref().map(|it| &it.defined)),
            ("depends_on", raw.depends_on.first().map(|it| &it.defined)),
            ("evidence", raw.evidence.first().map(|it| &it.defined)),
        ];
        for (name, at) in only_alerts {
            if let Some(at) = at {
                let (line, column) = position(at);
                let message = format!("`{name}` is for alerting rules only");
                self.problems.push(Problem { line, column, place: self.place.clone(), message });
            }
        }
        if record.value.is_empty() || record.value.chars().any(char::is_control) {
            self.wrong(record, format!("{:?} is not the name of a metric", record.value));
        }
        let mut labels = shared.clone();
        labels.extend(self.labels(&raw.labels));
        let Some(expr) = &raw.expr else {
            self.wrong(rule, "`expr` is missing");
            return None;
        };
        let query = self.query("expr", expr, &expr.value.text())?;
        let record = record.value.clone();
        Some(Rule::Recording(Arc::new(RecordingRule { record, query, labels })))
    }

    fn alerting(
        &mut self,
        rule: &Spanned<raw::Rule>,
        alert: &Spanned<String>,
        shared: &BTreeMap<String, String>,
    ) -> Option<Rule> {
        let raw = &rule.value;
        if alert.value.trim().is_empty() {
            self.wrong(alert, "the alert has no name");
        }
        let (query, threshold) = match (&raw.expr, &raw.metric) {
            (Some(expr), None) => {
                self.no_comparison(raw);
                (self.query("expr", expr, &expr.value.text()), None)
            }
            (None, Some(metric)) => self.simple(rule, metric)?,
            (Some(_), Some(metric)) => {
                self.wrong(metric, "only one of `expr` and `metric` may be set");
                return None;
            }
            (None, None) => {
                self.wrong(rule, "one of `expr` or `metric` must be set");
                return None;
            }
        };
        let clear = raw.clear.as_ref().and_then(|clear| self.clear(clear, threshold.as_ref()));
        let labels = self.alert_labels(raw, shared);
        let annotations = self.templates("annotation", &raw.annotations);
        let for_ms = raw.for_.as_ref().map_or(0, |it| self.duration("for", it));
        let keep = &raw.keep_firing_for;
        let keep_ms = keep.as_ref().map_or(0, |it| self.duration("keep_firing_for", it));
        let evidence =
            raw.evidence.iter().filter_map(|it| self.query("evidence", it, &it.value)).collect();
        let text = |it: &Option<Spanned<String>>| it.as_ref().map(|it| it.value.clone());
        Some(Rule::Alerting(Arc::new(AlertingRule {
            alert: alert.value.clone(),
            query: query?,
            clear,
            for_ms,
            keep_firing_for_ms: keep_ms,
            labels,
            annotations,
            threshold,
            escalation: text(&raw.escalation),
            runbook: text(&raw.runbook),
            remediation: text(&raw.remediation),
            depends_on: raw.depends_on.iter().map(|it| it.value.clone()).collect(),
            evidence,
        })))
    }

    fn no_comparison(&mut self, raw: &raw::Rule) {
        for (name, it) in comparisons(raw) {
            if let Some(it) = it {
                self.wrong(it, format!("`{name}` goes with `metric`, not with `expr`"));
            }
        }
    }

    /// The simple form as an expression.
    fn simple(
        &mut self,
        rule: &Spanned<raw::Rule>,
        metric: &Spanned<String>,
    ) -> Option<(Option<Query>, Option<Threshold>)> {
        let given: Vec<_> = comparisons(&rule.value)
            .into_iter()
            .filter_map(|(name, it)| Some((name, it?)))
            .collect();
        let (comparison, value) = match given.as_slice() {
            [("greater_than", value)] => (Comparison::GreaterThan, value.value),
            [("less_than", value)] => (Comparison::LessThan, value.value),
            [(_, value)] => (Comparison::Equals, value.value),
            [] => {
                let message = "`metric` needs one of `greater_than`, `less_than` or `equals`";
                self.wrong(metric, message);
                return None;
            }
            [_, (name, second), ..] => {
                self.wrong(second, format!("`{name}` is one comparison too many"));
                return None;
            }
        };
        self.query("metric", metric, &metric.value)?;
        let clear = match rule.value.clear.as_ref().map(|it| &it.value) {
            Some(Scalar::Number(value)) => Some(*value),
            _ => None,
        };
        let text = format!("{} {} {value}", metric.value, comparison.operator());
        let query = self.query("metric", metric, &text);
        let threshold = Threshold { metric: metric.value.clone(), comparison, value, clear };
        if let (Some(at), Some(clear)) = (&rule.value.clear, clear) {
            self.check_clear(at, &threshold, clear);
        }
        Some((query, Some(threshold)))
    }

    /// An alert that clears beyond its own threshold would clear at once.
    fn check_clear<T>(&mut self, at: &Spanned<T>, threshold: &Threshold, clear: f64) {
        let value = threshold.value;
        let (wrong, allowed) = match threshold.comparison {
            Comparison::GreaterThan => (clear > value, "at most"),
            Comparison::LessThan => (clear < value, "at least"),
            Comparison::Equals => (clear.to_bits() != value.to_bits(), "nothing but"),
        };
        if wrong {
            self.wrong(at, format!("`clear` is {clear}, allowed is {allowed} {value}"));
        }
    }

    fn clear(&mut self, at: &Spanned<Scalar>, threshold: Option<&Threshold>) -> Option<Query> {
        let text = match (&at.value, threshold) {
            (Scalar::Text(text), _) => text.clone(),
            (Scalar::Number(value), Some(threshold)) => {
                format!("{} {} {value}", threshold.metric, threshold.comparison.cleared_by())
            }
            (Scalar::Number(_), None) => {
                self.wrong(
                    at,
                    "`clear` as a number goes with `metric`; with `expr` it is an expression",
                );
                return None;
            }
        };
        self.query("clear", at, &text)
    }

    fn alert_labels(
        &mut self,
        raw: &raw::Rule,
        shared: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Template> {
        let plain = |text: &str| Template::parse(text).ok();
        let mut labels: BTreeMap<String, Template> =
            shared.iter().filter_map(|(name, text)| Some((name.clone(), plain(text)?))).collect();
        labels.extend(self.templates("label", &raw.labels));
        if let Some(severity) = &raw.severity {
            let known = Severity::ALL.into_iter().find(|it| it.as_str() == severity.value);
            match known.and_then(|it| plain(it.as_str())) {
                Some(_) if raw.labels.contains_key(SEVERITY) => {
                    self.wrong(severity, "the severity is given twice, as a field and as a label");
                }
                Some(text) => {
                    labels.insert(SEVERITY.to_owned(), text);
                }
                None => {
                    let message =
                        format!("`{}` is no severity: info, warning or critical", severity.value);
                    self.wrong(severity, message);
                }
            }
        }
        labels
    }

    fn labels(&mut self, raw: &BTreeMap<String, Spanned<String>>) -> BTreeMap<String, String> {
        for (name, text) in raw {
            self.check_name("label", name, text);
        }
        raw.iter().map(|(name, text)| (name.clone(), text.value.clone())).collect()
    }

    fn templates(
        &mut self,
        what: &str,
        raw: &BTreeMap<String, Spanned<String>>,
    ) -> BTreeMap<String, Template> {
        let mut templates = BTreeMap::new();
        for (name, text) in raw {
            self.check_name(what, name, text);
            match Template::parse(&text.value) {
                Ok(template) => drop(templates.insert(name.clone(), template)),
                Err(error) => self.wrong(text, format!("{what} `{name}`: {error}")),
            }
        }
        templates
    }

    fn check_name(&mut self, what: &str, name: &str, at: &Spanned<String>) {
        if name.is_empty() || name == METRIC_NAME || name.chars().any(char::is_control) {
            self.wrong(at, format!("{name:?} is not the name of {what}s"));
        }
    }

    fn duration(&mut self, name: &str, at: &Spanned<String>) -> i64 {
        match parse_duration(&at.value) {
            Ok(ms) => ms,
            Err(error) => {
                let message =
                    format!("`{name}` is {:?}: {error}; such as 30s, 5m, 1h30m", at.value);
                self.wrong(at, message);
                0
            }
        }
    }

    fn query<T>(&mut self, name: &str, at: &Spanned<T>, text: &str) -> Option<Query> {
        match Query::parse_with(text, self.known) {
            Ok(query) => Some(query),
            Err(error) => {
                self.wrong(at, format!("could not parse `{name}`: {error}"));
                None
            }
        }
    }
}

fn comparisons(raw: &raw::Rule) -> [(&'static str, Option<&Spanned<f64>>); 3] {
    [
        ("greater_than", raw.greater_than.as_ref()),
        ("less_than", raw.less_than.as_ref()),
        ("equals", raw.equals.as_ref()),
    ]
}
