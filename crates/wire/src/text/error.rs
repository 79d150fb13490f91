//! What can be wrong with a page.

/// The first line that breaks the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, byte {column}: {problem}")]
pub struct TextError {
    /// From 1.
    pub line: usize,
    /// Where in the line, in bytes, from 1.
    pub column: usize,
    pub problem: Problem,
}

/// What is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("expected {expected}, found {found}")]
    Expected { expected: &'static str, found: String },
    #[error("the text is not valid UTF-8")]
    NotUtf8,
    #[error("the line is longer than {most} bytes")]
    LongLine { most: usize },
    #[error("the page has more than {most} samples")]
    TooManySamples { most: usize },
    #[error("the sample has more than {most} labels")]
    TooManyLabels { most: usize },
    #[error("label `{name}` is given twice")]
    DuplicateLabel { name: String },
    #[error("the page does not end with `# EOF`")]
    NoEnd,
    #[error("nothing may follow `# EOF`")]
    AfterEnd,
    #[error("unit `{unit}` must be the last part of the metric's name `{metric}`")]
    Unit { metric: String, unit: String },
    #[error("the labels of an exemplar have more than {most} characters")]
    LongExemplar { most: usize },
}

impl Problem {
    /// `rest` is what stands there instead.
    pub(super) fn expected(expected: &'static str, rest: &str) -> Self {
        const SHOWN: usize = 24;
        if rest.is_empty() {
            return Self::Expected { expected, found: "the end of the line".to_owned() };
        }
        let mut found = String::from("`");
        for c in rest.chars().take(SHOWN) {
            if c.is_control() {
                found.extend(c.escape_debug());
            } else {
                found.push(c);
            }
        }
        found += if rest.chars().nth(SHOWN).is_some() { "…`" } else { "`" };
        Self::Expected { expected, found }
    }
}
