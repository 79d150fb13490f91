//! From a rule and the samples of a moment to answers: the expression is asked, and labels and
//! annotations are filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use barograph_model::{Labels, LabelsError, SeriesSource};
use barograph_promql::{Engine, EvalError, Options, Query, Value};
use barograph_template::{Context, Sample, Template};

use crate::machine::{Answered, Texts, texts};
use crate::rule::{AlertingRule, RecordingRule};

const ALERT_NAME: &str = "alertname";

/// Where rules are evaluated.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub engine: &'a Engine,
    pub source: &'a dyn SeriesSource,
    pub external_labels: &'a BTreeMap<String, String>,
    /// The address at which people reach this server.
    pub external_url: &'a str,
    /// Set from another thread, it ends an evaluation.
    pub cancel: Option<&'a AtomicBool>,
}

/// What an alerting rule answered.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleAnswer {
    pub answered: Vec<Answered>,
    /// The series for which `clear` was answered; `None`: the rule has no such expression.
    pub cleared: Option<Vec<Texts>>,
    /// What people should know, such as a template that could not be filled in.
    pub warnings: Vec<String>,
}

/// Why a rule could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error("the expression answers {0}, allowed are instant vectors and scalars")]
    Type(&'static str),
    #[error("vector contains metrics with the same labelset after applying {0} labels")]
    Same(&'static str),
    #[error("the labels of an answer are not allowed")]
    Labels(#[from] LabelsError),
    #[error("exceeded limit of {limit} with {found} {what}")]
    Limit { limit: usize, found: usize, what: &'static str },
}

impl std::fmt::Debug for Ground<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("engine", self.engine).finish_non_exhaustive()
    }
}

impl Ground<'_> {
    /// Asks an alerting rule at a time, milliseconds since 1970 UTC. `limit` 0 is none.
    ///
    /// # Errors
    /// The expression fails, or its answers cannot be told apart. Templates that fail are warnings:
    /// an alert with a bad text is better than none.
    pub fn alerts(
        &self,
        rule: &AlertingRule,
        at_ms: i64,
        limit: usize,
    ) -> Result<RuleAnswer, RuleError> {
        let mut warnings = Vec::new();
        let mut answered = Vec::new();
        let mut seen = BTreeSet::new();
        for (labels, value) in self.vector(&rule.query, at_ms)? {
            let series = texts(&labels);
            let query = |text: &str| self.samples(text, at_ms);
            let context = Context {
                labels: &labels,
                value,
                external_labels: self.external_labels,
                external_url: self.external_url,
                now_ms: at_ms,
                query: &query,
            };
            let mut fill = |templates: &BTreeMap<String, Template>| -> Texts {
                let filled = templates.iter().map(|(name, template)| {
                    let text = template.fill(&context).unwrap_or_else(|error| {
                        warnings.push(format!("`{name}`: {error}"));
                        format!("<error expanding template: {error}>")
                    });
                    (name.clone(), text)
                });
                filled.collect()
            };
            let mut all = series.clone();
            all.extend(fill(&rule.labels));
            all.insert(ALERT_NAME.to_owned(), rule.alert.clone());
            all.retain(|_, text| !text.is_empty());
            let annotations = fill(&rule.annotations);
            if !seen.insert(all.clone()) {
                return Err(RuleError::Same("alert"));
            }
            answered.push(Answered { series, labels: all, annotations, value });
        }
        if limit > 0 && answered.len() > limit {
            return Err(RuleError::Limit { limit, found: answered.len(), what: "alerts" });
        }
        let cleared = match &rule.clear {
            Some(query) => Some(self.vector(query, at_ms)?.iter().map(|it| texts(&it.0)).collect()),
            None => None,
        };
        warnings.truncate(10);
        Ok(RuleAnswer { answered, cleared, warnings })
    }

    /// Asks a recording rule; the answers carry its name and labels.
    ///
    /// # Errors
    /// As [`Ground::alerts`].
    pub fn records(
        &self,
        rule: &RecordingRule,
        at_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Labels, f64)>, RuleError> {
        let mut seen = BTreeSet::new();
        let mut records = Vec::new();
        for (labels, value) in self.vector(&rule.query, at_ms)? {
            let labels = rule.labels_of(&labels)?;
            if !seen.insert(labels.clone()) {
                return Err(RuleError::Same("rule"));
            }
            records.push((labels, value));
        }
        if limit > 0 && records.len() > limit {
            return Err(RuleError::Limit { limit, found: records.len(), what: "series" });
        }
        Ok(records)
    }

    /// An instant query's answer as a vector; a scalar is one element without labels.
    fn vector(&self, query: &Query, at_ms: i64) -> Result<Vec<(Labels, f64)>, RuleError> {
        let options = Options { cancel: self.cancel, ..Options::default() };
        match self.engine.instant(self.source, query, at_ms, &options)?.value {
            Value::Vector(samples) => {
                Ok(samples.into_iter().map(|it| (it.labels, it.value)).collect())
            }
            Value::Scalar(value) => {
                let none: [(&str, &str); 0] = [];
                Ok(vec![(Labels::new(none)?, value)])
            }
            Value::String(_) => Err(RuleError::Type("a string")),
            Value::Matrix(_) => Err(RuleError::Type("a range vector")),
        }
    }

    /// For `query` in templates.
    fn samples(&self, text: &str, at_ms: i64) -> Result<Vec<Sample>, String> {
        let query = Query::parse(text).map_err(|error| error.to_string())?;
        let found = self.vector(&query, at_ms).map_err(|error| error.to_string())?;
        let named = |labels: &Labels| {
            labels.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
        };
        Ok(found
            .iter()
            .map(|(labels, value)| Sample { labels: named(labels), value: *value })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use barograph_promql::{MemorySource, Settings};
    use barograph_testkit::FakeClock;

    use super::*;
    use crate::rule::{Rule, read_rules};

    fn rules(text: &str) -> Vec<Rule> {
        let text = format!("groups: [{{name: g, rules: [{text}]}}]");
        read_rules(&text).unwrap().remove(0).rules
    }

    /// `cpu{host="a",core="0|1"}` is 90 and 50, `up{host="a"}` is 1.
    fn on_ground<T>(act: impl FnOnce(Ground<'_>) -> T) -> T {
        let mut source = MemorySource::new();
        for (core, value) in [("0", 90.0), ("1", 50.0)] {
            let labels = [("__name__", "cpu"), ("host", "a"), ("core", core)];
            source.push(&Labels::new(labels).unwrap(), 1000, value);
        }
        source.push(&Labels::new([("__name__", "up"), ("host", "a")]).unwrap(), 1000, 1.0);
        let engine = Engine::new(Settings::default(), Arc::new(FakeClock::new(0)));
        let external_labels = BTreeMap::from([("site".to_owned(), "north".to_owned())]);
        act(Ground {
            engine: &engine,
            source: &source,
            external_labels: &external_labels,
            external_url: "http://here",
            cancel: None,
        })
    }

    fn alerts(text: &str, limit: usize) -> Result<RuleAnswer, RuleError> {
        match &rules(text)[0] {
            Rule::Alerting(rule) => on_ground(|ground| ground.alerts(rule, 1000, limit)),
            Rule::Recording(_) => unreachable!("the rule is an alerting one"),
        }
    }

    fn pairs(texts: &[(&str, &str)]) -> Texts {
        texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn an_answer_has_the_labels_of_series_and_rule_and_its_texts() {
        let answer = alerts(
            "{alert: Hot, expr: cpu > 80, labels: {level: 'c{{ $labels.core }}', core: ''},
              annotations: {summary: '{{ $value }} on {{ query \"up\" | first | label \"host\" }} {{ $externalLabels.site }}'}}",
            0,
        )
        .unwrap();
        let expected = Answered {
            series: pairs(&[("core", "0"), ("host", "a")]),
            labels: pairs(&[("alertname", "Hot"), ("host", "a"), ("level", "c0")]),
            annotations: pairs(&[("summary", "90 on a north")]),
            value: 90.0,
        };
        assert_eq!(answer.answered, [expected]);
        assert_eq!(answer.cleared, None);
    }

    #[test]
    fn answers_that_look_alike_are_an_error() {
        let error = alerts("{alert: Hot, expr: cpu > 10, labels: {core: ''}}", 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "vector contains metrics with the same labelset after applying alert labels"
        );
    }

    #[test]
    fn too_many_answers_and_wrong_types_are_errors() {
        let error = alerts("{alert: Hot, expr: cpu > 10}", 1).unwrap_err();
        assert_eq!(error.to_string(), "exceeded limit of 1 with 2 alerts");
        let error = alerts("{alert: Hot, expr: '\"text\"'}", 0).unwrap_err();
        assert_eq!(error, RuleError::Type("a string"));
    }

    #[test]
    fn a_bad_text_is_a_warning_and_the_alert_is_there() {
        let answer = alerts(
            "{alert: Hot, expr: cpu > 80, annotations: {summary: '{{ query \"sum(\" }}'}}",
            0,
        )
        .unwrap();
        assert_eq!(answer.answered.len(), 1);
        let shown = &answer.answered[0].annotations["summary"];
        assert!(shown.starts_with("<error expanding template: template:1:"), "{shown}");
        assert_eq!(answer.warnings.len(), 1);
    }

    #[test]
    fn a_clearing_expression_is_asked_too() {
        let answer = alerts("{alert: Hot, metric: cpu, greater_than: 95, clear: 60}", 0).unwrap();
        let expected = pairs(&[("core", "1"), ("host", "a")]);
        assert_eq!((answer.answered.len(), answer.cleared), (0, Some(vec![expected])));
    }

    #[test]
    fn a_recording_rule_names_its_answers() {
        let rules =
            rules("{record: 'host:cpu:sum', expr: sum by (host) (cpu), labels: {kind: sum}}");
        let Rule::Recording(rule) = &rules[0] else { unreachable!("the rule is a recording one") };
        let records = on_ground(|ground| ground.records(rule, 1000, 0)).unwrap();
        let shown: Vec<_> = records.iter().map(|it| (it.0.to_string(), it.1)).collect();
        assert_eq!(shown, [(r#"host:cpu:sum{host="a",kind="sum"}"#.to_owned(), 140.0)]);
    }
}
