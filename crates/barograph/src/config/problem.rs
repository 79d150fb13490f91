//! What is wrong with a configuration file, all of it at once.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Config;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the configuration file {} is larger than {} bytes", path.display(), Config::MAX_BYTES)]
    TooLarge { path: PathBuf },
    #[error("{}", listed(path, problems))]
    Problems { path: PathBuf, problems: Vec<Problem> },
}

/// One mistake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// The line of a byte, from 1.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

fn listed(path: &Path, problems: &[Problem]) -> String {
    let count = problems.len();
    let word = if count == 1 { "mistake" } else { "mistakes" };
    problems.iter().fold(
        format!("{count} {word} in the configuration file {}", path.display()),
        |text, problem| format!("{text}\n  {problem}"),
    )
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}
