//! Whether the parts of a tree fit each other: types and the rules of vector matching.

use barograph_model::METRIC_NAME;

use crate::ast::{
    AggregateOp, Binary, Cardinality, Expr, Matching, Node, Span, ValueType, VectorSelector,
};
use crate::function::{Signature, Variadic};
use crate::parse::Mistake;
use crate::quote::quoted;

type Checked<T = ()> = Result<T, Mistake>;

/// # Errors
/// The first thing that does not fit, the inner before the outer.
pub(crate) fn check(expr: &Expr) -> Checked {
    let problem = |text: &str| Err(Mistake::new(expr.span, text));
    match &expr.node {
        Node::Number { .. } | Node::Text(_) => Ok(()),
        Node::Paren(inner) => check(inner),
        Node::Unary { inner, .. } => {
            check(inner)?;
            match inner.value_type() {
                ValueType::Scalar | ValueType::Vector => Ok(()),
                other => problem(&format!(
                    "unary expression only allowed on expressions of type scalar or instant \
                     vector, got {}",
                    quoted(other.documented())
                )),
            }
        }
        Node::Binary(binary) => check_binary(binary, expr.span),
        Node::Aggregate(aggregate) => {
            expect_type(&aggregate.inner, ValueType::Vector, "aggregation expression")?;
            let wanted = match aggregate.op {
                AggregateOp::CountValues => ValueType::Text,
                _ => ValueType::Scalar,
            };
            match &aggregate.param {
                Some(param) => expect_type(param, wanted, "aggregation parameter"),
                None => Ok(()),
            }
        }
        Node::Call { function, args } => check_call(function, args, expr.span),
        Node::Vector(selector) => check_selector(selector, expr.span),
        Node::Matrix(matrix) => check_selector(&matrix.selector, matrix.selector_span),
        Node::Subquery(subquery) => {
            check(&subquery.inner)?;
            match subquery.inner.value_type() {
                ValueType::Vector => Ok(()),
                other => problem(&format!(
                    "subquery is only allowed on instant vector, got {} instead",
                    other.as_str()
                )),
            }
        }
    }
}

/// Gives vectors, and only them, their matching; sets are matched many to many.
pub(crate) fn settle_matching(expr: &mut Expr) {
    expr.children_mut().into_iter().for_each(settle_matching);
    if let Node::Binary(binary) = &mut expr.node {
        let vectors =
            [&binary.lhs, &binary.rhs].iter().all(|side| side.value_type() == ValueType::Vector);
        let is_set = binary.op.is_set();
        binary.matching = binary.matching.take().filter(|_| vectors);
        if let (Some(matching), true) = (&mut binary.matching, is_set) {
            matching.cardinality = Cardinality::ManyToMany;
        }
    }
}

fn expect_type(expr: &Expr, wanted: ValueType, context: &str) -> Checked {
    check(expr)?;
    let found = expr.value_type();
    if found == wanted {
        return Ok(());
    }
    let problem =
        format!("expected type {} in {context}, got {}", wanted.documented(), found.documented());
    Err(Mistake::new(expr.span, problem))
}

fn check_binary(binary: &Binary, span: Span) -> Checked {
    check(&binary.lhs)?;
    check(&binary.rhs)?;
    // The operator stands between its operands.
    let between = Span { start: binary.lhs.span.end + 1, end: binary.rhs.span.start };
    let (left, right) = (binary.lhs.value_type(), binary.rhs.value_type());
    let op = binary.op;
    if binary.return_bool && !op.is_comparison() {
        return Err(Mistake::new(
            between,
            "bool modifier can only be used on comparison operators",
        ));
    }
    let scalars = left == ValueType::Scalar && right == ValueType::Scalar;
    if op.is_comparison() && !binary.return_bool && scalars {
        return Err(Mistake::new(between, "comparisons between scalars must use BOOL modifier"));
    }
    let matching = binary.matching.clone().unwrap_or_default();
    if matching.on
        && let Some(label) = matching.labels.iter().find(|label| matching.include.contains(label))
    {
        let problem =
            format!("label {} must not occur in ON and GROUP clause at once", quoted(label));
        return Err(Mistake::new(between, problem));
    }
    for (side, found) in [(&binary.lhs, left), (&binary.rhs, right)] {
        if !matches!(found, ValueType::Scalar | ValueType::Vector) {
            let problem = "binary expression must contain only scalar and instant vector types";
            return Err(Mistake::new(side.span, problem));
        }
    }
    check_matching(binary, &matching, span)
}

fn check_matching(binary: &Binary, matching: &Matching, span: Span) -> Checked {
    let op = binary.op;
    let vectors = binary.lhs.value_type() == ValueType::Vector
        && binary.rhs.value_type() == ValueType::Vector;
    let fills = matching.fill_left.is_some() || matching.fill_right.is_some();
    let problem = if !vectors && !matching.labels.is_empty() {
        "vector matching only allowed between instant vectors".to_owned()
    } else if !vectors && fills {
        "filling in missing series only allowed between instant vectors".to_owned()
    } else if !vectors && op.is_set() {
        format!("set operator {} not allowed in binary scalar expression", quoted(op.as_str()))
    } else if op.is_set()
        && matches!(matching.cardinality, Cardinality::ManyToOne | Cardinality::OneToMany)
    {
        format!("no grouping allowed for {} operation", quoted(op.as_str()))
    } else if op.is_set() && fills {
        "filling in missing series not allowed for set operators".to_owned()
    } else {
        return Ok(());
    };
    Err(Mistake::new(span, problem))
}

fn check_call(function: &Signature, args: &[Expr], span: Span) -> Checked {
    let problem = |text: String| Err(Mistake::new(span, text));
    let (wanted, given, name) = (function.args.len(), args.len(), quoted(function.name));
    let least = wanted.saturating_sub(1);
    match function.variadic {
        Variadic::No if given != wanted => {
            return problem(format!(
                "expected {wanted} argument(s) in call to {name}, got {given}"
            ));
        }
        Variadic::UpTo(_) | Variadic::Any if given < least => {
            return problem(format!(
                "expected at least {least} argument(s) in call to {name}, got {given}"
            ));
        }
        Variadic::UpTo(more) if given > least + more => {
            let most = least + more;
            return problem(format!(
                "expected at most {most} argument(s) in call to {name}, got {given}"
            ));
        }
        _ => {}
    }
    if let ("info", Some(selector)) = (function.name, args.get(1)) {
        check_info(selector)?;
    }
    for (place, arg) in args.iter().enumerate() {
        let Some(wanted) = function.args.get(place).or(function.args.last()) else { break };
        let is_selector_of_info = function.name == "info" && place == 1;
        if !is_selector_of_info {
            check(arg)?;
        }
        let found = arg.value_type();
        if found != *wanted {
            let problem = format!(
                "expected type {} in call to function {name}, got {}",
                wanted.documented(),
                found.documented()
            );
            return Err(Mistake::new(arg.span, problem));
        }
    }
    Ok(())
}

/// The second argument of `info` chooses labels, not series.
fn check_info(selector: &Expr) -> Checked {
    let problem = match &selector.node {
        Node::Vector(inner) if inner.name.is_some() => {
            "expected label selectors only, got vector selector instead"
        }
        Node::Vector(_) => return Ok(()),
        _ => "expected label selectors only",
    };
    Err(Mistake::new(selector.span, problem))
}

fn check_selector(selector: &VectorSelector, span: Span) -> Checked {
    check_name(selector, span)?;
    if selector.matchers.iter().all(|matcher| matcher.matches_value("")) {
        let problem = "vector selector must contain at least one non-empty matcher";
        return Err(Mistake::new(span, problem));
    }
    Ok(())
}

/// Whether a metric's name is given once at most.
pub(crate) fn check_name(selector: &VectorSelector, span: Span) -> Checked {
    let mut names = selector.matchers.iter().filter(|matcher| matcher.label() == METRIC_NAME);
    if let (Some(name), Some(first)) = (&selector.name, names.next())
        && names.next().is_some()
    {
        let problem = format!(
            "metric name must not be set twice: {} or {}",
            quoted(name),
            quoted(first.value())
        );
        return Err(Mistake::new(span, problem));
    }
    Ok(())
}
