//! What an interface asks for: one metric, chosen by labels, as it is or as a rate, joined or not.

use std::collections::BTreeMap;

use barograph_model::{Labels, METRIC_NAME, Matcher};
use serde::Deserialize;

/// A question about one metric. `docs/api/http.md` says what each field means.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    pub(crate) metric: String,
    #[serde(default, rename = "match")]
    pub(crate) matching: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) rate: bool,
    pub(crate) by: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) agg: Aggregation,
    /// Only so many series, those with the highest means over the range.
    pub(crate) top: Option<usize>,
}

/// How series are joined under `by`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Aggregation {
    #[default]
    Sum,
    Max,
    Min,
    Avg,
}

/// Why a [`Query`] is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("`metric` is empty: name the metric to read")]
    NoMetric,
    #[error("`{field}` has {bytes} bytes, at most {} are allowed", Query::MAX_TEXT_BYTES)]
    TooLong { field: &'static str, bytes: usize },
    #[error("`{field}` has {count} entries, at most {} are allowed", Query::MAX_LABELS)]
    TooMany { field: &'static str, count: usize },
    #[error("`agg` joins series and needs `by`: give the labels to keep, or `[]` to join all")]
    AggregationWithoutBy,
    #[error("`top` is a number from 1 to {}", Query::MAX_TOP)]
    Top,
}

impl Query {
    const MAX_TEXT_BYTES: usize = 256;
    const MAX_LABELS: usize = 16;
    /// More lines than that nobody can tell apart.
    const MAX_TOP: usize = 200;

    /// One metric, every series on its own.
    pub(crate) fn metric(metric: impl Into<String>) -> Self {
        Self {
            metric: metric.into(),
            matching: BTreeMap::new(),
            rate: false,
            by: None,
            agg: Aggregation::Sum,
            top: None,
        }
    }

    /// # Errors
    /// The first field that is out of bounds.
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        if self.metric.is_empty() {
            return Err(QueryError::NoMetric);
        }
        check_text("metric", &self.metric)?;
        check_count("match", self.matching.len())?;
        for (label, value) in &self.matching {
            check_text("match", label)?;
            check_text("match", value)?;
        }
        if self.top.is_some_and(|top| !(1..=Self::MAX_TOP).contains(&top)) {
            return Err(QueryError::Top);
        }
        match &self.by {
            None if self.agg != Aggregation::Sum => Err(QueryError::AggregationWithoutBy),
            None => Ok(()),
            Some(by) => {
                check_count("by", by.len())?;
                by.iter().try_for_each(|label| check_text("by", label))
            }
        }
    }

    /// The same conditions, as the store takes them.
    pub(crate) fn matchers(&self) -> Vec<Matcher> {
        let metric = Matcher::equal(METRIC_NAME, &self.metric);
        let labels = self.matching.iter().map(|(label, value)| Matcher::equal(label, value));
        std::iter::once(metric).chain(labels).collect()
    }

    /// The means of the query's series over a window such as `5m`, in PromQL.
    pub(crate) fn means(&self, window: &str) -> String {
        // PromQL's strings know the escapes that JSON's do.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let metric = format!("{METRIC_NAME}={}", quoted(&self.metric));
        let labels = self.matching.iter();
        let labels = labels.map(|(label, value)| format!("{}={}", quoted(label), quoted(value)));
        let matchers: Vec<String> = std::iter::once(metric).chain(labels).collect();
        let function = if self.rate { "rate" } else { "avg_over_time" };
        let means = format!("{function}({{{}}}[{window}])", matchers.join(","));
        let Some(by) = &self.by else { return means };
        let join = match self.agg {
            Aggregation::Sum => "sum",
            Aggregation::Max => "max",
            Aggregation::Min => "min",
            Aggregation::Avg => "avg",
        };
        let by: Vec<String> = by.iter().map(|label| quoted(label)).collect();
        format!("{join} by ({}) ({means})", by.join(","))
    }

    /// Whether a series of the metric is wanted.
    pub(crate) fn wants(&self, labels: &Labels) -> bool {
        self.matching
            .iter()
            .all(|(label, value)| labels.get(label).unwrap_or_default() == value.as_str())
    }

    /// The labels under which a series appears in the answer: all of them, or those of `by`;
    /// never the metric's name, and not the host if it is `own_host`.
    pub(crate) fn answer_labels(
        &self,
        labels: &Labels,
        own_host: &str,
    ) -> BTreeMap<String, String> {
        labels
            .iter()
            .filter(|(name, value)| match &self.by {
                Some(by) => by.iter().any(|label| label == name),
                None => *name != METRIC_NAME && !(*name == "host" && *value == own_host),
            })
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

impl Aggregation {
    /// Joins values that were taken at the same moment. Nothing in, nothing out.
    pub(crate) fn join(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let mut count = 0_u32;
        let joined = values.inspect(|_| count += 1).reduce(|a, b| match self {
            Self::Sum | Self::Avg => a + b,
            Self::Max => a.max(b),
            Self::Min => a.min(b),
        })?;
        Some(if self == Self::Avg { joined / f64::from(count) } else { joined })
    }
}

fn check_text(field: &'static str, text: &str) -> Result<(), QueryError> {
    match text.len() {
        bytes if bytes > Query::MAX_TEXT_BYTES => Err(QueryError::TooLong { field, bytes }),
        _ => Ok(()),
    }
}

fn check_count(field: &'static str, count: usize) -> Result<(), QueryError> {
    if count > Query::MAX_LABELS { Err(QueryError::TooMany { field, count }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_defaults_and_unknown_ones_are_refused() {
        let query: Query = serde_json::from_str(r#"{"metric": "cpu_usage"}"#).unwrap();
        assert_eq!(query, Query::metric("cpu_usage"));
        let error = serde_json::from_str::<Query>(r#"{"metric": "m", "step": 1}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `step`"), "{error}");
    }

    #[test]
    fn out_of_bounds_fields_are_named() {
        assert_eq!(Query::metric("").check(), Err(QueryError::NoMetric));
        let long = Query::metric("m".repeat(257)).check();
        assert_eq!(long, Err(QueryError::TooLong { field: "metric", bytes: 257 }));
        let agg = Query { agg: Aggregation::Max, ..Query::metric("m") };
        assert_eq!(agg.check(), Err(QueryError::AggregationWithoutBy));
        let top = Query { top: Some(201), ..Query::metric("m") };
        assert_eq!(top.check(), Err(QueryError::Top));
    }

    #[test]
    fn answer_keeps_the_labels_asked_for() {
        let labels =
            Labels::new([(METRIC_NAME, "m"), ("host", "a"), ("cpu", "0"), ("mode", "user")])
                .unwrap();
        let plain = Query::metric("m").answer_labels(&labels, "a");
        assert_eq!(plain.keys().collect::<Vec<_>>(), ["cpu", "mode"]);
        let other_host = Query::metric("m").answer_labels(&labels, "b");
        assert_eq!(other_host.keys().collect::<Vec<_>>(), ["cpu", "host", "mode"]);
        let by = Query { by: Some(vec!["mode".into()]), ..Query::metric("m") };
        assert_eq!(by.answer_labels(&labels, "a").keys().collect::<Vec<_>>(), ["mode"]);
    }

    #[test]
    fn means_are_promql_of_the_same_meaning() {
        let matching = [("drive".to_owned(), "C:\"".to_owned())].into();
        let plain = Query { matching, ..Query::metric("m") };
        assert_eq!(plain.means("5m"), r#"avg_over_time({__name__="m","drive"="C:\""}[5m])"#);
        let by = Some(vec!["mode".into()]);
        let joined = Query { rate: true, by, agg: Aggregation::Max, ..Query::metric("m") };
        assert_eq!(joined.means("1h"), r#"max by ("mode") (rate({__name__="m"}[1h]))"#);
        for query in [plain, joined] {
            barograph_promql::Query::parse(&query.means("5m")).unwrap();
        }
    }

    #[test]
    fn joins_add_up() {
        let join = |agg: Aggregation| agg.join([1.0, 2.0, 6.0].into_iter());
        assert_eq!(join(Aggregation::Sum), Some(9.0));
        assert_eq!(join(Aggregation::Avg), Some(3.0));
        assert_eq!(join(Aggregation::Max), Some(6.0));
        assert_eq!(join(Aggregation::Min), Some(1.0));
        assert_eq!(Aggregation::Sum.join(std::iter::empty()), None);
    }
}
