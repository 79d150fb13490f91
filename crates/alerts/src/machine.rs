//! From answers to states: when an alert is pending, fires, is unknown, and ends.
//!
//! ```text
//!            answered            held for `for`             not answered, `clear` says so,
//!   nothing ─────────▶ pending ────────────────▶ firing ──── `keep_firing_for` over ──▶ resolved
//!      ▲                 │   ▲                    │   ▲
//!      └── not answered ─┘   └───── unknown ◀─────┘   └─ data is back
//!                                    (its host is silent)
//! ```
//!
//! Only fresh data ends an alert: an evaluation that failed changes nothing, and an alert whose host
//! is silent becomes unknown. Times that count are elapsed times, so a clock that jumps neither fires
//! nor ends anything; what passed while nothing was evaluated does not count.

mod own;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use barograph_model::Labels;
use serde::{Deserialize, Serialize};

use crate::rule::{AlertingRule, Severity};

/// Labels or annotations by name.
pub type Texts = BTreeMap<String, String>;

/// How long a resolved alert is still shown.
const RESOLVED_SHOWN_MS: i64 = 15 * 60_000;
/// An alert that fired this often within [`FLAPPING_WITHIN_MS`] flaps, until it did so less than
/// [`FLAPPING_ENDS_BELOW`] times.
const FLAPPING_FROM: usize = 5;
const FLAPPING_ENDS_BELOW: usize = 3;
const FLAPPING_WITHIN_MS: i64 = 3_600_000;

/// Where an alert is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Pending,
    Firing,
    Resolved,
}

/// One alert; kept over restarts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What tells it from the other alerts: the series' and the rule's labels.
    pub labels: Texts,
    /// The labels of the series that the rule answered, without the rule's own.
    pub series: Texts,
    pub annotations: Texts,
    /// At the last evaluation that answered it.
    pub value: f64,
    pub phase: Phase,
    /// Its host is silent: whether `phase` still holds, nobody knows.
    pub is_unknown: bool,
    /// It fires and ends again and again.
    pub is_flapping: bool,
    /// When it was answered first, milliseconds since 1970 UTC.
    pub active_ms: i64,
    /// When it began to fire and when it ended, if it did.
    pub fired_ms: Option<i64>,
    pub resolved_ms: Option<i64>,
    /// How often it has fired: a firing has the same number in all that follows from it.
    pub generation: u64,
    /// How long it was held while pending, and not answered while firing, in milliseconds.
    held_ms: i64,
    quiet_ms: i64,
    /// It was not answered last.
    #[serde(default)]
    is_quiet: bool,
    /// When it fired lately.
    fires: Vec<i64>,
}

/// What a rule's expression answered for one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    pub series: Texts,
    pub labels: Texts,
    pub annotations: Texts,
    pub value: f64,
}

/// One evaluation of a rule.
pub struct Evaluation<'a> {
    pub at_ms: i64,
    /// Milliseconds since the evaluation before, as far as they count: at most two intervals.
    pub elapsed_ms: i64,
    pub answered: Vec<Answered>,
    /// The series for which the rule's `clear` was answered; `None`: the rule has none.
    pub cleared: Option<Vec<Texts>>,
    /// Whether a series' host should report and does not.
    pub is_silent: &'a dyn Fn(&Texts) -> bool,
}

impl std::fmt::Debug for Evaluation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at_ms, elapsed_ms, answered, cleared, .. } = self;
        write!(f, "Evaluation {{ {at_ms}, {elapsed_ms}, {answered:?}, {cleared:?} }}")
    }
}

/// What an evaluation changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    pub kind: TransitionKind,
    pub alert: Alert,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionKind {
    Pending,
    Fired,
    Resolved,
    /// A pending alert ended without having fired.
    Dropped,
    /// Its host fell silent, or reports again.
    Unknown,
    Known,
    StartedFlapping,
    StoppedFlapping,
}

/// The alerts of one rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleAlerts {
    alerts: BTreeMap<Texts, Alert>,
}

impl Alert {
    pub fn severity(&self) -> Option<Severity> {
        Severity::from_label(self.labels.get("severity")?)
    }

    /// Pending or firing, as far as is known.
    pub fn is_active(&self) -> bool {
        self.phase != Phase::Resolved
    }

    fn new(answered: Answered, at_ms: i64) -> Self {
        let Answered { series, labels, annotations, value } = answered;
        Self {
            labels,
            series,
            annotations,
            value,
            phase: Phase::Pending,
            is_unknown: false,
            is_flapping: false,
            active_ms: at_ms,
            fired_ms: None,
            resolved_ms: None,
            generation: 0,
            held_ms: 0,
            quiet_ms: 0,
            is_quiet: false,
            fires: Vec::new(),
        }
    }
}

impl RuleAlerts {
    /// What was saved of a rule's alerts.
    pub fn restore(alerts: impl IntoIterator<Item = Alert>) -> Self {
        Self { alerts: alerts.into_iter().map(|alert| (alert.labels.clone(), alert)).collect() }
    }

    /// The rule is gone, and its alerts end with it. Tells of those that fired.
    pub fn end_all(&mut self, at_ms: i64) -> Vec<Transition> {
        let mut transitions = Vec::new();
        for (_, mut alert) in std::mem::take(&mut self.alerts) {
            if alert.phase == Phase::Firing {
                alert.phase = Phase::Resolved;
                alert.resolved_ms = Some(at_ms);
                transitions.push(Transition { kind: TransitionKind::Resolved, alert });
            }
        }
        transitions
    }

    /// In order of their labels.
    pub fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values()
    }

    /// Takes in one evaluation and tells what it changed, in order of the alerts' labels. Two
    /// answers with the same labels are one alert.
    pub fn step(&mut self, rule: &AlertingRule, evaluation: Evaluation<'_>) -> Vec<Transition> {
        let Evaluation { at_ms, elapsed_ms, answered, cleared, is_silent } = evaluation;
        let mut answers: BTreeMap<Texts, Answered> =
            answered.into_iter().map(|it| (it.labels.clone(), it)).collect();
        let mut step = Step { rule, at_ms, elapsed_ms, transitions: Vec::new() };
        for (labels, alert) in &mut self.alerts {
            if let Some(answer) = answers.remove(labels) {
                step.answered(alert, answer);
            } else {
                let may_end =
                    cleared.as_ref().is_none_or(|cleared| cleared.contains(&alert.series));
                step.not_answered(alert, may_end, is_silent(&alert.series));
            }
            step.flapping(alert);
        }
        self.alerts.retain(|_, alert| {
            alert.is_active()
                || alert.is_flapping
                || alert.resolved_ms.is_some_and(|it| at_ms.abs_diff(it) < RESOLVED_SHOWN_MS as u64)
        });
        for (labels, answer) in answers {
            let mut alert = Alert::new(answer, at_ms);
            step.begin(&mut alert);
            self.alerts.insert(labels, alert);
        }
        step.transitions.retain(|it| it.kind != TransitionKind::Pending || rule.for_ms > 0);
        step.transitions.sort_by(|a, b| a.alert.labels.cmp(&b.alert.labels));
        step.transitions
    }
}

/// One evaluation on its way through the alerts.
struct Step<'a> {
    rule: &'a AlertingRule,
    at_ms: i64,
    elapsed_ms: i64,
    transitions: Vec<Transition>,
}

impl Step<'_> {
    fn tell(&mut self, kind: TransitionKind, alert: &Alert) {
        self.transitions.push(Transition { kind, alert: alert.clone() });
    }

    /// A new alert, or one that had ended.
    fn begin(&mut self, alert: &mut Alert) {
        alert.phase = Phase::Pending;
        alert.is_unknown = false;
        alert.active_ms = self.at_ms;
        alert.fired_ms = None;
        alert.resolved_ms = None;
        alert.held_ms = 0;
        alert.quiet_ms = 0;
        alert.is_quiet = false;
        self.tell(TransitionKind::Pending, alert);
        self.fire_if_due(alert);
    }

    fn fire_if_due(&mut self, alert: &mut Alert) {
        if alert.held_ms < self.rule.for_ms {
            return;
        }
        alert.phase = Phase::Firing;
        alert.fired_ms = Some(self.at_ms);
        alert.generation += 1;
        alert.fires.push(self.at_ms);
        self.tell(TransitionKind::Fired, alert);
    }

    fn answered(&mut self, alert: &mut Alert, answer: Answered) {
        alert.value = answer.value;
        alert.annotations = answer.annotations;
        alert.series = answer.series;
        alert.quiet_ms = 0;
        alert.is_quiet = false;
        self.set_unknown(alert, false);
        match alert.phase {
            Phase::Pending => {
                alert.held_ms += self.elapsed_ms;
                self.fire_if_due(alert);
            }
            Phase::Firing => {}
            Phase::Resolved => self.begin(alert),
        }
    }

    fn not_answered(&mut self, alert: &mut Alert, may_end: bool, is_silent: bool) {
        if !alert.is_active() {
            return;
        }
        self.set_unknown(alert, is_silent);
        if is_silent {
            return;
        }
        match alert.phase {
            Phase::Firing if !may_end => {
                alert.quiet_ms = 0;
                alert.is_quiet = false;
            }
            Phase::Firing => {
                // The time begins with the first evaluation that did not answer the series.
                if alert.is_quiet {
                    alert.quiet_ms += self.elapsed_ms;
                }
                alert.is_quiet = true;
                if alert.quiet_ms >= self.rule.keep_firing_for_ms {
                    alert.phase = Phase::Resolved;
                    alert.resolved_ms = Some(self.at_ms);
                    self.tell(TransitionKind::Resolved, alert);
                }
            }
            _ => {
                alert.phase = Phase::Resolved;
                // Nobody was told of it, so it is not shown as resolved either.
                alert.resolved_ms = None;
                self.tell(TransitionKind::Dropped, alert);
            }
        }
    }

    fn set_unknown(&mut self, alert: &mut Alert, is_unknown: bool) {
        if alert.is_unknown != is_unknown && alert.is_active() {
            alert.is_unknown = is_unknown;
            let kind = if is_unknown { TransitionKind::Unknown } else { TransitionKind::Known };
            self.tell(kind, alert);
        }
    }

    fn flapping(&mut self, alert: &mut Alert) {
        let at_ms = self.at_ms;
        alert.fires.retain(|fired| at_ms.abs_diff(*fired) < FLAPPING_WITHIN_MS as u64);
        let fires = alert.fires.len();
        let from = if alert.is_flapping { FLAPPING_ENDS_BELOW } else { FLAPPING_FROM };
        let is_flapping = fires >= from;
        if is_flapping != alert.is_flapping {
            alert.is_flapping = is_flapping;
            let kind = if is_flapping {
                TransitionKind::StartedFlapping
            } else {
                TransitionKind::StoppedFlapping
            };
            self.tell(kind, alert);
        }
    }
}

/// Labels as texts by name, without the metric's name.
pub fn texts(labels: &Labels) -> Texts {
    let named = labels.iter().filter(|(name, _)| *name != barograph_model::METRIC_NAME);
    named.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}
