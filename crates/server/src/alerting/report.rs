//! What the interfaces show of rules, alerts and incidents.

use std::sync::Arc;
use std::time::Duration;

use barograph_alerts::incident::{Acknowledgement, Incident};
use barograph_alerts::machine::Alert;
use barograph_alerts::rule::{AlertingRule, Rule};
use serde::Serialize;

use super::desk::ActError;
use super::{Alerting, Shared, lock, saved};

/// A group as it is.
#[derive(Debug, Clone)]
pub struct GroupReport {
    pub name: String,
    pub file: String,
    pub interval: Duration,
    pub limit: usize,
    /// Milliseconds since 1970 UTC.
    pub evaluated_ms: Option<i64>,
    pub took: Duration,
    /// Evaluations that did not happen in time.
    pub missed: u64,
    /// The newest text of these rules has mistakes; what runs is the last good one.
    pub problem: Option<String>,
    pub rules: Vec<RuleReport>,
}

/// A rule as it is.
#[derive(Debug, Clone)]
pub struct RuleReport {
    pub rule: Rule,
    pub health: Health,
    /// Why the last evaluation failed.
    pub error: Option<String>,
    pub warnings: Vec<String>,
    pub took: Duration,
    pub alerts: Vec<Alert>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Not evaluated yet.
    Unknown,
    Ok,
    Failed,
}

/// An alert and the rule that it is of.
#[derive(Debug, Clone)]
pub struct AlertReport {
    pub alert: Alert,
    pub rule: Arc<AlertingRule>,
}

/// How alerting is doing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AlertingStatus {
    pub groups: usize,
    pub rules: usize,
    pub failing: usize,
    pub missed: u64,
    /// What the newest evaluations of all groups took together.
    pub round_seconds: f64,
    pub pending: usize,
    pub firing: usize,
    pub unknown: usize,
    pub open_incidents: usize,
    /// Why alerts cannot be saved at present.
    pub problem: Option<String>,
    /// What is wrong with the newest texts of rules, whose last good ones run on.
    pub rule_problems: Vec<String>,
}

impl Health {
    /// As Prometheus says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Failed => "err",
        }
    }
}

impl Alerting {
    pub fn groups(&self) -> Vec<Arc<GroupReport>> {
        self.shared.published.groups()
    }

    /// Where people reach this server.
    pub(crate) fn external_url(&self) -> &str {
        &self.shared.settings.external_url
    }

    /// Alerts that are pending, firing or ended lately.
    pub fn alerts(&self) -> Vec<AlertReport> {
        let mut reports = Vec::new();
        for group in self.groups() {
            for RuleReport { rule, alerts, .. } in &group.rules {
                if let Rule::Alerting(rule) = rule {
                    let report = |alert: &Alert| AlertReport {
                        alert: alert.clone(),
                        rule: Arc::clone(rule),
                    };
                    reports.extend(alerts.iter().map(report));
                }
            }
        }
        reports
    }

    pub fn status(&self) -> AlertingStatus {
        let mut status = AlertingStatus::default();
        for group in self.groups() {
            status.groups += 1;
            status.rules += group.rules.len();
            status.missed += group.missed;
            status.round_seconds += group.took.as_secs_f64();
            for rule in &group.rules {
                status.failing += usize::from(rule.health == Health::Failed);
                for alert in rule.alerts.iter().filter(|alert| alert.is_active()) {
                    let fires = alert.fired_ms.is_some();
                    status.firing += usize::from(fires);
                    status.pending += usize::from(!fires);
                    status.unknown += usize::from(alert.is_unknown);
                }
            }
        }
        let desk = lock(&self.shared.desk);
        status.open_incidents = desk.incidents().filter(|(_, it)| it.is_open()).count();
        status.problem = desk.problem().map(str::to_owned);
        drop(desk);
        status.rule_problems = lock(&self.shared.rules).problems();
        status
    }

    /// The newest incidents that are wanted, the newest first.
    pub fn incidents(
        &self,
        wanted: impl Fn(&Incident) -> bool,
        max: usize,
    ) -> Vec<(u64, Incident)> {
        let desk = lock(&self.shared.desk);
        let wanted = desk.incidents().filter(|(_, it)| wanted(it));
        wanted.take(max).map(|(id, it)| (id, it.clone())).collect()
    }

    pub fn incident(&self, id: u64) -> Option<Incident> {
        lock(&self.shared.desk).incident(id).cloned()
    }

    /// Somebody deals with an incident.
    ///
    /// # Errors
    /// There is no such incident, it is refused, or it cannot be saved.
    pub fn acknowledge(&self, id: u64, by: Acknowledgement) -> Result<Incident, ActError> {
        lock(&self.shared.desk).acknowledge(id, by)?;
        self.shared.save_act(id)
    }

    /// # Errors
    /// As [`Alerting::acknowledge`].
    pub fn unacknowledge(&self, id: u64, by: &str) -> Result<Incident, ActError> {
        lock(&self.shared.desk).unacknowledge(id, by, self.shared.clock.now_ms())?;
        self.shared.save_act(id)
    }

    /// # Errors
    /// As [`Alerting::acknowledge`].
    pub fn comment(&self, id: u64, by: &str, text: &str) -> Result<Incident, ActError> {
        lock(&self.shared.desk).comment(id, by, text, self.shared.clock.now_ms())?;
        self.shared.save_act(id)
    }

    /// # Errors
    /// As [`Alerting::acknowledge`].
    pub fn resolve(&self, id: u64, by: &str) -> Result<Incident, ActError> {
        lock(&self.shared.desk).resolve(id, by, self.shared.clock.now_ms())?;
        self.shared.save_act(id)
    }

    /// # Errors
    /// As [`Alerting::acknowledge`].
    pub fn reopen(&self, id: u64, by: &str) -> Result<Incident, ActError> {
        lock(&self.shared.desk).reopen(id, by, self.shared.clock.now_ms())?;
        self.shared.save_act(id)
    }
}

impl Shared {
    /// What people did is on disk before they are told that it is done.
    fn save_act(&self, id: u64) -> Result<Incident, ActError> {
        let mut desk = lock(&self.desk);
        saved::save(&self.state, &mut [], &mut desk, Duration::ZERO)?;
        self.posted.notify_one();
        desk.incident(id).cloned().ok_or(ActError::Unknown(id))
    }
}
