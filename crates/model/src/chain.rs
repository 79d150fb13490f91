//! An error with its causes, as one line for people.

use std::error::Error;

/// Joins an error's message with those of its causes: `cannot open x: permission denied`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // SQLite's errors say the same as their cause.
        let last = text.rfind(": ").map_or(0, |at| at + 2);
        let is_repeated =
            text.get(last..).is_some_and(|last| !last.is_empty() && said.ends_with(last));
        if is_repeated {
            text.truncate(last);
        } else {
            text.push_str(": ");
        }
        text.push_str(&said);
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;
    use crate::{MatchOp, Matcher};

    /// Says one line; the rest is its cause.
    #[derive(Debug)]
    struct Said(&'static str, Option<Box<Said>>);

    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Said {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &(dyn Error + 'static))
        }
    }

    #[test]
    fn what_a_cause_says_again_is_said_once() {
        let said = |lines: &[&'static str]| {
            let end = None;
            let error =
                lines.iter().rev().fold(end, |cause, line| Some(Box::new(Said(line, cause))));
            chain(&*error.unwrap())
        };
        let twice =
            ["cannot open x", "file is not a database", "Error code 26: file is not a database"];
        assert_eq!(said(&twice), "cannot open x: Error code 26: file is not a database");
        assert_eq!(said(&["not a file", "not a file"]), "not a file");
        assert_eq!(
            said(&["cannot read x", "no such file", "os error 2"]),
            "cannot read x: no such file: os error 2"
        );
    }

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
