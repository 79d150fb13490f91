//! How series are chosen by their labels.

use std::fmt;

use regex::Regex;

use crate::Labels;

/// How a [`Matcher`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`: the regular expression matches the whole value.
    Regex,
    /// `!~`
    NotRegex,
}

impl MatchOp {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

/// A condition on one label. A label that is absent has the empty value, as in Prometheus.
#[derive(Clone)]
pub struct Matcher {
    label: String,
    op: MatchOp,
    value: String,
    regex: Option<Regex>,
}

/// Why a [`Matcher`] could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MatcherError {
    #[error("the regular expression `{pattern}` for label `{label}` is not valid")]
    Regex { label: String, pattern: String, source: regex::Error },
    #[error(
        "the regular expression for label `{label}` has {bytes} bytes, at most {} are allowed",
        Matcher::MAX_PATTERN_BYTES
    )]
    LongPattern { label: String, bytes: usize },
}

impl Matcher {
    /// A longer expression is a list that belongs into a label of its own.
    pub const MAX_PATTERN_BYTES: usize = 64 * 1024;
    /// What a compiled expression may take.
    const MAX_COMPILED_BYTES: usize = 4 * 1024 * 1024;

    /// # Errors
    /// A regular expression that is not valid, or too large.
    pub fn new(
        label: impl Into<String>,
        op: MatchOp,
        value: impl Into<String>,
    ) -> Result<Self, MatcherError> {
        let (label, value) = (label.into(), value.into());
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(whole_value_regex(&label, &value)?),
        };
        Ok(Self { label, op, value, regex })
    }

    /// `label="value"`
    pub fn equal(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), op: MatchOp::Equal, value: value.into(), regex: None }
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or the regular expression, as it was given.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label with this value (empty: absent) is wanted.
    pub fn matches_value(&self, value: &str) -> bool {
        let equal = match &self.regex {
            None => self.value == value,
            Some(regex) => regex.is_match(value),
        };
        equal == matches!(self.op, MatchOp::Equal | MatchOp::Regex)
    }

    /// Whether a series is wanted, as far as this label goes.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matches_value(labels.get(&self.label).unwrap_or_default())
    }
}

fn whole_value_regex(label: &str, pattern: &str) -> Result<Regex, MatcherError> {
    if pattern.len() > Matcher::MAX_PATTERN_BYTES {
        return Err(MatcherError::LongPattern { label: label.to_owned(), bytes: pattern.len() });
    }
    regex::RegexBuilder::new(&format!("^(?s:{pattern})$"))
        .size_limit(Matcher::MAX_COMPILED_BYTES)
        .build()
        .map_err(|source| MatcherError::Regex {
            label: label.to_owned(),
            pattern: pattern.to_owned(),
            source,
        })
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:?}", self.label, self.op.as_str(), self.value)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.label == other.label && self.op == other.op && self.value == other.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::METRIC_NAME;

    #[track_caller]
    fn check(op: MatchOp, pattern: &str, value: &str, expect: bool) {
        let labels = Labels::new([(METRIC_NAME, "m"), ("l", value)]).unwrap();
        assert_eq!(Matcher::new("l", op, pattern).unwrap().matches(&labels), expect);
    }

    #[test]
    fn regular_expressions_match_the_whole_value() {
        check(MatchOp::Regex, "user|nice", "user", true);
        check(MatchOp::Regex, "user|nice", "username", false);
        check(MatchOp::NotRegex, "u.*", "user", false);
        check(MatchOp::Regex, "a.b", "a\nb", true);
    }

    #[test]
    fn an_absent_label_is_an_empty_one() {
        check(MatchOp::Equal, "", "", true);
        check(MatchOp::NotEqual, "", "x", true);
        check(MatchOp::Regex, ".*", "", true);
        check(MatchOp::Regex, ".+", "", false);
    }

    #[test]
    fn bad_expression_names_label_and_pattern() {
        let error = Matcher::new("mode", MatchOp::Regex, "(").unwrap_err();
        assert_eq!(error.to_string(), "the regular expression `(` for label `mode` is not valid");
    }
}
