//! Rules: what Prometheus' rule files hold, and what Barograph adds to them.
//!
//! A rule file of Prometheus is read unchanged. In a rule there may also be:
//! - `metric` with `greater_than`, `less_than` or `equals` instead of `expr`: the simple form;
//! - `clear`: the alert ends only when this expression (with the simple form: this value) says so;
//! - `severity`, in short for the label; `escalation`, the policy that says who is told;
//! - `runbook`, an address; `remediation`, a named action; `depends_on`, alerts whose firing
//!   explains this one; `evidence`, expressions that are drawn in notifications.

mod raw;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use barograph_model::{Labels, LabelsError, METRIC_NAME};
use barograph_promql::Query;
use barograph_template::Template;

pub use crate::document::Problem;
pub use read::{MAX_FILE_BYTES, MAX_RULES, read_rules, read_rules_with};

/// Rules that are evaluated together, one after the other.
#[derive(Debug, Clone)]
pub struct Group {
    pub name: String,
    /// Milliseconds between two evaluations; `None`: the server's default.
    pub interval_ms: Option<i64>,
    /// More alerts or series than this make an evaluation fail; 0: no limit.
    pub limit: usize,
    /// How far back evaluations look, for data that comes late.
    pub offset_ms: i64,
    pub rules: Vec<Rule>,
}

/// Shared, as interfaces show it while it is evaluated.
#[derive(Debug, Clone)]
pub enum Rule {
    Alerting(Arc<AlertingRule>),
    Recording(Arc<RecordingRule>),
}

/// Stores the answers of an expression as series.
#[derive(Debug, Clone)]
pub struct RecordingRule {
    pub record: String,
    pub query: Query,
    pub labels: BTreeMap<String, String>,
}

/// Makes an alert of each series that an expression answers.
#[derive(Debug, Clone)]
pub struct AlertingRule {
    pub alert: String,
    pub query: Query,
    /// The expression that ends an alert; without it, an alert ends when `query` no longer answers
    /// its series.
    pub clear: Option<Query>,
    /// How long a series must be answered before its alert fires.
    pub for_ms: i64,
    /// How long an alert goes on firing after its series was answered last.
    pub keep_firing_for_ms: i64,
    pub labels: BTreeMap<String, Template>,
    pub annotations: BTreeMap<String, Template>,
    /// The threshold of the simple form, for charts.
    pub threshold: Option<Threshold>,
    /// The name of a policy.
    pub escalation: Option<String>,
    pub runbook: Option<String>,
    pub remediation: Option<String>,
    /// Names of alerts: while one of them fires for the same host, this one is suppressed.
    pub depends_on: Vec<String>,
    pub evidence: Vec<Query>,
}

/// What the simple form compares.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// A selector.
    pub metric: String,
    pub comparison: Comparison,
    pub value: f64,
    /// The value that ends the alert, where it is another.
    pub clear: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    GreaterThan,
    LessThan,
    Equals,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Rule {
    /// The alert's or the recorded metric's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Alerting(rule) => &rule.alert,
            Self::Recording(rule) => &rule.record,
        }
    }

    pub fn query(&self) -> &Query {
        match self {
            Self::Alerting(rule) => &rule.query,
            Self::Recording(rule) => &rule.query,
        }
    }
}

impl RecordingRule {
    /// The labels under which an answer is stored.
    ///
    /// # Errors
    /// Together they pass a limit.
    pub fn labels_of(&self, answered: &Labels) -> Result<Labels, LabelsError> {
        let own = |name: &str| name == METRIC_NAME || self.labels.contains_key(name);
        let kept = answered.iter().filter(|(name, _)| !own(name));
        let added = self.labels.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        Labels::new(kept.chain(added).chain([(METRIC_NAME, self.record.as_str())]))
    }
}

impl Comparison {
    /// As PromQL writes it.
    pub fn operator(self) -> &'static str {
        match self {
            Self::GreaterThan => ">",
            Self::LessThan => "<",
            Self::Equals => "==",
        }
    }

    /// The comparison that ends an alert at its clearing value.
    fn cleared_by(self) -> &'static str {
        match self {
            Self::GreaterThan => "<=",
            Self::LessThan => ">=",
            Self::Equals => "!=",
        }
    }
}

impl Severity {
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name, also by the names that Prometheus' users give.
    pub fn from_label(text: &str) -> Option<Self> {
        match text {
            "info" | "none" | "notice" => Some(Self::Info),
            "warning" | "warn" | "minor" | "average" => Some(Self::Warning),
            "critical" | "error" | "page" | "major" | "high" | "disaster" => Some(Self::Critical),
            _ => None,
        }
    }
}
