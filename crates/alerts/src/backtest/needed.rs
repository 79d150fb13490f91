//! Which recording rules an alerting rule needs, in which order, and from when on.

use barograph_promql::Query;

use crate::rule::{AlertingRule, RecordingRule};

/// A recording rule and how often it is evaluated, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'a> {
    pub rule: &'a RecordingRule,
    pub interval_ms: i64,
}

/// A recording rule that an alerting rule needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needed<'a> {
    pub(super) recording: Recording<'a>,
    /// How long before the first evaluation of the alert it begins, in milliseconds.
    pub(super) before_ms: i64,
}

/// Those that a rule reads, or that are read by those, each after what it reads itself.
pub(super) fn needed<'a>(
    rule: &AlertingRule,
    all: &[Recording<'a>],
    lookback_ms: i64,
) -> Vec<Needed<'a>> {
    let own = || std::iter::once(&rule.query).chain(&rule.clear);
    let mut search = Search { all, order: Vec::new(), is_met: vec![false; all.len()] };
    own().for_each(|query| search.visit(query));
    let mut order = search.order;
    order.reverse();
    let mut reach = Reach { all, lookback_ms, before_ms: vec![0; all.len()] };
    own().for_each(|query| reach.raise(query, 0));
    // Readers come before what they read, so each is known when it is its turn.
    for place in &order {
        if let (Some(it), Some(from_ms)) = (all.get(*place), reach.before_ms.get(*place).copied()) {
            reach.raise(&it.rule.query, from_ms);
        }
    }
    let found = order.iter().rev().filter_map(|place| {
        let before_ms = *reach.before_ms.get(*place)?;
        Some(Needed { recording: *all.get(*place)?, before_ms })
    });
    found.collect()
}

/// A walk from rule to rule.
struct Search<'s, 'a> {
    all: &'s [Recording<'a>],
    /// What is read stands before who reads it.
    order: Vec<usize>,
    is_met: Vec<bool>,
}

impl Search<'_, '_> {
    fn visit(&mut self, query: &Query) {
        for (place, recording) in self.all.iter().enumerate() {
            let is_new = self.is_met.get(place) == Some(&false);
            if is_new && query.may_read(&recording.rule.record) {
                if let Some(is_met) = self.is_met.get_mut(place) {
                    *is_met = true;
                }
                self.visit(&recording.rule.query);
                self.order.push(place);
            }
        }
    }
}

/// How long before the first evaluation of the alert each rule begins.
struct Reach<'s, 'a> {
    all: &'s [Recording<'a>],
    lookback_ms: i64,
    before_ms: Vec<i64>,
}

impl Reach<'_, '_> {
    /// A query is evaluated from so long before on.
    fn raise(&mut self, query: &Query, from_ms: i64) {
        let reach_ms = from_ms.saturating_add(query.looks_back_ms(self.lookback_ms));
        for (recording, before_ms) in self.all.iter().zip(&mut self.before_ms) {
            if query.may_read(&recording.rule.record) {
                *before_ms = reach_ms.max(*before_ms);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Rule, read_rules};

    #[test]
    fn what_is_read_comes_first_and_begins_early_enough() {
        let rules = read_rules(
            "groups:
- name: g
  rules:
  - {record: c, expr: 'avg_over_time(b[1h])'}
  - {record: b, expr: 'sum(a) + b offset 10m'}
  - {record: other, expr: 'a'}
  - {alert: A, expr: 'c > 1'}
",
        );
        let rules = rules.unwrap().remove(0).rules;
        let recordings: Vec<Recording<'_>> = rules
            .iter()
            .filter_map(|rule| match rule {
                Rule::Recording(rule) => Some(Recording { rule, interval_ms: 1 }),
                Rule::Alerting(_) => None,
            })
            .collect();
        let Some(Rule::Alerting(alert)) = rules.last() else { unreachable!("it is the last one") };
        let minute = 60_000;
        let found: Vec<_> = needed(alert, &recordings, 5 * minute)
            .iter()
            .map(|it| (it.recording.rule.record.as_str(), it.before_ms / minute))
            .collect();
        assert_eq!(found, [("b", 5 + 60 + 15), ("c", 5)]);
    }
}
