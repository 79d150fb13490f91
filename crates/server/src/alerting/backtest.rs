//! What rules would have done on the stored history.

use std::sync::atomic::AtomicBool;

use barograph_alerts::backtest::{Backtest, Firing, Recording, backtest};
use barograph_alerts::evaluate::Ground;
use barograph_alerts::incident::About;
use barograph_alerts::machine::Texts;
use barograph_alerts::rule::{Group, Rule};
use barograph_model::chain;
use serde::Serialize;

use super::{Alerting, Shared};

/// A rule on history.
#[derive(Debug, Serialize)]
pub struct Tested {
    pub group: String,
    pub rule: String,
    pub expr: String,
    /// What is compared with a number, and the number.
    pub measured: Option<String>,
    pub threshold: Option<f64>,
    /// How often it would have fired, and for how long in all.
    pub fired: usize,
    pub firing_seconds: i64,
    /// How often it was pending without firing.
    pub dropped: usize,
    /// The first firings.
    pub firings: Vec<TestedFiring>,
    /// The names that were read as the recording rules beside it would have recorded them.
    pub recorded: Vec<String>,
    /// Why it could not be evaluated.
    pub error: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct TestedFiring {
    pub labels: Texts,
    pub from_ms: i64,
    /// `None`: it still fires at the end.
    pub to_ms: Option<i64>,
    pub max: f64,
    pub min: f64,
}

impl Alerting {
    /// Lets alerting rules be evaluated on history, one after the other. What they read and the
    /// recording rules beside them record is evaluated first; what others recorded is read as it is
    /// stored. With a name, only alerts of that name.
    pub(crate) fn backtest(
        &self,
        groups: &[Group],
        name: Option<&str>,
        (from_ms, to_ms): (i64, i64),
        step_ms: i64,
        cancel: &AtomicBool,
    ) -> Vec<Tested> {
        let default_ms = i64::try_from(self.shared.settings.interval.as_millis());
        let default_ms = default_ms.unwrap_or(i64::MAX);
        let recordings = groups.iter().flat_map(|group| {
            let interval_ms = group.interval_ms.unwrap_or(default_ms);
            group.rules.iter().filter_map(move |rule| match rule {
                Rule::Recording(rule) => Some(Recording { rule, interval_ms }),
                Rule::Alerting(_) => None,
            })
        });
        let recordings: Vec<Recording<'_>> = recordings.collect();
        let mut tested = Vec::new();
        for group in groups {
            for rule in group.rules.iter().filter(|it| name.is_none_or(|name| name == it.name())) {
                let Rule::Alerting(alerting) = rule else { continue };
                let ground = self.shared.cancellable(cancel);
                let range = (from_ms, to_ms);
                let found = backtest(&ground, alerting, &recordings, range, step_ms);
                let error = found.as_ref().err().map(|error| chain(error));
                let Backtest { fired, firing_ms, dropped, firings, recorded, .. } =
                    found.unwrap_or_default();
                let About { measured, threshold, .. } = About::of(alerting);
                tested.push(Tested {
                    group: group.name.clone(),
                    rule: rule.name().to_owned(),
                    expr: rule.query().text().to_owned(),
                    measured,
                    threshold,
                    fired,
                    firing_seconds: firing_ms / 1000,
                    dropped,
                    firings: firings.into_iter().map(TestedFiring::from).collect(),
                    recorded,
                    error,
                });
            }
        }
        tested
    }
}

impl Shared {
    fn cancellable<'a>(&'a self, cancel: &'a AtomicBool) -> Ground<'a> {
        Ground {
            engine: &self.engine,
            source: &*self.store,
            external_labels: &self.external_labels,
            external_url: &self.settings.external_url,
            cancel: Some(cancel),
        }
    }
}

impl From<Firing> for TestedFiring {
    fn from(firing: Firing) -> Self {
        let Firing { labels, from_ms, to_ms, max, min } = firing;
        Self { labels, from_ms, to_ms, max, min }
    }
}
