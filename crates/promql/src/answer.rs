//! What a question is answered with.

use std::time::Duration;

use barograph_model::{Labels, Samples};

/// The answer to a question, with all that should be said beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub value: Value,
    /// What makes the answer wrong or incomplete, worded and with positions as Prometheus does.
    pub warnings: Vec<String>,
    /// What the asker may want to know, as "PromQL info: …".
    pub infos: Vec<String>,
    pub stats: Stats,
}

/// The four types of PromQL.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Scalar(f64),
    String(String),
    /// All samples are of the moment that was asked for. In the order that `sort` and its like
    /// ask for, else by labels.
    Vector(Vec<VectorSample>),
    /// By labels. No series is without samples.
    Matrix(Vec<Series>),
}

/// One element of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSample {
    pub labels: Labels,
    pub value: f64,
}

/// One series of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub labels: Labels,
    pub samples: Samples,
}

/// What answering took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series that were read.
    pub series: u64,
    /// Samples that were read.
    pub samples: u64,
    pub elapsed: Duration,
}
