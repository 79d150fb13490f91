//! Selectors and literals.

use barograph_model::{METRIC_NAME, MatchOp, Matcher};

use super::{Mistake, Parsed, Parser};
use crate::ast::{Expr, Node, Span, TimeShift, VectorSelector};
use crate::duration::parse_duration;
use crate::lex::{Kind, Token};
use crate::quote::{quoted, quoted_bytes, unquote};

/// Words of the language that are no metric's name.
const NO_METRICS: [&str; 8] =
    ["bool", "on", "ignoring", "group_left", "group_right", "fill", "fill_left", "fill_right"];
const LABELS: &str = "label matching";

impl Parser<'_> {
    /// `name`, `name{…}` or `{…}`.
    pub(super) fn vector_selector(&mut self) -> Parsed<Expr> {
        let token = self.peek();
        let mut span = token.span;
        let mut name = None;
        let mut matchers = Vec::new();
        if token.kind != Kind::LeftBrace {
            if !self.is_metric_name(token) {
                return Err(self.unexpected("", ""));
            }
            self.take();
            name = Some(self.text_of(token).to_owned());
        }
        if self.peek().kind == Kind::LeftBrace {
            matchers = self.label_matchers()?;
            span.end = self.closed_at;
        }
        if let Some(name) = &name {
            matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        let selector =
            VectorSelector { name, matchers, time: TimeShift::default(), extended: None };
        Ok(Expr { node: Node::Vector(Box::new(selector)), span })
    }

    fn is_metric_name(&self, token: Token) -> bool {
        let word = self.text_of(token).to_ascii_lowercase();
        match token.kind {
            Kind::Identifier | Kind::MetricIdentifier | Kind::Aggregator | Kind::Moment => true,
            Kind::Keyword => !NO_METRICS.contains(&word.as_str()),
            Kind::Operator => matches!(word.as_str(), "and" | "or" | "unless"),
            _ => false,
        }
    }

    fn label_matchers(&mut self) -> Parsed<Vec<Matcher>> {
        self.take();
        let mut matchers = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                Kind::RightBrace => {
                    self.take();
                    return Ok(matchers);
                }
                Kind::Identifier | Kind::Text => matchers.push(self.label_matcher(token)?),
                _ => return Err(self.unexpected(LABELS, "identifier or \"}\"")),
            }
            match self.peek().kind {
                Kind::Comma => {
                    self.take();
                }
                Kind::RightBrace => {}
                _ => return Err(self.unexpected(LABELS, "\",\" or \"}\"")),
            }
        }
    }

    fn label_matcher(&mut self, label: Token) -> Parsed<Matcher> {
        self.take();
        let name = if label.kind == Kind::Text {
            self.string(label)?
        } else {
            self.text_of(label).to_owned()
        };
        let op = match (self.peek().kind, self.word()) {
            (Kind::Assign, _) => MatchOp::Equal,
            (Kind::EqualRegex, _) => MatchOp::Regex,
            (Kind::NotEqualRegex, _) => MatchOp::NotRegex,
            (Kind::Operator, "!=") => MatchOp::NotEqual,
            // A quoted name alone is the metric's.
            (Kind::Comma | Kind::RightBrace, _) if label.kind == Kind::Text => {
                return Ok(Matcher::equal(METRIC_NAME, name));
            }
            _ => return Err(self.unexpected(LABELS, "label matching operator")),
        };
        self.take();
        let value = self.peek();
        if value.kind != Kind::Text {
            return Err(self.unexpected(LABELS, "string"));
        }
        let span = Span { start: label.span.start, end: value.span.end };
        let bytes = self.unquoted(value)?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) if matches!(op, MatchOp::Regex | MatchOp::NotRegex) => {
                return Err(Mistake::new(span, "error parsing regexp: invalid UTF-8"));
            }
            // No label has such a value, nor the replacement character that stands for it here.
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        self.take();
        Matcher::new(name, op, text)
            .map_err(|error| Mistake::new(span, barograph_model::chain(&error)))
    }

    /// The text that a quoted word stands for.
    pub(super) fn string(&self, token: Token) -> Parsed<String> {
        String::from_utf8(self.unquoted(token)?).map_err(|error| {
            // Prometheus takes the bytes and finds later that no label can be called so.
            let bytes = quoted_bytes(error.as_bytes());
            Mistake::new(token.span, format!("invalid label name {bytes}"))
        })
    }

    fn unquoted(&self, token: Token) -> Parsed<Vec<u8>> {
        let word = self.text_of(token);
        unquote(word).map_err(|reason| {
            Mistake::new(token.span, format!("error unquoting string {}: {reason}", quoted(word)))
        })
    }

    /// The value of a number or, in seconds, of a duration; and whether it is a duration.
    pub(super) fn number(&self, token: Token) -> Parsed<(f64, bool)> {
        let text = self.text_of(token);
        if token.kind == Kind::Duration {
            let ms = parse_duration(text).map_err(|error| {
                let what = format!("{error}: {}", quoted(text));
                Mistake::new(token.span, what)
            })?;
            return Ok((ms as f64 / 1000.0, true));
        }
        let value = parse_number(text).ok_or_else(|| {
            let problem = format!("error parsing number: invalid syntax: {}", quoted(text));
            Mistake::new(token.span, problem)
        })?;
        Ok((value, false))
    }
}

/// A number as Go reads it: `0x1f`, `0755` and `0b1` with their bases, `_` between digits.
fn parse_number(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "inf" => return Some(f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let digits: String = lower.chars().filter(|c| *c != '_').collect();
    let with_base = |digits: &str, base| {
        u64::from_str_radix(digits, base).ok().filter(|value| i64::try_from(*value).is_ok())
    };
    if let Some(hex) = digits.strip_prefix("0x") {
        return with_base(hex, 16).map(|value| value as f64);
    }
    if digits.len() > 1
        && digits.starts_with('0')
        && let Some(value) = with_base(digits.get(1..)?, 8)
    {
        return Some(value as f64);
    }
    // Underscores are for whole numbers only.
    if lower.len() != digits.len() && !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_all_their_forms() {
        for (text, value) in [
            ("5", 5.0),
            ("5.", 5.0),
            (".5", 0.5),
            ("5e-3", 0.005),
            ("0xc", 12.0),
            ("0755", 493.0),
            ("08", 8.0),
            ("1_000", 1000.0),
            ("+Inf".trim_start_matches('+'), f64::INFINITY),
            ("1e400", f64::INFINITY),
        ] {
            assert_eq!(parse_number(text), Some(value), "{text}");
        }
        assert!(parse_number("NaN").unwrap().is_nan());
        assert_eq!(parse_number("0x"), None);
        assert_eq!(parse_number("1_0.5"), None);
    }
}
