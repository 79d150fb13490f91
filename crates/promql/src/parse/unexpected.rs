//! What is said about a word that has no place where it stands.

use super::{Mistake, Parser};
use crate::lex::{Kind, Token};
use crate::quote::quoted;

/// Longer strings and numbers are cut in messages.
const SHOWN_CHARS: usize = 10;

impl Parser<'_> {
    /// Blames the next word. Without a context of its own, that of the aggregation around is named.
    pub(super) fn unexpected(&self, context: &str, expected: &str) -> Mistake {
        let token = self.peek();
        if let (Kind::Error, Some(problem)) = (token.kind, &self.lexed.error) {
            return Mistake::new(token.span, problem.clone());
        }
        let context =
            if context.is_empty() && self.aggregations > 0 { "aggregation" } else { context };
        let mut problem = format!("unexpected {}", self.described(token));
        if !context.is_empty() {
            problem.push_str(" in ");
            problem.push_str(context);
        }
        if !expected.is_empty() {
            problem.push_str(", expected ");
            problem.push_str(expected);
        }
        Mistake::new(token.span, problem)
    }

    fn described(&self, token: Token) -> String {
        let text = self.text_of(token);
        match token.kind {
            Kind::End | Kind::Error => "end of input".to_owned(),
            Kind::Identifier => format!("identifier {}", quoted(text)),
            Kind::MetricIdentifier => format!("metric identifier {}", quoted(text)),
            Kind::Number => format!("number {}", shortened(text)),
            Kind::Duration => format!("duration {}", shortened(text)),
            Kind::Text => format!("string {}", shortened(text)),
            Kind::Keyword => format!("<{text}>"),
            Kind::Aggregator => format!("<aggr:{text}>"),
            Kind::Operator | Kind::EqualRegex | Kind::NotEqualRegex | Kind::At => {
                format!("<op:{text}>")
            }
            _ => quoted(text),
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", quoted(text.get(..end).unwrap_or(text))),
        None => quoted(text),
    }
}
