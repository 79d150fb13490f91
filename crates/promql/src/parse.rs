//! From text to tree.
//!
//! A precedence parser over [`crate::lex`]'s words. Its errors have Prometheus' words and places. Own
//! code, because the tree must know its places (`docs/adr/0050-own-promql-parser.md`).

use std::borrow::Cow;

use barograph_model::Matcher;

use crate::ast::{Expr, Length, Node, Span};
use crate::check;
use crate::lex::{self, Kind, Lexed, Token};
use crate::shorthand::{NoShorthands, Shorthands};

mod aggregate;
mod binary;
mod length;
mod modifier;
mod selector;
mod unexpected;

/// A longer query is a mistake or an attack; Grafana's largest have some ten kilobytes.
pub const MAX_QUERY_BYTES: usize = 256 * 1024;
/// How deep expressions may be nested, and how many operators may follow each other: everything
/// that walks or drops the tree may use the stack.
pub const MAX_DEPTH: usize = 200;

/// A query that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    text: String,
    expr: Expr,
    /// Whether a length depends on the question's step or range.
    is_open: bool,
}

/// Why a text is not a query, in Prometheus' words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: parse error: {problem}")]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1, as Prometheus counts.
    pub column: usize,
    /// The same place as bytes of the text.
    pub span: Span,
    pub problem: String,
}

impl Query {
    /// # Errors
    /// The first thing that is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_with(text, &NoShorthands)
    }

    /// PromQL in which shorthands may be operands. The tree has what they stand for, at their place.
    ///
    /// # Errors
    /// The first thing that is wrong with the text.
    pub fn parse_with(text: &str, known: &dyn Shorthands) -> Result<Self, ParseError> {
        let mut expr =
            parse_whole(text, known, Parser::query).map_err(|mistake| mistake.at(text))?;
        check::check(&expr).map_err(|mistake| mistake.at(text))?;
        check::settle_matching(&mut expr);
        Ok(Self { text: text.to_owned(), is_open: has_open_length(&expr), expr })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The tree for a question with this step and range in milliseconds (0 for an instant): lengths
    /// such as `[2 * step()]` have their value.
    ///
    /// # Errors
    /// A length is not above zero, or a division by zero.
    pub fn resolved(&self, step_ms: i64, range_ms: i64) -> Result<Cow<'_, Expr>, ParseError> {
        if !self.is_open {
            return Ok(Cow::Borrowed(&self.expr));
        }
        let mut expr = self.expr.clone();
        resolve(&mut expr, step_ms, range_ms).map_err(|mistake| mistake.at(&self.text))?;
        Ok(Cow::Owned(expr))
    }

    /// Where a part of the query begins, as annotations name it: `line:column`, both from 1.
    pub fn position(&self, span: Span) -> String {
        let (line, column) = line_and_column(&self.text, span.start);
        format!("{line}:{column}")
    }
}

/// The conditions of a selector such as `up{job="x"}`, for `match[]`.
///
/// # Errors
/// Anything that is not one selector.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    selector_alone(text, check::check)
}

/// The same, also of a selector that leaves nothing out, such as `{}` or `{job=~".*"}`.
///
/// # Errors
/// Anything that is not one selector.
pub fn parse_wide_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    selector_alone(text, |expr| match &expr.node {
        Node::Vector(selector) => check::check_name(selector, expr.span),
        _ => Ok(()),
    })
}

fn selector_alone(
    text: &str,
    check: impl FnOnce(&Expr) -> Result<(), Mistake>,
) -> Result<Vec<Matcher>, ParseError> {
    let parse = |parser: &mut Parser<'_>| {
        let expr = parser.vector_selector()?;
        parser.expect_end()?;
        check(&expr)?;
        match expr.node {
            Node::Vector(selector) => Ok(selector.matchers),
            _ => Err(Mistake::new(expr.span, "a selector is expected")),
        }
    };
    parse_whole(text, &NoShorthands, parse).map_err(|mistake| mistake.at(text))
}

fn parse_whole<'a, T>(
    text: &'a str,
    known: &dyn Shorthands,
    parse: impl FnOnce(&mut Parser<'a>) -> Result<T, Mistake>,
) -> Result<T, Mistake> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(Mistake::new(
            Span { start: 0, end: text.len() },
            format!("the query has {} bytes, at most {MAX_QUERY_BYTES} are allowed", text.len()),
        ));
    }
    let lexed = lex::lex(text, known);
    let mut parser = Parser { text, lexed, at: 0, depth: 0, aggregations: 0, closed_at: 0 };
    parse(&mut parser)
}

/// A problem and the part of the text that has it.
#[derive(Debug)]
pub(crate) struct Mistake {
    span: Span,
    problem: String,
}

impl Mistake {
    pub(crate) fn new(span: Span, problem: impl Into<String>) -> Self {
        Self { span, problem: problem.into() }
    }

    fn at(self, text: &str) -> ParseError {
        let (line, column) = line_and_column(text, self.span.start);
        ParseError { line, column, span: self.span, problem: self.problem }
    }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = before.split(|byte| *byte == b'\n').count();
    (line, before.len() - line_start + 1)
}

pub(crate) struct Parser<'a> {
    text: &'a str,
    lexed: Lexed,
    at: usize,
    /// Of the expression that is being read.
    depth: usize,
    /// Aggregations whose arguments are being read: errors tell of the innermost.
    aggregations: usize,
    /// Where the last word ended that can close a selector, call or aggregation.
    closed_at: usize,
}

type Parsed<T> = Result<T, Mistake>;

impl<'a> Parser<'a> {
    fn query(&mut self) -> Parsed<Expr> {
        if self.peek().kind == Kind::End {
            return Err(Mistake::new(Span::default(), "no expression found in input"));
        }
        let expr = self.expression()?;
        self.expect_end()?;
        Ok(expr)
    }

    fn expect_end(&mut self) -> Parsed<()> {
        if self.peek().kind == Kind::End { Ok(()) } else { Err(self.unexpected("", "")) }
    }

    /// An operand with what stands behind it: a range, `offset`, `@`.
    fn operand(&mut self) -> Parsed<Expr> {
        let mut expr = self.primary()?;
        loop {
            expr = match self.peek().kind {
                Kind::LeftBracket => self.range(expr)?,
                Kind::At => self.at_modifier(expr)?,
                Kind::Keyword => match self.word().to_ascii_lowercase().as_str() {
                    "offset" => self.offset(expr)?,
                    "anchored" | "smoothed" => self.extended(expr)?,
                    _ => return Ok(expr),
                },
                _ => return Ok(expr),
            };
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        match self.peek().kind {
            Kind::Number | Kind::Duration => self.number_literal(),
            Kind::Text => self.text_literal(),
            Kind::LeftParen => self.paren(),
            Kind::Shorthand => self.shorthand(),
            Kind::Aggregator if self.starts_aggregation() => self.aggregation(),
            Kind::Identifier | Kind::Moment if self.peek_next().kind == Kind::LeftParen => {
                self.call()
            }
            _ => self.vector_selector(),
        }
    }

    fn number_literal(&mut self) -> Parsed<Expr> {
        let token = self.take();
        let (value, is_duration) = self.number(token)?;
        Ok(Expr { node: Node::Number { value, is_duration }, span: token.span })
    }

    fn text_literal(&mut self) -> Parsed<Expr> {
        let token = self.take();
        Ok(Expr { node: Node::Text(self.string(token)?), span: token.span })
    }

    fn paren(&mut self) -> Parsed<Expr> {
        let start = self.take().span.start;
        self.deepen()?;
        let inner = Box::new(self.expression()?);
        self.depth -= 1;
        if self.peek().kind != Kind::RightParen {
            return Err(self.unexpected("", ""));
        }
        let end = self.take().span.end;
        Ok(Expr { node: Node::Paren(inner), span: Span { start, end } })
    }

    /// What it stands for, as if in parentheses, each part at the place of the whole.
    fn shorthand(&mut self) -> Parsed<Expr> {
        let span = self.take().span;
        self.closed_at = span.end;
        let found = self.lexed.shorthands.iter().find(|(start, _)| *start == span.start);
        let promql = found.map(|(_, promql)| promql.as_str()).unwrap_or_default();
        let mut expr = parse_whole(promql, &NoShorthands, Parser::query).map_err(|mistake| {
            Mistake::new(span, format!("it stands for `{promql}`: {}", mistake.problem))
        })?;
        put_at(&mut expr, span);
        let stands_alone = self.peek().kind == Kind::End && self.at == 1;
        if stands_alone || !matches!(expr.node, Node::Binary(_) | Node::Unary { .. }) {
            return Ok(expr);
        }
        Ok(Expr { node: Node::Paren(Box::new(expr)), span })
    }

    /// What is read now stands one level deeper.
    fn deepen(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        let problem = format!(
            "the expression is nested more than {MAX_DEPTH} levels deep (operators in a row count)"
        );
        Err(Mistake::new(self.peek().span, problem))
    }

    fn peek(&self) -> Token {
        self.token(self.at)
    }

    fn peek_next(&self) -> Token {
        self.token(self.at + 1)
    }

    fn token(&self, at: usize) -> Token {
        let end = Span { start: self.text.len(), end: self.text.len() };
        let last = self.lexed.tokens.last().copied();
        let last = last.unwrap_or(Token { kind: Kind::End, span: end });
        self.lexed.tokens.get(at).copied().unwrap_or(last)
    }

    /// The next word, which is left behind.
    fn take(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        if matches!(
            token.kind,
            Kind::RightBrace
                | Kind::RightParen
                | Kind::RightBracket
                | Kind::Duration
                | Kind::Number
        ) {
            self.closed_at = token.span.end;
        }
        token
    }

    /// The text of the next word.
    fn word(&self) -> &'a str {
        self.text_of(self.peek())
    }

    fn text_of(&self, token: Token) -> &'a str {
        self.text.get(token.span.start..token.span.end).unwrap_or_default()
    }

    fn is_operator(&self, token: Token, text: &str) -> bool {
        token.kind == Kind::Operator && self.text_of(token) == text
    }
}

fn put_at(expr: &mut Expr, span: Span) {
    expr.span = span;
    if let Node::Matrix(matrix) = &mut expr.node {
        matrix.selector_span = span;
    }
    expr.children_mut().into_iter().for_each(|child| put_at(child, span));
}

fn has_open_length(expr: &Expr) -> bool {
    let is_open = |length: &Length| length.expr.as_ref().is_some_and(|expr| !expr.is_fixed());
    let here = match &expr.node {
        Node::Vector(selector) => is_open(&selector.time.offset),
        Node::Matrix(matrix) => is_open(&matrix.range) || is_open(&matrix.selector.time.offset),
        Node::Subquery(subquery) => {
            is_open(&subquery.range)
                || is_open(&subquery.time.offset)
                || subquery.step.as_ref().is_some_and(is_open)
        }
        _ => false,
    };
    here || expr.children().into_iter().any(has_open_length)
}

fn resolve(expr: &mut Expr, step_ms: i64, range_ms: i64) -> Parsed<()> {
    let span = expr.span;
    let compute = |length: &mut Length, positive: bool| {
        if let Some(expr) = &length.expr {
            length.ms = expr
                .ms(step_ms, range_ms)
                .map_err(|error| Mistake::new(span, error.to_string()))?;
            if positive && length.ms <= 0 {
                return Err(Mistake::new(span, "duration must be greater than 0"));
            }
        }
        Ok(())
    };
    match &mut expr.node {
        Node::Vector(selector) => compute(&mut selector.time.offset, false)?,
        Node::Matrix(matrix) => {
            compute(&mut matrix.range, true)?;
            compute(&mut matrix.selector.time.offset, false)?;
        }
        Node::Subquery(subquery) => {
            compute(&mut subquery.range, true)?;
            compute(&mut subquery.time.offset, false)?;
            if let Some(step) = &mut subquery.step {
                compute(step, true)?;
            }
        }
        _ => {}
    }
    expr.children_mut().into_iter().try_for_each(|child| resolve(child, step_ms, range_ms))
}

#[cfg(test)]
mod tests;
