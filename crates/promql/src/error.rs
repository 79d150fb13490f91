//! Why a question has no answer.

use std::time::Duration;

use barograph_model::SourceError;

/// Why a question has no answer. Where Prometheus has words for it, they are Prometheus' words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The question was understood, but its evaluation makes no sense.
    #[error("{0}")]
    Execution(String),
    #[error(
        "exceeded maximum resolution of {max} points per timeseries; \
         increase the step, or raise `query.max_points`"
    )]
    TooManyPoints { max: usize },
    #[error(
        "query processing would load too many samples into memory in query execution: \
         more than {max}; narrow it, or raise `query.max_samples`"
    )]
    TooManySamples { max: usize },
    #[error("the question matches more than {max} series; narrow it, or raise `query.max_series`")]
    TooManySeries { max: usize },
    #[error(
        "query timed out in expression evaluation after {}s; narrow it, or raise `query.timeout`",
        .after.as_secs_f64()
    )]
    Timeout { after: Duration },
    #[error("query was canceled in expression evaluation")]
    Cancelled,
    /// Whoever holds the samples could not give them.
    #[error("{0}")]
    Source(String),
}

impl From<SourceError> for EvalError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::TooManySeries { max } => Self::TooManySeries { max },
            SourceError::TooManySamples { max } => Self::TooManySamples { max },
            SourceError::Cancelled => Self::Cancelled,
            SourceError::Failed(problem) => Self::Source(problem),
        }
    }
}
