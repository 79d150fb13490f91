//! Of rules, and of the alerts that come of them.

use barograph_model::Kind;

use crate::alerting::AlertingStatus;
use crate::exposition::Exposition;

pub(super) fn rule_metrics(page: &mut Exposition, status: &AlertingStatus) {
    page.metric(
        "barograph_rule_evaluations_missed_total",
        Kind::Counter,
        "Evaluations of groups of rules that did not happen in time.",
    )
    .value(status.missed as f64);
    page.metric(
        "barograph_rule_round_seconds",
        Kind::Gauge,
        "How long the newest evaluations of all groups took together.",
    )
    .value(status.round_seconds);
    let mut gauge =
        |name, help, count: usize| page.metric(name, Kind::Gauge, help).value(count as f64);
    gauge("barograph_rules", "Rules that are evaluated.", status.rules);
    gauge("barograph_rules_failing", "Rules whose newest evaluation failed.", status.failing);
    gauge("barograph_alerts_pending", "Alerts that wait for their `for`.", status.pending);
    gauge("barograph_alerts_firing", "Alerts that fire.", status.firing);
    gauge("barograph_alerts_unknown", "Alerts whose host is silent.", status.unknown);
    gauge("barograph_incidents_open", "Incidents that are open.", status.open_incidents);
}
