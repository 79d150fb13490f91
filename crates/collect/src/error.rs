//! Why a reading gave nothing.

use std::io;
use std::path::PathBuf;

use crate::parse::ParseError;

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This system does not have it, and will not while it runs.
    #[error("{what}: absent on this system, {why}")]
    Absent { what: &'static str, why: String },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} has a content that is not understood", path.display())]
    Parse { path: PathBuf, source: ParseError },
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: usize },
    /// A call to the operating system, for what is not a file.
    #[error("{call} failed for {object}")]
    Call { call: &'static str, object: String, source: io::Error },
    /// A collector said something that cannot be stored; the rest of its samples were kept.
    #[error("{dropped} samples were dropped: {why}")]
    Samples { dropped: usize, why: String },
    #[error("the collector panicked: {message}")]
    Panic { message: String },
}

impl Error {
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }
}

#[cfg(test)]
mod tests {
    use barograph_model::chain;

    use super::*;

    #[test]
    fn a_file_that_is_not_understood_is_named_with_its_line() {
        let source = ParseError::new(3, "a number of ticks", b"cpu0 x");
        let error = Error::Parse { path: "/proc/stat".into(), source };
        assert_eq!(
            chain(&error),
            "/proc/stat has a content that is not understood: \
             line 3: expected a number of ticks, found `cpu0 x`"
        );
    }
}
