//! What is known of an alert from its rule, kept with the alert for whoever is told of it.

use barograph_promql::ast::{BinaryOp, Expr, Node};
use serde::{Deserialize, Serialize};

use crate::rule::AlertingRule;

/// How an alert came about, and what to do about it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The expression whose answers are alerts.
    pub expr: String,
    /// What is compared with the threshold, and so can be drawn beside it.
    pub measured: Option<String>,
    pub threshold: Option<f64>,
    pub runbook: Option<String>,
    pub remediation: Option<String>,
    /// More expressions to draw.
    pub evidence: Vec<String>,
}

impl About {
    pub fn of(rule: &AlertingRule) -> Self {
        let (measured, threshold) = match &rule.threshold {
            Some(it) => (Some(it.metric.clone()), Some(it.value)),
            None => compared(rule.query.expr()).map_or((None, None), |(it, n)| (Some(it), Some(n))),
        };
        Self {
            expr: rule.query.text().to_owned(),
            measured,
            threshold,
            runbook: rule.runbook.clone(),
            remediation: rule.remediation.clone(),
            evidence: rule.evidence.iter().map(|it| it.text().to_owned()).collect(),
        }
    }
}

/// The side of a comparison that is not a number, and the number.
fn compared(expr: &Expr) -> Option<(String, f64)> {
    use BinaryOp::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let Node::Binary(binary) = &expr.unwrapped().node else { return None };
    if !matches!(binary.op, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual) {
        return None;
    }
    match (number(&binary.lhs), number(&binary.rhs)) {
        (None, Some(threshold)) => Some((binary.lhs.to_string(), threshold)),
        (Some(threshold), None) => Some((binary.rhs.to_string(), threshold)),
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match &expr.unwrapped().node {
        Node::Number { value, .. } => Some(*value),
        Node::Unary { negative, inner } => {
            number(inner).map(|value| if *negative { -value } else { value })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use barograph_promql::Query;

    use super::*;

    #[test]
    fn thresholds_are_found_in_comparisons_with_a_number() {
        let found = |text: &str| compared(Query::parse(text).unwrap().expr());
        let some = |text: &str, value: f64| Some((text.to_owned(), value));
        assert_eq!(found("(rate(x_total[5m]) > 0.5)"), some("rate(x_total[5m])", 0.5));
        assert_eq!(found("-3 >= temperature"), some("temperature", -3.0));
        assert_eq!(found("a > b"), None);
        assert_eq!(found("a + 1"), None);
        assert_eq!(found("a > 1 and b > 2"), None);
    }
}
