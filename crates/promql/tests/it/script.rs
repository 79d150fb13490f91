//! Test scripts in the language of Prometheus' own tests: series are loaded, expressions
//! evaluated, answers compared.

mod check;
mod read;
mod run;

pub(crate) use run::run;

/// What came of one case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Passed,
    /// Why it cannot be asked of us.
    Skipped(&'static str),
    Failed(String),
}

/// One `eval` of a script.
#[derive(Debug)]
pub(crate) struct Case {
    /// Of the `eval`, from 1.
    pub(crate) line: usize,
    pub(crate) expr: String,
    pub(crate) outcome: Outcome,
}
