//! A tree as text, in the form that Prometheus gives it.

use std::fmt;

use barograph_model::{METRIC_NAME, MatchOp, Matcher};

use crate::ast::{
    Aggregate, At, Binary, Cardinality, Expr, Extended, Length, Matching, Node, Subquery,
    TimeShift, VectorSelector,
};
use crate::duration::{DurationExpr, DurationOp, format_duration, seconds_to_ms};
use crate::lex::is_plain_label;
use crate::number::plain_number;
use crate::quote::quoted;

/// Longer lines are broken.
const LINE_CHARS: usize = 100;

impl Expr {
    /// The expression over several lines where it is long.
    pub fn pretty(&self) -> String {
        pretty(self, 0)
    }
}

fn indent(level: usize) -> String {
    "  ".repeat(level)
}

fn pretty(expr: &Expr, level: usize) -> String {
    let line = expr.to_string();
    let pad = indent(level);
    if let Node::Unary { negative, inner } = &expr.node {
        let sign = if *negative { "-" } else { "+" };
        return format!("{pad}{sign}{}", pretty(inner, level).trim());
    }
    if line.len() <= LINE_CHARS {
        return format!("{pad}{line}");
    }
    match &expr.node {
        Node::Paren(inner) => format!("{pad}(\n{}\n{pad})", pretty(inner, level + 1)),
        Node::Binary(binary) => format!(
            "{}\n{pad}{}\n{}",
            pretty(&binary.lhs, level + 1),
            Operator(binary),
            pretty(&binary.rhs, level + 1)
        ),
        Node::Aggregate(aggregate) => {
            let param = match &aggregate.param {
                Some(param) => format!("{},\n", pretty(param, level + 1)),
                None => String::new(),
            };
            let inner = pretty(&aggregate.inner, level + 1);
            format!("{pad}{}(\n{param}{inner}\n{pad})", Aggregation(aggregate))
        }
        Node::Call { function, args } => {
            let args: Vec<_> = args.iter().map(|arg| pretty(arg, level + 1)).collect();
            format!("{pad}{}(\n{}\n{pad})", function.name, args.join(",\n"))
        }
        Node::Subquery(subquery) => {
            format!("{}{}", pretty(&subquery.inner, level), Steps(subquery))
        }
        _ => format!("{pad}{line}"),
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Number { value, is_duration: true } => match seconds_to_ms(*value) {
                Some(ms) => f.write_str(&format_duration(ms)),
                None => f.write_str(&plain_number(*value)),
            },
            Node::Number { value, .. } => f.write_str(&plain_number(*value)),
            Node::Text(text) => f.write_str(&quoted(text)),
            Node::Paren(inner) => write!(f, "({inner})"),
            Node::Unary { negative, inner } => {
                write!(f, "{}{inner}", if *negative { "-" } else { "+" })
            }
            Node::Binary(binary) => write!(f, "{} {} {}", binary.lhs, Operator(binary), binary.rhs),
            Node::Aggregate(aggregate) => {
                write!(f, "{}(", Aggregation(aggregate))?;
                if let Some(param) = &aggregate.param {
                    write!(f, "{param}, ")?;
                }
                write!(f, "{})", aggregate.inner)
            }
            Node::Call { function, args } => {
                write!(f, "{}(", function.name)?;
                for (place, arg) in args.iter().enumerate() {
                    write!(f, "{}{arg}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Node::Vector(selector) => {
                series(f, selector)?;
                moment(f, &selector.time)?;
                extension(f, selector)?;
                offset(f, &selector.time)
            }
            Node::Matrix(matrix) => {
                series(f, &matrix.selector)?;
                write!(f, "[{}]", matrix.range)?;
                extension(f, &matrix.selector)?;
                moment(f, &matrix.selector.time)?;
                offset(f, &matrix.selector.time)
            }
            Node::Subquery(subquery) => write!(f, "{}{}", subquery.inner, Steps(subquery)),
        }
    }
}

/// The name and the conditions, without what stands behind them.
fn series(f: &mut fmt::Formatter<'_>, selector: &VectorSelector) -> fmt::Result {
    let name = selector.name.as_deref().unwrap_or_default();
    f.write_str(name)?;
    let is_name = |matcher: &&Matcher| {
        matcher.label() == METRIC_NAME
            && matcher.op() == MatchOp::Equal
            && matcher.value() == name
            && !name.is_empty()
    };
    let mut conditions: Vec<String> = selector
        .matchers
        .iter()
        .filter(|matcher| !is_name(matcher))
        .map(|matcher| {
            let label = label(matcher.label());
            format!("{label}{}{}", matcher.op().as_str(), quoted(matcher.value()))
        })
        .collect();
    conditions.sort();
    if conditions.is_empty() { Ok(()) } else { write!(f, "{{{}}}", conditions.join(",")) }
}

fn label(name: &str) -> String {
    if is_plain_label(name) { name.to_owned() } else { quoted(name) }
}

fn labels(names: &[String]) -> String {
    names.iter().map(|name| label(name)).collect::<Vec<_>>().join(", ")
}

fn moment(f: &mut fmt::Formatter<'_>, time: &TimeShift) -> fmt::Result {
    match time.at {
        None => Ok(()),
        Some(At::Time(ms)) => write!(f, " @ {:.3}", ms as f64 / 1000.0),
        Some(At::Start) => f.write_str(" @ start()"),
        Some(At::End) => f.write_str(" @ end()"),
    }
}

fn offset(f: &mut fmt::Formatter<'_>, time: &TimeShift) -> fmt::Result {
    if time.offset == Length::default() { Ok(()) } else { write!(f, " offset {}", time.offset) }
}

fn extension(f: &mut fmt::Formatter<'_>, selector: &VectorSelector) -> fmt::Result {
    match selector.extended {
        None => Ok(()),
        Some(Extended::Anchored) => f.write_str(" anchored"),
        Some(Extended::Smoothed) => f.write_str(" smoothed"),
    }
}

/// An operator with its modifiers.
struct Operator<'a>(&'a Binary);

impl fmt::Display for Operator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = self.0;
        f.write_str(binary.op.as_str())?;
        if binary.return_bool {
            f.write_str(" bool")?;
        }
        match &binary.matching {
            Some(matching) => modifiers(f, matching),
            None => Ok(()),
        }
    }
}

fn modifiers(f: &mut fmt::Formatter<'_>, matching: &Matching) -> fmt::Result {
    let side = match matching.cardinality {
        Cardinality::ManyToOne => Some("left"),
        Cardinality::OneToMany => Some("right"),
        _ => None,
    };
    if !matching.labels.is_empty() || matching.on || side.is_some() {
        let word = if matching.on { "on" } else { "ignoring" };
        write!(f, " {word} ({})", labels(&matching.labels))?;
    }
    if let Some(side) = side {
        write!(f, " group_{side} ({})", labels(&matching.include))?;
    }
    match (matching.fill_left, matching.fill_right) {
        (Some(left), Some(right)) if left.to_bits() == right.to_bits() => {
            write!(f, " fill ({})", plain_number(left))
        }
        (left, right) => {
            if let Some(left) = left {
                write!(f, " fill_left ({})", plain_number(left))?;
            }
            if let Some(right) = right {
                write!(f, " fill_right ({})", plain_number(right))?;
            }
            Ok(())
        }
    }
}

/// An aggregation up to its parenthesis.
struct Aggregation<'a>(&'a Aggregate);

impl fmt::Display for Aggregation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Aggregate { op, without, grouping, .. } = self.0;
        f.write_str(op.as_str())?;
        if *without {
            write!(f, " without ({}) ", labels(grouping))
        } else if grouping.is_empty() {
            Ok(())
        } else {
            write!(f, " by ({}) ", labels(grouping))
        }
    }
}

/// What stands behind the expression of a subquery.
struct Steps<'a>(&'a Subquery);

impl fmt::Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Subquery { range, step, time, aligned, .. } = self.0;
        write!(f, "[{range}{}", if *aligned { "::" } else { ":" })?;
        if let Some(step) = step {
            write!(f, "{step}")?;
        }
        f.write_str("]")?;
        moment(f, time)?;
        offset(f, time)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Some(expr) => write!(f, "{expr}"),
            None => f.write_str(&format_duration(self.ms)),
        }
    }
}

impl fmt::Display for DurationExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { seconds, is_duration: true } => {
                f.write_str(&format_duration(seconds_to_ms(*seconds).unwrap_or(i64::MAX)))
            }
            Self::Number { seconds, .. } => f.write_str(&plain_number(*seconds)),
            Self::Step => f.write_str("step()"),
            Self::Range => f.write_str("range()"),
            Self::Negative(inner) => write!(f, "-{inner}"),
            Self::Paren(inner) => write!(f, "({inner})"),
            Self::Binary { op: op @ (DurationOp::Min | DurationOp::Max), lhs, rhs } => {
                write!(f, "{}({lhs}, {rhs})", op.as_str())
            }
            Self::Binary { op, lhs, rhs } => write!(f, "{lhs} {} {rhs}", op.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Query;

    #[test]
    fn expressions_have_one_form() {
        for (text, form) in [
            (
                "sum(rate(a{x = 'y' , b!~\"c\"}[5m])) BY (z,z2)",
                "sum by (z, z2) (rate(a{b!~\"c\",x=\"y\"}[5m]))",
            ),
            ("a+ON(x)group_left(y,z)b", "a + on (x) group_left (y, z) b"),
            ("a == bool 1", "a == bool 1"),
            ("{__name__=\"a\"}", "{__name__=\"a\"}"),
            ("a offset -90m @ end()", "a @ end() offset -1h30m"),
            ("a[300] @ 1.5", "a[5m] @ 1.500"),
            ("rate(a[5m])[1h:]", "rate(a[5m])[1h:]"),
            ("topk without(\"a b\")(3, a)", "topk without (\"a b\") (3, a)"),
            ("1e6 + 1h + 0x1f", "1000000 + 1h + 31"),
            ("-a ^ -2", "-a ^ -2"),
            ("a + fill(0) b", "a + fill (0) b"),
            ("a[2*step()+1m]", "a[2 * step() + 1m]"),
        ] {
            let query = Query::parse(text).unwrap();
            let printed = query.expr().to_string();
            assert_eq!(printed, form, "{text}");
            let again = Query::parse(&printed).unwrap();
            assert_eq!(again.expr().to_string(), printed);
        }
    }

    #[test]
    fn long_expressions_are_broken() {
        let text = "sum by (instance) (rate(node_cpu_seconds_total{mode!=\"idle\",job=\"node\"}[5m])) \
                    / on (instance) group_left () count by (instance) (node_cpu_info{job=\"node\"})";
        assert_eq!(
            Query::parse(text).unwrap().expr().pretty(),
            "  sum by (instance) (rate(node_cpu_seconds_total{job=\"node\",mode!=\"idle\"}[5m]))\n\
             / on (instance) group_left ()\n\
             \u{20} count by (instance) (node_cpu_info{job=\"node\"})"
        );
    }
}
