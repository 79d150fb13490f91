//! What stands behind an operand: a range, `offset`, `@`, `anchored`, `smoothed`.

use super::{Mistake, Parsed, Parser};
use crate::ast::{
    At, Expr, Extended, Length, MatrixSelector, Node, Span, Subquery, TimeShift, VectorSelector,
};
use crate::lex::Kind;

const LENGTHS: &str = "number, duration, step(), or range()";

impl Parser<'_> {
    /// `[range]` or `[range:step]`.
    pub(super) fn range(&mut self, inner: Expr) -> Parsed<Expr> {
        const CONTEXT: &str = "subquery or range selector";
        let bracket = self.take().span;
        if self.starts_no_length() {
            return Err(self.unexpected(CONTEXT, LENGTHS));
        }
        let range = self.positive_length()?;
        match self.peek().kind {
            Kind::RightBracket => {
                let end = self.take().span.end;
                matrix(inner, range, Span { start: bracket.start, end })
            }
            Kind::Colon | Kind::DoubleColon => {
                let aligned = self.take().kind == Kind::DoubleColon;
                let step = if self.peek().kind == Kind::RightBracket {
                    None
                } else if self.starts_no_length() {
                    return Err(
                        self.unexpected("subquery selector", &format!("{LENGTHS} or \"]\""))
                    );
                } else {
                    Some(self.positive_length()?)
                };
                if self.peek().kind != Kind::RightBracket {
                    return Err(self.unexpected("subquery selector", "\"]\""));
                }
                let span = Span { start: inner.span.start, end: self.take().span.end };
                let time = TimeShift::default();
                let subquery = Subquery { inner, range, step, time, aligned };
                // Subqueries in a row nest, too: `x[1m:][1m:]…`.
                self.deepen()?;
                Ok(Expr { node: Node::Subquery(Box::new(subquery)), span })
            }
            _ => Err(self.unexpected("subquery or range", "\":\" or \"]\"")),
        }
    }

    pub(super) fn offset(&mut self, mut expr: Expr) -> Parsed<Expr> {
        self.take();
        if self.starts_no_length() {
            return Err(self.unexpected("offset", LENGTHS));
        }
        let offset = self.offset_length()?;
        let end = self.closed_at;
        let span = expr.span;
        let Some(time) = time_shift(&mut expr) else {
            let problem = "offset modifier must be preceded by an instant vector selector or \
                           range vector selector or a subquery";
            return Err(Mistake::new(span, problem));
        };
        if time.offset != Length::default() {
            return Err(Mistake::new(span, "offset may not be set multiple times"));
        }
        time.offset = offset;
        expr.span.end = end;
        Ok(expr)
    }

    pub(super) fn at_modifier(&mut self, mut expr: Expr) -> Parsed<Expr> {
        self.take();
        let span = expr.span;
        let at = self.moment(span)?;
        let end = self.closed_at;
        let Some(time) = time_shift(&mut expr) else {
            let problem = "@ modifier must be preceded by an instant vector selector or range \
                           vector selector or a subquery";
            return Err(Mistake::new(span, problem));
        };
        if time.at.is_some() {
            return Err(Mistake::new(span, "@ <timestamp> may not be set multiple times"));
        }
        time.at = Some(at);
        expr.span.end = end;
        Ok(expr)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
    fn moment(&mut self, span: Span) -> Parsed<At> {
        let token = self.peek();
        if token.kind == Kind::Moment {
            let at = match self.word().to_ascii_lowercase().as_str() {
                "start" => At::Start,
                "end" => At::End,
                _ => return Err(self.unexpected("@", "timestamp")),
            };
            self.take();
            for wanted in [Kind::LeftParen, Kind::RightParen] {
                if self.peek().kind != wanted {
                    return Err(self.unexpected("@", "timestamp"));
                }
                self.take();
            }
            return Ok(at);
        }
        let seconds = self.signed_number("@", "timestamp")?;
        let ms = (seconds * 1000.0).round();
        if !seconds.is_finite() || seconds.abs() >= i64::MAX as f64 {
            let problem = format!("timestamp out of bounds for @ modifier: {seconds:.6}");
            return Err(Mistake::new(span, problem));
        }
        // Beyond 292 million years the moment is as good as never.
        Ok(At::Time(ms as i64))
    }

    pub(super) fn extended(&mut self, mut expr: Expr) -> Parsed<Expr> {
        let anchored = self.word().eq_ignore_ascii_case("anchored");
        self.take();
        let (word, wanted) = if anchored {
            ("anchored", Extended::Anchored)
        } else {
            ("smoothed", Extended::Smoothed)
        };
        let span = expr.span;
        let selector: &mut VectorSelector = match &mut expr.node {
            Node::Vector(selector) => selector,
            Node::Matrix(matrix) => &mut matrix.selector,
            Node::Subquery(_) => {
                let problem = format!("{word} modifier is not supported for subqueries");
                return Err(Mistake::new(span, problem));
            }
            _ => return Err(Mistake::new(span, format!("{word} modifier not implemented"))),
        };
        if selector.extended.is_some_and(|other| other != wanted) {
            let problem = "anchored and smoothed modifiers cannot be used together";
            return Err(Mistake::new(span, problem));
        }
        selector.extended = Some(wanted);
        Ok(expr)
    }
}

fn matrix(inner: Expr, range: Length, brackets: Span) -> Parsed<Expr> {
    let selector_span = inner.span;
    let Node::Vector(selector) = inner.node else {
        return Err(Mistake::new(brackets, "ranges only allowed for vector selectors"));
    };
    if selector.time.offset != Length::default() {
        return Err(Mistake::new(brackets, "no offset modifiers allowed before range"));
    }
    if selector.time.at.is_some() {
        return Err(Mistake::new(brackets, "no @ modifiers allowed before range"));
    }
    let span = Span { start: selector_span.start, end: brackets.end };
    let matrix = MatrixSelector { selector: *selector, selector_span, range };
    Ok(Expr { node: Node::Matrix(Box::new(matrix)), span })
}

fn time_shift(expr: &mut Expr) -> Option<&mut TimeShift> {
    match &mut expr.node {
        Node::Vector(selector) => Some(&mut selector.time),
        Node::Matrix(matrix) => Some(&mut matrix.selector.time),
        Node::Subquery(subquery) => Some(&mut subquery.time),
        _ => None,
    }
}
