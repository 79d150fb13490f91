//! What rules store: the series that they record, and what Prometheus tells of alerts.

use std::collections::{BTreeMap, BTreeSet};

use barograph_alerts::machine::{Phase, RuleAlerts};
use barograph_alerts::rule::Rule;
use barograph_model::{Batch, Labels, METRIC_NAME, STALE, Sample, chain};
use barograph_promql::Query;
use barograph_store::Store;

use super::round::RuleState;

const ALERTS: &str = "ALERTS";
const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";
/// Alerts of one rule that become series; more are a mistake in the rule.
const MAX_ALERTS: usize = 1000;

/// Whether series of this name come from rules: those of alerts, and by Prometheus' convention those
/// with a colon.
pub(super) fn is_stored_by_rules(name: &str) -> bool {
    matches!(name, ALERTS | ALERTS_FOR_STATE) || name.contains(':')
}

/// What the rules of a group recorded at one time and is not stored yet. A rule that reads what one
/// before it recorded finds it stored; all the others share one commit.
pub(super) struct Recorded {
    at_ms: i64,
    samples: Vec<Sample>,
    /// Whose samples these are, by their places in the group.
    places: Vec<usize>,
    names: BTreeSet<String>,
    /// Whose samples could not be stored.
    pub(super) failed: BTreeMap<usize, String>,
}

impl Recorded {
    pub(super) fn new(at_ms: i64) -> Self {
        Self {
            at_ms,
            samples: Vec::new(),
            places: Vec::new(),
            names: BTreeSet::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Takes what a rule answered. Series that it no longer answers end.
    pub(super) fn take(&mut self, place: usize, state: &mut RuleState, samples: Vec<Sample>) {
        let now: BTreeSet<Labels> = samples.iter().map(|it| it.labels.clone()).collect();
        let ended = state.stored.difference(&now);
        let ended: Vec<Sample> =
            ended.map(|labels| Sample { labels: labels.clone(), value: STALE }).collect();
        for sample in samples.into_iter().chain(ended) {
            if let Some(name) = sample.labels.get(METRIC_NAME)
                && !self.names.contains(name)
            {
                self.names.insert(name.to_owned());
            }
            self.samples.push(sample);
            if self.places.last() != Some(&place) {
                self.places.push(place);
            }
        }
        state.stored = now;
    }

    /// Whether a rule may ask for what is not stored yet.
    pub(super) fn are_read_by(&self, rule: &Rule) -> bool {
        if self.samples.is_empty() {
            return false;
        }
        let asks = |query: &Query| self.names.iter().any(|name| query.may_read(name));
        asks(rule.query())
            || match rule {
                Rule::Alerting(rule) => rule.clear.as_ref().is_some_and(asks),
                Rule::Recording(_) => false,
            }
    }

    pub(super) fn store(&mut self, store: &Store) {
        if self.samples.is_empty() {
            return;
        }
        let samples = std::mem::take(&mut self.samples);
        let places = std::mem::take(&mut self.places);
        self.names.clear();
        if let Err(error) = store.append(&[Batch { time_ms: self.at_ms, samples }]) {
            let error = chain(&error);
            self.failed.extend(places.into_iter().map(|place| (place, error.clone())));
        }
    }
}

/// The series that Prometheus writes of alerts: their state, and since when they are active.
pub(super) fn alert_samples(alerts: &RuleAlerts) -> Vec<Sample> {
    let mut samples = Vec::new();
    for alert in alerts.iter().filter(|alert| alert.is_active()).take(MAX_ALERTS) {
        let state = if alert.phase == Phase::Firing { "firing" } else { "pending" };
        let series = |name: &str, state: Option<&str>| {
            let mut labels = alert.labels.clone();
            labels.insert(METRIC_NAME.to_owned(), name.to_owned());
            labels.extend(state.map(|state| ("alertstate".to_owned(), state.to_owned())));
            Labels::new(&labels).ok()
        };
        let since = alert.active_ms.div_euclid(1000) as f64;
        let pairs = [(series(ALERTS, Some(state)), 1.0), (series(ALERTS_FOR_STATE, None), since)];
        let known = pairs.into_iter().filter_map(|(labels, value)| Some((labels?, value)));
        samples.extend(known.map(|(labels, value)| Sample { labels, value }));
    }
    samples
}
