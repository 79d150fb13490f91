//! Tests of rules, in the format of `promtool test rules`: series are written down, time passes, and
//! the alerts and answers are compared with what is expected.

mod raw;
mod run;
#[cfg(test)]
mod tests;

pub use run::run;

/// A larger file is none.
pub const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// Gives the text of a rule file that a test names.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// What came of a file of tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub passed: usize,
    pub failures: Vec<Failure>,
}

/// A comparison that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The test's name, or its number.
    pub test: String,
    pub what: String,
    pub expected: Vec<String>,
    pub found: Vec<String>,
}
