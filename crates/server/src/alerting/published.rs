//! What interfaces see of rules: each group as its newest evaluation left it. Nobody who asks waits
//! for a round that is under way.

use std::sync::Arc;
use std::time::Duration;

use barograph_alerts::rule::Rule;
use tracing_mutex::stdsync::Mutex;

use super::lock;
use super::report::{GroupReport, Health, RuleReport};
use super::round::{GroupState, RuleState};

/// In the order in which groups are evaluated.
#[derive(Debug, Default)]
pub(super) struct Published(Mutex<Vec<Arc<GroupReport>>>);

impl Published {
    pub(super) fn groups(&self) -> Vec<Arc<GroupReport>> {
        lock(&self.0).clone()
    }

    /// The groups are others than before.
    pub(super) fn renew(&self, groups: &[GroupState], default: Duration) {
        let reports = groups.iter().map(|group| Arc::new(report(group, default))).collect();
        *lock(&self.0) = reports;
    }

    /// One of the groups was evaluated.
    pub(super) fn update(&self, place: usize, group: &GroupState, default: Duration) {
        let report = Arc::new(report(group, default));
        if let Some(published) = lock(&self.0).get_mut(place) {
            *published = report;
        }
    }
}

fn report(group: &GroupState, default: Duration) -> GroupReport {
    let is_evaluated = group.evaluated_ms.is_some();
    let pairs = group.loaded.group.rules.iter().zip(&group.rules);
    GroupReport {
        name: group.loaded.group.name.clone(),
        file: group.loaded.file.clone(),
        interval: group.interval(default),
        limit: group.loaded.group.limit,
        evaluated_ms: group.evaluated_ms,
        took: group.took,
        missed: group.missed,
        problem: group.loaded.problem.clone(),
        rules: pairs.map(|(rule, state)| rule_report(rule, state, is_evaluated)).collect(),
    }
}

fn rule_report(rule: &Rule, state: &RuleState, is_evaluated: bool) -> RuleReport {
    let health = match (&state.error, is_evaluated) {
        (Some(_), _) => Health::Failed,
        (None, true) => Health::Ok,
        (None, false) => Health::Unknown,
    };
    RuleReport {
        rule: rule.clone(),
        health,
        error: state.error.clone(),
        warnings: state.warnings.clone(),
        took: state.took,
        alerts: state.alerts.iter().cloned().collect(),
    }
}
