//! Why there is no such metric.

use std::fmt;

/// Why a metric is not made. Each of them is a mistake of the program, or its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricError {
    /// Letters, digits, `_` and, in names of metrics, `:` are allowed; no digit comes first.
    Name(String),
    /// `le` and names with `__` in front belong to the format.
    Label { metric: String, label: String },
    /// A label stands there twice.
    Twice { metric: String, label: String },
    /// A label's value is too long.
    Value { metric: String, label: String, limit: usize },
    /// Bounds of a histogram that are not finite or do not grow, or too many of them.
    Bounds(String),
    /// There is one of this name already, of another kind or with other bounds.
    Kind(String),
    /// Its name, or one that its histogram needs, belongs to another metric already.
    Taken { metric: String, by: String },
    /// The registry is full.
    TooMany { metric: String, limit: usize },
}

impl fmt::Display for MetricError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "`{name}` is no name of a metric: letters, digits, `_` and `:`, no digit first"
            ),
            Self::Label { metric, label } => write!(
                f,
                "{metric}: `{label}` is no name of a label: letters, digits and `_`, no digit \
                 first, no `__` in front, not `le`"
            ),
            Self::Twice { metric, label } => {
                write!(f, "{metric}: the label `{label}` is there twice")
            }
            Self::Value { metric, label, limit } => {
                write!(f, "{metric}: the value of `{label}` has more than {limit} bytes")
            }
            Self::Bounds(metric) => write!(
                f,
                "{metric}: the bounds of a histogram are finite and grow, and there are 1 to 100"
            ),
            Self::Kind(metric) => {
                write!(f, "{metric} is there already, of another kind or with other bounds")
            }
            Self::Taken { metric, by } => {
                write!(f, "{metric} would have the name of a series of {by}")
            }
            Self::TooMany { metric, limit } => {
                write!(f, "{metric}: the registry has its limit of {limit} series")
            }
        }
    }
}

impl std::error::Error for MetricError {}
