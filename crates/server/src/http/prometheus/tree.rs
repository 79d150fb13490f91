//! A query's tree as JSON, as Prometheus' own page asks for it. Keys are in order of their names,
//! as Go writes maps.

use barograph_model::Matcher;
use barograph_promql::ast::{
    At, Cardinality, Expr, Extended, Matching, Node, TimeShift, VectorSelector,
};
use barograph_promql::{Signature, Variadic, plain_number};

use super::text::{push_json_string, push_strings};

pub(super) fn push_tree(out: &mut String, expr: &Expr) {
    let mut object = Object::begin(out);
    match &expr.node {
        Node::Number { value, .. } => {
            object.text("type", "numberLiteral");
            object.text("val", &plain_number(*value));
        }
        Node::Text(text) => {
            object.text("type", "stringLiteral");
            object.text("val", text);
        }
        Node::Paren(inner) => {
            object.tree("expr", Some(inner));
            object.text("type", "parenExpr");
        }
        Node::Unary { negative, inner } => {
            object.tree("expr", Some(inner));
            object.text("op", if *negative { "-" } else { "+" });
            object.text("type", "unaryExpr");
        }
        Node::Binary(binary) => {
            object.raw("bool", &binary.return_bool.to_string());
            object.tree("lhs", Some(&binary.lhs));
            object.key("matching");
            push_matching(object.out, binary.matching.as_ref());
            object.text("op", binary.op.as_str());
            object.tree("rhs", Some(&binary.rhs));
            object.text("type", "binaryExpr");
        }
        Node::Aggregate(aggregate) => {
            object.tree("expr", Some(&aggregate.inner));
            object.strings("grouping", &aggregate.grouping);
            object.text("op", aggregate.op.as_str());
            object.tree("param", aggregate.param.as_ref());
            object.text("type", "aggregation");
            object.raw("without", &aggregate.without.to_string());
        }
        Node::Call { function, args } => {
            object.key("args");
            object.out.push('[');
            for (place, arg) in args.iter().enumerate() {
                if place > 0 {
                    object.out.push(',');
                }
                push_tree(object.out, arg);
            }
            object.out.push(']');
            object.key("func");
            push_function(object.out, function);
            object.text("type", "call");
        }
        Node::Vector(selector) => push_selector(&mut object, selector, None),
        Node::Matrix(matrix) => {
            push_selector(&mut object, &matrix.selector, Some(matrix.range.ms));
        }
        Node::Subquery(subquery) => {
            object.raw("alignEvalTime", &subquery.aligned.to_string());
            object.tree("expr", Some(&subquery.inner));
            object.raw("offset", &subquery.time.offset.ms.to_string());
            object.raw("range", &subquery.range.ms.to_string());
            object.start_or_end(&subquery.time);
            let step_ms = subquery.step.as_ref().map_or(0, |step| step.ms);
            object.raw("step", &step_ms.to_string());
            object.timestamp(&subquery.time);
            object.text("type", "subquery");
        }
    }
    object.end();
}

fn push_selector(object: &mut Object<'_>, selector: &VectorSelector, range_ms: Option<i64>) {
    let is = |extended| (selector.extended == Some(extended)).to_string();
    object.raw("anchored", &is(Extended::Anchored));
    object.key("matchers");
    push_matchers(object.out, &selector.matchers);
    object.text("name", selector.name.as_deref().unwrap_or_default());
    object.raw("offset", &selector.time.offset.ms.to_string());
    if let Some(range_ms) = range_ms {
        object.raw("range", &range_ms.to_string());
    }
    object.raw("smoothed", &is(Extended::Smoothed));
    object.start_or_end(&selector.time);
    object.timestamp(&selector.time);
    object.text("type", if range_ms.is_some() { "matrixSelector" } else { "vectorSelector" });
}

fn push_matchers(out: &mut String, matchers: &[Matcher]) {
    out.push('[');
    for (place, matcher) in matchers.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let mut object = Object::begin(out);
        object.text("name", matcher.label());
        object.text("type", matcher.op().as_str());
        object.text("value", matcher.value());
        object.end();
    }
    out.push(']');
}

fn push_matching(out: &mut String, matching: Option<&Matching>) {
    let Some(matching) = matching else {
        out.push_str("null");
        return;
    };
    let mut object = Object::begin(out);
    object.text(
        "card",
        match matching.cardinality {
            Cardinality::OneToOne => "one-to-one",
            Cardinality::ManyToOne => "many-to-one",
            Cardinality::OneToMany => "one-to-many",
            Cardinality::ManyToMany => "many-to-many",
        },
    );
    object.key("fillValues");
    let mut fills = Object::begin(object.out);
    for (name, value) in [("lhs", matching.fill_left), ("rhs", matching.fill_right)] {
        fills.raw(name, &value.filter(|v| v.is_finite()).map_or("null".to_owned(), plain_number));
    }
    fills.end();
    object.strings("include", &matching.include);
    object.strings("labels", &matching.labels);
    object.raw("on", &matching.on.to_string());
    object.end();
}

fn push_function(out: &mut String, function: &Signature) {
    let mut object = Object::begin(out);
    object.key("argTypes");
    push_strings(object.out, function.args.iter().map(|kind| kind.as_str()));
    object.text("name", function.name);
    object.text("returnType", function.returns.as_str());
    let variadic = match function.variadic {
        Variadic::No => "0".to_owned(),
        Variadic::UpTo(times) => times.to_string(),
        Variadic::Any => "-1".to_owned(),
    };
    object.raw("variadic", &variadic);
    object.end();
}

/// A JSON object in the making.
struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    fn key(&mut self, name: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        push_json_string(self.out, name);
        self.out.push(':');
    }

    fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        push_json_string(self.out, value);
    }

    /// `value` is JSON.
    fn raw(&mut self, name: &str, value: &str) {
        self.key(name);
        self.out.push_str(value);
    }

    fn strings(&mut self, name: &str, values: &[String]) {
        self.key(name);
        push_strings(self.out, values.iter().map(String::as_str));
    }

    fn tree(&mut self, name: &str, expr: Option<&Expr>) {
        self.key(name);
        match expr {
            Some(expr) => push_tree(self.out, expr),
            None => self.out.push_str("null"),
        }
    }

    fn start_or_end(&mut self, time: &TimeShift) {
        let word = match time.at {
            Some(At::Start) => "\"start\"",
            Some(At::End) => "\"end\"",
            _ => "null",
        };
        self.raw("startOrEnd", word);
    }

    fn timestamp(&mut self, time: &TimeShift) {
        match time.at {
            Some(At::Time(ms)) => self.raw("timestamp", &ms.to_string()),
            _ => self.raw("timestamp", "null"),
        }
    }

    fn end(self) {
        self.out.push('}');
    }
}
