//! One evaluation of one group.

use std::collections::BTreeSet;
use std::time::Duration;

use barograph_alerts::evaluate::{Ground, RuleError};
use barograph_alerts::incident::About;
use barograph_alerts::machine::{Evaluation, RuleAlerts, Texts, Transition};
use barograph_alerts::rule::{AlertingRule, RecordingRule, Rule};
use barograph_model::{Labels, METRIC_NAME, Matcher, Sample, Selection, SeriesSource, chain};

use super::Shared;
use super::loading::Loaded;
use super::recorded::{Recorded, alert_samples, is_stored_by_rules};

/// A group as it is evaluated.
#[derive(Debug)]
pub(super) struct GroupState {
    pub(super) loaded: Loaded,
    /// Each rule's, in the group's order.
    pub(super) rules: Vec<RuleState>,
    /// When it is due, and when it was evaluated last, by the monotonic clock.
    due: Duration,
    evaluated: Option<Duration>,
    /// The same by the clock on the wall, milliseconds since 1970 UTC.
    pub(super) evaluated_ms: Option<i64>,
    pub(super) took: Duration,
    /// Evaluations that did not happen in time.
    pub(super) missed: u64,
}

/// A rule as it is evaluated.
#[derive(Debug, Default)]
pub(super) struct RuleState {
    pub(super) alerts: RuleAlerts,
    /// Why the last evaluation failed.
    pub(super) error: Option<String>,
    pub(super) warnings: Vec<String>,
    pub(super) took: Duration,
    /// Whether its alerts are not saved as they are, and when they were saved last.
    pub(super) is_unsaved: bool,
    pub(super) saved: Duration,
    /// The series that the last evaluation stored.
    pub(super) stored: BTreeSet<Labels>,
}

impl RuleState {
    /// Notes how the evaluation went; a new mistake is in the log.
    fn fail(&mut self, rule: &Rule, error: Option<String>) {
        if error.is_some() && error != self.error {
            let text = error.as_deref().unwrap_or_default();
            tracing::warn!(rule = rule.name(), error = text, "rule not evaluated");
        }
        self.error = error;
    }
}

/// Something happened to an alert of a rule.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) transition: Transition,
    pub(super) depends_on: Vec<String>,
    /// The policy that the rule names.
    pub(super) escalation: Option<String>,
    pub(super) about: About,
}

impl GroupState {
    pub(super) fn new(loaded: Loaded, due: Duration) -> Self {
        let rules = loaded.group.rules.iter().map(|_| RuleState::default()).collect();
        let took = Duration::ZERO;
        Self { loaded, rules, due, evaluated: None, evaluated_ms: None, took, missed: 0 }
    }

    pub(super) fn is_due(&self, monotonic: Duration) -> bool {
        monotonic >= self.due
    }

    pub(super) fn until_due(&self, monotonic: Duration) -> Duration {
        self.due.saturating_sub(monotonic)
    }

    pub(super) fn interval(&self, default: Duration) -> Duration {
        let own = self.loaded.group.interval_ms.and_then(|ms| u64::try_from(ms).ok());
        own.map_or(default, Duration::from_millis)
    }

    pub(super) fn mark_unsaved(&mut self) {
        for rule in self.rules.iter_mut().filter(|rule| rule.alerts.iter().next().is_some()) {
            rule.is_unsaved = true;
        }
    }

    /// Names a rule for as long as its file, group and place are the same.
    pub(super) fn rule_key(&self, place: usize) -> String {
        let name = self.loaded.group.rules.get(place).map_or("", Rule::name);
        let same = self.loaded.group.rules.iter().take(place).filter(|it| it.name() == name);
        let number = same.count();
        format!("{}/{name}#{number}", self.loaded.key)
    }

    /// The same group with rules that were read anew; its rhythm stays. The states of the rules are
    /// the caller's to put in.
    pub(super) fn with(self, loaded: Loaded) -> Self {
        Self { loaded, rules: Vec::new(), ..self }
    }

    /// Notes that it is evaluated now, and tells how much time counts since it was last.
    fn begin(&mut self, monotonic: Duration, interval: Duration) -> Duration {
        let elapsed = self.evaluated.map_or(Duration::ZERO, |it| monotonic.saturating_sub(it));
        let late = monotonic.saturating_sub(self.due);
        let skipped = late.as_nanos() / interval.as_nanos().max(1);
        let skipped = u32::try_from(skipped).unwrap_or(u32::MAX);
        self.missed += u64::from(skipped);
        self.evaluated = Some(monotonic);
        // The rhythm is kept; what was missed is not made up for.
        self.due = self.due.saturating_add(interval.saturating_mul(skipped.saturating_add(1)));
        elapsed.min(interval * 2)
    }
}

impl Shared {
    /// Evaluates a group, rule by rule, and tells what happened to its alerts.
    pub(super) fn evaluate(&self, group: &mut GroupState, monotonic: Duration) -> Vec<Happened> {
        let interval = group.interval(self.settings.interval);
        let elapsed = group.begin(monotonic, interval);
        let at_ms = self.clock.now_ms() - group.loaded.group.offset_ms;
        let limit = group.loaded.group.limit;
        let mut happened = Vec::new();
        let mut recorded = Recorded::new(at_ms);
        for (place, (rule, state)) in
            group.loaded.group.rules.iter().zip(&mut group.rules).enumerate()
        {
            let started = self.clock.monotonic();
            if recorded.are_read_by(rule) {
                recorded.store(&self.store);
            }
            let outcome = match rule {
                Rule::Recording(rule) => self.record(rule, at_ms, limit).map(|samples| {
                    recorded.take(place, state, samples);
                }),
                Rule::Alerting(rule) => {
                    let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
                    self.judge(rule, state, (at_ms, elapsed_ms), limit).map(|transitions| {
                        recorded.take(place, state, alert_samples(&state.alerts));
                        happened.extend(transitions.into_iter().map(|transition| Happened {
                            transition,
                            depends_on: rule.depends_on.clone(),
                            escalation: rule.escalation.clone(),
                            about: About::of(rule),
                        }));
                    })
                }
            };
            state.fail(rule, outcome.err());
            state.took = self.clock.monotonic().saturating_sub(started);
        }
        recorded.store(&self.store);
        for (place, error) in recorded.failed {
            if let Some((rule, state)) =
                group.loaded.group.rules.get(place).zip(group.rules.get_mut(place))
            {
                state.fail(rule, Some(error));
            }
        }
        group.evaluated_ms = Some(at_ms);
        group.took = self.clock.monotonic().saturating_sub(monotonic);
        happened
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            engine: &self.engine,
            source: &*self.store,
            external_labels: &self.external_labels,
            external_url: &self.settings.external_url,
            cancel: None,
        }
    }

    fn judge(
        &self,
        rule: &AlertingRule,
        state: &mut RuleState,
        (at_ms, elapsed_ms): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Transition>, String> {
        let answer = self.ground().alerts(rule, at_ms, limit).map_err(|error| chain(&error))?;
        state.warnings = answer.warnings;
        let evaluation = Evaluation {
            at_ms,
            elapsed_ms,
            answered: answer.answered,
            cleared: answer.cleared,
            is_silent: &|series| self.is_silent(series, at_ms),
        };
        let transitions = state.alerts.step(rule, evaluation);
        state.is_unsaved |= !transitions.is_empty();
        Ok(transitions)
    }

    /// Whether the host (or scraped target) of a series has told nothing of itself for a minute.
    fn is_silent(&self, series: &Texts, at_ms: i64) -> bool {
        const SILENT_MS: i64 = 60_000;
        let named =
            ["host", "instance"].into_iter().find_map(|name| Some((name, series.get(name)?)));
        let Some((name, value)) = named else { return false };
        let matchers = [Matcher::equal(name, value.as_str())];
        let selection = Selection {
            matchers: &matchers,
            from_ms: at_ms - SILENT_MS,
            to_ms: at_ms,
            windows: None,
            max_series: self.engine.settings().max_series,
            max_samples: self.engine.settings().max_samples,
            cancel: None,
        };
        // What cannot be looked up is no reason to believe that a host is silent.
        let Ok(selected) = SeriesSource::select(&*self.store, &selection) else { return false };
        // What rules store of a host says nothing about it.
        let is_told = |place: &usize| {
            let name = selected.labels().get(*place).and_then(|it| it.get(METRIC_NAME));
            name.is_some_and(|name| !is_stored_by_rules(name))
        };
        let mut reader = selected.reader();
        let mut samples = barograph_model::Samples::default();
        // Series that are in the partition need not have samples in the last minute.
        !(0..selected.labels().len())
            .filter(is_told)
            .any(|series| reader.samples(series, &mut samples).is_ok() && !samples.times.is_empty())
    }

    fn record(
        &self,
        rule: &RecordingRule,
        at_ms: i64,
        limit: usize,
    ) -> Result<Vec<Sample>, String> {
        let told = |error: RuleError| chain(&error);
        let records = self.ground().records(rule, at_ms, limit).map_err(told)?;
        Ok(records.into_iter().map(|(labels, value)| Sample { labels, value }).collect())
    }
}
