//! What a query reads, without evaluating it.

use barograph_model::{METRIC_NAME, Matcher};

use crate::Query;
use crate::ast::{Expr, Node, TimeShift};

impl Query {
    /// Whether a selector of the query may choose series of this metric.
    pub fn may_read(&self, metric: &str) -> bool {
        may_read(self.expr(), metric)
    }

    /// How far before the time of an evaluation samples count, in milliseconds; `@` is left out.
    pub fn looks_back_ms(&self, lookback_ms: i64) -> i64 {
        looks_back(self.expr(), lookback_ms)
    }
}

fn may_read(expr: &Expr, metric: &str) -> bool {
    let wants = |matchers: &[Matcher]| {
        let mut on_name = matchers.iter().filter(|it| it.label() == METRIC_NAME);
        on_name.all(|it| it.matches_value(metric))
    };
    match &expr.node {
        Node::Vector(selector) => wants(&selector.matchers),
        Node::Matrix(matrix) => wants(&matrix.selector.matchers),
        // It reads what its first argument is about, under names of their own.
        Node::Call { function, .. } if function.name == "info" && metric.ends_with("_info") => true,
        _ => expr.children().into_iter().any(|child| may_read(child, metric)),
    }
}

fn looks_back(expr: &Expr, lookback_ms: i64) -> i64 {
    let before = |time: &TimeShift| time.offset.ms.max(0);
    match &expr.node {
        Node::Vector(selector) => lookback_ms.saturating_add(before(&selector.time)),
        Node::Matrix(matrix) => {
            let beyond = if matrix.selector.extended.is_some() { lookback_ms } else { 0 };
            let range_ms = matrix.range.ms.saturating_add(beyond);
            range_ms.saturating_add(before(&matrix.selector.time))
        }
        Node::Subquery(subquery) => {
            let inner = looks_back(&subquery.inner, lookback_ms);
            inner.saturating_add(subquery.range.ms).saturating_add(before(&subquery.time))
        }
        _ => {
            let inner = expr.children().into_iter().map(|child| looks_back(child, lookback_ms));
            inner.max().unwrap_or(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_say_which_metrics_are_read() {
        let reads = |text: &str, metric: &str| Query::parse(text).unwrap().may_read(metric);
        assert!(reads("sum(rate(a_total[5m])) / 2", "a_total"));
        assert!(!reads("sum(rate(a_total[5m])) / 2", "a"));
        assert!(reads("max_over_time((b > c)[1h:1m])", "c"));
        assert!(reads("{__name__=~\"job:.*\"}", "job:x") && !reads("{__name__=~\"job:.*\"}", "x"));
        assert!(reads("{host=\"a\"}", "anything"));
        assert!(reads("info(up)", "target_info") && !reads("info(up)", "target"));
        assert!(!reads("vector(1) + time()", "up"));
    }

    #[test]
    fn ranges_and_offsets_reach_back() {
        let back = |text: &str| Query::parse(text).unwrap().looks_back_ms(300_000) / 60_000;
        assert_eq!([back("up"), back("up offset 1h"), back("rate(a[10m]) > b")], [5, 65, 10]);
        assert_eq!(back("max_over_time(rate(a[10m])[1h:1m] offset 5m)"), 75);
        assert_eq!([back("1"), back("up offset -1h")], [0, 5]);
    }
}
