//! Lengths of time, plain or computed: `5m`, `300`, `(2 * step())`.

use super::{Mistake, Parsed, Parser};
use crate::ast::{Length, Span};
use crate::duration::{DurationExpr, DurationOp, seconds_to_ms};
use crate::lex::Kind;

const CONTEXT: &str = "duration expression";
const ANY: &str = "number, duration, step(), or range()";

/// The shorter, or the longer, of two lengths. Before Prometheus 3.13 they were `min` and `max`.
const EXTREMES: [&str; 4] = ["min", "max", "min_of", "max_of"];
/// How strongly a sign binds: weaker than `^`, and stronger than what else there is.
const SIGN: u8 = 3;

impl Parser<'_> {
    /// Whether the next word cannot begin a length.
    pub(super) fn starts_no_length(&self) -> bool {
        let token = self.peek();
        let word = self.word().to_ascii_lowercase();
        !(self.sign().is_some()
            || matches!(token.kind, Kind::Number | Kind::Duration | Kind::LeftParen)
            || matches!(word.as_str(), "step" | "range")
            || EXTREMES.contains(&word.as_str()))
    }

    /// A length above zero, as ranges and steps are.
    pub(super) fn positive_length(&mut self) -> Parsed<Length> {
        let start = self.peek().span.start;
        let expr = self.duration_sum(0)?;
        let length = self.length(expr, start)?;
        let is_fixed = length.expr.as_ref().is_none_or(|expr| expr.is_fixed());
        if is_fixed && length.ms <= 0 {
            let span = Span { start, end: self.closed_at };
            return Err(Mistake::new(span, "duration must be greater than 0"));
        }
        Ok(length)
    }

    /// What `offset` takes: one operand, since an operator behind it belongs to the query.
    pub(super) fn offset_length(&mut self) -> Parsed<Length> {
        let start = self.peek().span.start;
        let expr = self.duration_operand()?;
        self.length(expr, start)
    }

    fn length(&self, expr: DurationExpr, start: usize) -> Parsed<Length> {
        let span = Span { start, end: self.closed_at };
        let plain = match &expr {
            DurationExpr::Number { seconds, .. } => Some(*seconds),
            DurationExpr::Negative(inner) => match **inner {
                DurationExpr::Number { seconds, .. } => Some(-seconds),
                _ => None,
            },
            _ => None,
        };
        if let Some(seconds) = plain {
            let ms = seconds_to_ms(seconds)
                .ok_or_else(|| Mistake::new(span, "duration out of range"))?;
            return Ok(Length::of_ms(ms));
        }
        let ms = if expr.is_fixed() {
            expr.ms(0, 0).map_err(|error| Mistake::new(span, error.to_string()))?
        } else {
            0
        };
        Ok(Length { ms, expr: Some(Box::new(expr)) })
    }

    /// Operands joined by operators that bind at least so strongly.
    fn duration_sum(&mut self, weakest: u8) -> Parsed<DurationExpr> {
        let mut lhs = match self.sign() {
            Some(negative) => self.signed(negative, |parser| parser.duration_sum(SIGN))?,
            None => self.duration_operand()?,
        };
        let mut chained = 0;
        loop {
            let op = match self.word() {
                "+" => DurationOp::Add,
                "-" => DurationOp::Sub,
                "*" => DurationOp::Mul,
                "/" => DurationOp::Div,
                "%" => DurationOp::Mod,
                "^" => DurationOp::Pow,
                _ => break,
            };
            let strength = match op {
                DurationOp::Add | DurationOp::Sub => 1,
                DurationOp::Pow => 3,
                _ => 2,
            };
            if strength < weakest {
                break;
            }
            self.deepen()?;
            chained += 1;
            self.take();
            let rhs =
                self.duration_sum(if op == DurationOp::Pow { strength } else { strength + 1 })?;
            lhs = DurationExpr::Binary { op, lhs: Box::new(lhs), rhs: Box::new(rhs) };
        }
        self.depth -= chained;
        Ok(lhs)
    }

    fn inner_sum(&mut self) -> Parsed<DurationExpr> {
        self.deepen()?;
        let inner = self.duration_sum(0)?;
        self.depth -= 1;
        Ok(inner)
    }

    /// Whether the next word is a sign, and a minus.
    fn sign(&self) -> Option<bool> {
        let token = self.peek();
        let is_sign = self.is_operator(token, "-") || self.is_operator(token, "+");
        is_sign.then(|| self.is_operator(token, "-"))
    }

    fn signed(
        &mut self,
        negative: bool,
        read: impl FnOnce(&mut Self) -> Parsed<DurationExpr>,
    ) -> Parsed<DurationExpr> {
        self.take();
        self.deepen()?;
        let inner = read(self)?;
        self.depth -= 1;
        Ok(if negative { DurationExpr::Negative(Box::new(inner)) } else { inner })
    }

    fn duration_operand(&mut self) -> Parsed<DurationExpr> {
        if let Some(negative) = self.sign() {
            return self.signed(negative, Self::duration_operand);
        }
        let token = self.peek();
        let word = self.word().to_ascii_lowercase();
        match (token.kind, word.as_str()) {
            (Kind::Number | Kind::Duration, _) => {
                self.take();
                let (seconds, is_duration) = self.number(token)?;
                Ok(DurationExpr::Number { seconds, is_duration })
            }
            (Kind::LeftParen, _) => {
                self.take();
                let inner = self.inner_sum()?;
                self.expect(Kind::RightParen, "\")\"")?;
                Ok(DurationExpr::Paren(Box::new(inner)))
            }
            (Kind::Moment, "step" | "range") => {
                self.take();
                self.expect(Kind::LeftParen, "\"(\"")?;
                self.expect(Kind::RightParen, "\")\"")?;
                Ok(if word == "step" { DurationExpr::Step } else { DurationExpr::Range })
            }
            (Kind::Aggregator | Kind::Identifier, word) if EXTREMES.contains(&word) => {
                self.take();
                self.expect(Kind::LeftParen, "\"(\"")?;
                let lhs = Box::new(self.inner_sum()?);
                self.expect(Kind::Comma, "\",\"")?;
                let rhs = Box::new(self.inner_sum()?);
                self.expect(Kind::RightParen, "\")\"")?;
                let op = if word.starts_with("min") { DurationOp::Min } else { DurationOp::Max };
                Ok(DurationExpr::Binary { op, lhs, rhs })
            }
            _ => Err(self.unexpected(CONTEXT, ANY)),
        }
    }

    fn expect(&mut self, kind: Kind, expected: &str) -> Parsed<()> {
        if self.peek().kind != kind {
            return Err(self.unexpected(CONTEXT, expected));
        }
        self.take();
        Ok(())
    }
}
