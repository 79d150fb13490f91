//! Aggregations and function calls.

use super::{Mistake, Parsed, Parser};
use crate::ast::{Aggregate, AggregateOp, Expr, Node, Span};
use crate::function::function;
use crate::lex::{self, Kind, Token};
use crate::quote::quoted;

impl Parser<'_> {
    /// Whether the aggregator's name at hand is not a metric's.
    pub(super) fn starts_aggregation(&self) -> bool {
        let next = self.peek_next();
        let word = self.text_of(next).to_ascii_lowercase();
        match next.kind {
            Kind::LeftParen => true,
            Kind::Keyword => matches!(word.as_str(), "by" | "without"),
            _ => false,
        }
    }

    pub(super) fn aggregation(&mut self) -> Parsed<Expr> {
        let start = self.take().span;
        let op = self.aggregate_op(start);
        self.aggregations += 1;
        let mut modifier = self.aggregate_modifier()?;
        let args = self.arguments()?;
        self.aggregations -= 1;
        let mut span = Span { start: start.start, end: self.closed_at };
        if modifier.is_none() {
            modifier = self.aggregate_modifier()?;
            span.end = self.closed_at;
        }
        let (without, grouping) = modifier.unwrap_or_default();

        let problem = |text: String| Err(Mistake::new(span, text));
        if args.is_empty() {
            return problem("no arguments for aggregate expression provided".to_owned());
        }
        let (wanted, given) = (1 + usize::from(op.takes_param()), args.len());
        let mut args = args.into_iter();
        let param = if op.takes_param() { args.next() } else { None };
        match (args.next(), args.next()) {
            (Some(inner), None) => {
                let aggregate = Aggregate { op, param, inner, without, grouping };
                Ok(Expr { node: Node::Aggregate(Box::new(aggregate)), span })
            }
            _ => problem(format!(
                "wrong number of arguments for aggregate expression provided, \
                 expected {wanted}, got {given}"
            )),
        }
    }

    fn aggregate_op(&self, span: Span) -> AggregateOp {
        let name = self.text.get(span.start..span.end).unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "avg" => AggregateOp::Avg,
            "count" => AggregateOp::Count,
            "min" => AggregateOp::Min,
            "max" => AggregateOp::Max,
            "group" => AggregateOp::Group,
            "stddev" => AggregateOp::Stddev,
            "stdvar" => AggregateOp::Stdvar,
            "topk" => AggregateOp::TopK,
            "bottomk" => AggregateOp::BottomK,
            "count_values" => AggregateOp::CountValues,
            "quantile" => AggregateOp::Quantile,
            "limitk" => AggregateOp::LimitK,
            "limit_ratio" => AggregateOp::LimitRatio,
            _ => AggregateOp::Sum,
        }
    }

    /// Whether it is `without`, and the labels.
    fn aggregate_modifier(&mut self) -> Parsed<Option<(bool, Vec<String>)>> {
        match self.take_keyword(&["by", "without"]) {
            Some(word) => Ok(Some((word == "without", self.grouping_labels()?))),
            None => Ok(None),
        }
    }

    pub(super) fn call(&mut self) -> Parsed<Expr> {
        let name = self.take();
        let args = self.arguments()?;
        let text = self.text_of(name);
        let Some(function) = function(text) else {
            let problem = format!("unknown function with name {}", quoted(text));
            return Err(Mistake::new(name.span, problem));
        };
        let span = Span { start: name.span.start, end: self.closed_at };
        Ok(Expr { node: Node::Call { function, args }, span })
    }

    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        if self.peek().kind != Kind::LeftParen {
            return Err(self.unexpected("", ""));
        }
        self.take();
        let mut args = Vec::new();
        if self.peek().kind == Kind::RightParen {
            self.take();
            return Ok(args);
        }
        loop {
            self.deepen()?;
            args.push(self.expression()?);
            self.depth -= 1;
            let token = self.peek();
            match token.kind {
                Kind::RightParen => {
                    self.take();
                    return Ok(args);
                }
                Kind::Comma if self.peek_next().kind == Kind::RightParen => {
                    let problem = "trailing commas not allowed in function call args";
                    return Err(Mistake::new(token.span, problem));
                }
                Kind::Comma => {
                    self.take();
                }
                _ => return Err(self.unexpected("", "")),
            }
        }
    }

    /// `(label, "label", …)`
    pub(super) fn grouping_labels(&mut self) -> Parsed<Vec<String>> {
        const CONTEXT: &str = "grouping opts";
        if self.peek().kind != Kind::LeftParen {
            return Err(self.unexpected(CONTEXT, "\"(\""));
        }
        self.take();
        let mut labels = Vec::new();
        loop {
            let token = self.peek();
            if token.kind == Kind::RightParen {
                self.take();
                return Ok(labels);
            }
            labels.push(self.grouping_label(token)?);
            match self.peek().kind {
                Kind::Comma => {
                    self.take();
                }
                Kind::RightParen => {}
                _ => return Err(self.unexpected(CONTEXT, "\",\" or \")\"")),
            }
        }
    }

    fn grouping_label(&mut self, token: Token) -> Parsed<String> {
        let text = self.text_of(token);
        if token.kind == Kind::Text {
            let label = self.string(token)?;
            if label.is_empty() {
                let problem = "invalid label name for grouping: \"\"";
                return Err(Mistake::new(token.span, problem));
            }
            self.take();
            return Ok(label);
        }
        if !lex::is_plain_label(text) || token.kind == Kind::Number {
            return Err(self.unexpected("grouping opts", "label"));
        }
        self.take();
        Ok(text.to_owned())
    }
}
