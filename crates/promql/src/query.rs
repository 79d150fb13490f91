//! A question that was parsed.

use promql_parser::parser::Expr;

/// A PromQL expression with its text.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    expr: Expr,
}

impl Query {
    /// `expr` is what `text` was parsed to. Its depth must be bounded already: walking or dropping
    /// it recurses.
    pub fn new(text: impl Into<String>, expr: Expr) -> Self {
        Self { text: text.into(), expr }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn expr(&self) -> &Expr {
        &self.expr
    }
}
