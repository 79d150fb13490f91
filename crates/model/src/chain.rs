//! An error with its causes, as one line for people.

use std::error::Error;
use std::fmt::Write;

/// Joins an error's message with those of its causes: `cannot open x: permission denied`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        if write!(text, ": {error}").is_err() {
            break;
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MatchOp, Matcher};

    #[test]
    fn causes_follow_the_message() {
        let error = Matcher::new("l", MatchOp::Regex, "(").unwrap_err();
        let text = chain(&error);
        assert!(
            text.starts_with("the regular expression `(` for label `l` is not valid: regex"),
            "{text}"
        );
    }
}
