//! Texts with places to fill in, as in Prometheus' rules: `{{ $labels.instance }} is at
//! {{ $value | humanizePercentage }}`.
//!
//! [`Template::fill`] is for rules; [`Template::fill_data`] for messages, with data of any shape.
//!
//! The language is that of Go's `text/template`, as far as annotations use it: actions, pipelines,
//! variables, `if`, `with`, `range`, `define` and `template`, and Prometheus' functions. Everything
//! is bounded: length, nesting, work and output.

mod evaluate;
mod format;
mod functions;
mod html;
mod humanize;
mod lex;
mod parse;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

use barograph_model::Labels;

pub use html::escape_html;
pub use value::{Sample, Value};

/// A longer text is no annotation.
pub const MAX_TEMPLATE_BYTES: usize = 64 * 1024;

/// A template that was understood.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    root: Vec<parse::Node>,
    defined: BTreeMap<String, Vec<parse::Node>>,
}

/// What a template is filled in with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub labels: &'a Labels,
    /// The alert's value; templates of labels and annotations see the same.
    pub value: f64,
    pub external_labels: &'a BTreeMap<String, String>,
    /// The address at which people reach this server.
    pub external_url: &'a str,
    /// Milliseconds since 1970 UTC, for `now` and for queries.
    pub now_ms: i64,
    /// Answers `query "…"`: an instant query at `now_ms`.
    pub query: &'a dyn Fn(&str) -> Result<Vec<Sample>, String>,
}

/// What a message's template is filled in with.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// What `.` is, and `$`.
    pub dot: &'a Value,
    /// The address at which people reach this server.
    pub external_url: &'a str,
    pub now_ms: i64,
    /// Makes each value harmless where the text goes. What the template itself says stays as it is.
    pub escape: fn(&str) -> String,
}

/// Why a text is not a template, or could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template:{line}: {problem}")]
pub struct TemplateError {
    /// From 1, within the template.
    pub line: usize,
    pub problem: String,
}

impl TemplateError {
    fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A mistake, with its line.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE_BYTES {
            let bytes = text.len();
            let problem =
                format!("{bytes} bytes are too long, at most {MAX_TEMPLATE_BYTES} are allowed");
            return Err(TemplateError::new(1, problem));
        }
        parse::parse(text)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Fills it in.
    ///
    /// # Errors
    /// What it asks for is not there or makes no sense, or it does or prints too much.
    pub fn fill(&self, context: &Context<'_>) -> Result<String, TemplateError> {
        evaluate::evaluate(self, context)
    }

    /// Fills it in with data of any shape. Queries are not answered.
    ///
    /// # Errors
    /// As [`Template::fill`].
    pub fn fill_data(&self, data: &Data<'_>) -> Result<String, TemplateError> {
        evaluate::evaluate_data(self, data)
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("labels", self.labels).field("value", &self.value).finish()
    }
}
