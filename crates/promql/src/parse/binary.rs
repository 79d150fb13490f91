//! Operators and how they bind.

use super::{Parsed, Parser};
use crate::ast::{Binary, BinaryOp, Cardinality, Expr, Matching, Node, Span};
use crate::lex::Kind;

/// How strongly operators bind; `^` is the only one that binds to the right.
const UNARY: u8 = 6;

fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And | BinaryOp::Unless => 2,
        _ if op.is_comparison() => 3,
        BinaryOp::Add | BinaryOp::Sub => 4,
        BinaryOp::Pow => 7,
        _ => 5,
    }
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.binary(0)
    }

    /// Operands joined by operators that bind at least so strongly.
    fn binary(&mut self, weakest: u8) -> Parsed<Expr> {
        let outer_depth = self.depth;
        let mut lhs = self.unary()?;
        while let Some(op) = self.operator() {
            let strength = precedence(op);
            if strength < weakest {
                break;
            }
            // Each operator of a row puts what was before it one level deeper.
            self.deepen()?;
            self.take();
            let (return_bool, matching) = self.modifiers()?;
            let rhs = self.binary(if op == BinaryOp::Pow { strength } else { strength + 1 })?;
            let span = Span { start: lhs.span.start, end: rhs.span.end };
            let binary = Binary { op, lhs, rhs, return_bool, matching: Some(matching) };
            lhs = Expr { node: Node::Binary(Box::new(binary)), span };
        }
        self.depth = outer_depth;
        Ok(lhs)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let token = self.peek();
        let negative = self.is_operator(token, "-");
        if !negative && !self.is_operator(token, "+") {
            return self.operand();
        }
        self.take();
        self.deepen()?;
        let inner = self.binary(UNARY)?;
        self.depth -= 1;
        let span = Span { start: token.span.start, end: inner.span.end };
        // The sign of a number belongs to it.
        if let Node::Number { value, is_duration } = inner.node {
            let value = if negative { -value } else { value };
            return Ok(Expr { node: Node::Number { value, is_duration }, span });
        }
        Ok(Expr { node: Node::Unary { negative, inner: Box::new(inner) }, span })
    }

    fn operator(&self) -> Option<BinaryOp> {
        if self.peek().kind != Kind::Operator {
            return None;
        }
        Some(match self.word().to_ascii_lowercase().as_str() {
            "+" => BinaryOp::Add,
            "-" => BinaryOp::Sub,
            "*" => BinaryOp::Mul,
            "/" => BinaryOp::Div,
            "%" => BinaryOp::Mod,
            "^" => BinaryOp::Pow,
            "atan2" => BinaryOp::Atan2,
            "==" => BinaryOp::Equal,
            "!=" => BinaryOp::NotEqual,
            "<" => BinaryOp::Less,
            "<=" => BinaryOp::LessEqual,
            ">" => BinaryOp::Greater,
            ">=" => BinaryOp::GreaterEqual,
            "and" => BinaryOp::And,
            "or" => BinaryOp::Or,
            "unless" => BinaryOp::Unless,
            _ => return None,
        })
    }

    /// `bool`, `on`/`ignoring`, `group_left`/`group_right`, `fill`, in this order.
    fn modifiers(&mut self) -> Parsed<(bool, Matching)> {
        let mut matching = Matching::default();
        let return_bool = self.take_keyword(&["bool"]).is_some();
        if let Some(word) = self.take_keyword(&["on", "ignoring"]) {
            matching.on = word == "on";
            matching.labels = self.grouping_labels()?;
            if let Some(word) = self.take_keyword(&["group_left", "group_right"]) {
                matching.cardinality = if word == "group_left" {
                    Cardinality::ManyToOne
                } else {
                    Cardinality::OneToMany
                };
                if self.peek().kind == Kind::LeftParen {
                    matching.include = self.grouping_labels()?;
                }
            }
        }
        if self.take_keyword(&["fill"]).is_some() {
            let value = self.fill_value()?;
            matching.fill_left = Some(value);
            matching.fill_right = Some(value);
        } else {
            while let Some(word) = self.take_keyword(&["fill_left", "fill_right"]) {
                let value = self.fill_value()?;
                let side = if word == "fill_left" {
                    &mut matching.fill_left
                } else {
                    &mut matching.fill_right
                };
                if side.replace(value).is_some() {
                    return Err(self.unexpected("", ""));
                }
            }
        }
        Ok((return_bool, matching))
    }

    /// The next word in lower case, left behind, if it is one of these keywords.
    pub(super) fn take_keyword(&mut self, words: &[&'static str]) -> Option<&'static str> {
        if self.peek().kind != Kind::Keyword {
            return None;
        }
        let word = words.iter().find(|word| self.word().eq_ignore_ascii_case(word))?;
        self.take();
        Some(word)
    }

    fn fill_value(&mut self) -> Parsed<f64> {
        if self.peek().kind != Kind::LeftParen {
            return Err(self.unexpected("fill modifier", "\"(\""));
        }
        self.take();
        let value = self.signed_number("fill modifier", "number")?;
        if self.peek().kind != Kind::RightParen {
            return Err(self.unexpected("fill modifier", "\")\""));
        }
        self.take();
        Ok(value)
    }

    /// A number with or without a sign.
    pub(super) fn signed_number(&mut self, context: &str, expected: &str) -> Parsed<f64> {
        let sign = self.peek();
        let negative = self.is_operator(sign, "-");
        if negative || self.is_operator(sign, "+") {
            self.take();
        }
        let token = self.peek();
        if !matches!(token.kind, Kind::Number | Kind::Duration) {
            return Err(self.unexpected(context, expected));
        }
        self.take();
        let (value, _) = self.number(token)?;
        Ok(if negative { -value } else { value })
    }
}
