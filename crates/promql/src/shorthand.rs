//! Names for queries that are not PromQL themselves.

/// What stands for a query where an operand may stand. It begins with a backslash, which begins
/// nothing in PromQL; where it ends is its own matter.
pub trait Shorthands {
    /// Reads the one that a text begins with; nothing where there are none at all.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    fn read(&self, text: &str) -> Option<Result<Shorthand, ShorthandError>>;
}

/// One that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shorthand {
    /// How much of the text it is, at least one.
    pub bytes: usize,
    /// What it stands for.
    pub promql: String,
}

/// Why it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShorthandError {
    /// Bytes of the text before the mistake.
    pub at: usize,
    pub problem: String,
}

/// PromQL alone.
#[derive(Debug, Clone, Copy)]
pub struct NoShorthands;

impl Shorthands for NoShorthands {
    fn read(&self, _text: &str) -> Option<Result<Shorthand, ShorthandError>> {
        None
    }
}
