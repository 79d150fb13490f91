//! What a source hands over at once.

use crate::Labels;

/// One value of one series, at the time of the [`Batch`] it is in.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub labels: Labels,
    pub value: f64,
}

/// Samples that one source took at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// At most one sample per series.
    pub samples: Vec<Sample>,
}
