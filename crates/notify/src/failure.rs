//! How a delivery went.

use std::time::Duration;

/// It was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the receiver calls it, or what it said; may be empty.
    pub text: String,
}

/// It was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// Trying again will not help.
    pub permanent: bool,
    /// The receiver surely has nothing of it: it was not reached, or it refused.
    pub untaken: bool,
    /// When the receiver wants to be asked again.
    pub retry_after: Option<Duration>,
    pub text: String,
}

impl Failure {
    /// Longer texts are pages, not reasons.
    pub(crate) const MAX_CHARS: usize = 400;

    pub(crate) fn passing(text: impl Into<String>) -> Self {
        Self { permanent: false, untaken: false, retry_after: None, text: text.into() }
    }

    pub(crate) fn permanent(text: impl Into<String>) -> Self {
        Self { permanent: true, untaken: true, retry_after: None, text: text.into() }
    }

    /// As [`Failure::passing`], of what did not come as far as the receiver.
    pub(crate) fn unreached(text: impl Into<String>) -> Self {
        Self { untaken: true, ..Self::passing(text) }
    }
}

/// What a receiver said, on one line and not too long.
pub(crate) fn said(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ");
    crate::text::cut(&line, Failure::MAX_CHARS / 2)
}
