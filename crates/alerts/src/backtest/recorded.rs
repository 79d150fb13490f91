//! What recording rules would have recorded, in place of what is stored under their names.

use std::collections::{BTreeMap, BTreeSet};

use barograph_model::{
    Buckets, Columns, Labels, METRIC_NAME, STALE, Samples, SelectedSeries, Selection, SeriesReader,
    SeriesSource, SourceError,
};
use barograph_promql::{EvalError, Options, Series, Value};

use crate::evaluate::{Ground, RuleError};
use crate::rule::RecordingRule;

/// Samples that are held at a time: 16 bytes each.
const MAX_SAMPLES: usize = 4_000_000;
/// Steps that are asked for at once.
const PART_STEPS: i64 = 10_000;

/// Series of a source, and in place of those of some names what rules answered.
pub(super) struct Recorded<'a> {
    under: &'a dyn SeriesSource,
    names: BTreeSet<&'a str>,
    over: BTreeMap<Labels, Samples>,
    samples: usize,
}

impl<'a> Recorded<'a> {
    pub(super) fn new(under: &'a dyn SeriesSource) -> Self {
        Self { under, names: BTreeSet::new(), over: BTreeMap::new(), samples: 0 }
    }

    /// Evaluates a rule from one time to another over what is there so far. A rule that reads its own
    /// name finds what is stored.
    pub(super) fn add(
        &mut self,
        ground: &Ground<'_>,
        rule: &'a RecordingRule,
        (from_ms, to_ms): (i64, i64),
        step_ms: i64,
    ) -> Result<(), EvalError> {
        let mut found: BTreeMap<Labels, Samples> = BTreeMap::new();
        let mut start_ms = from_ms;
        while start_ms <= to_ms {
            let end_ms = to_ms.min(start_ms.saturating_add(step_ms * (PART_STEPS - 1)));
            let options = Options { cancel: ground.cancel, ..Options::default() };
            let answer =
                ground.engine.range(&*self, &rule.query, start_ms, end_ms, step_ms, &options)?;
            let Value::Matrix(answered) = answer.value else { break };
            for series in answered {
                self.samples += series.samples.times.len();
                if self.samples > MAX_SAMPLES {
                    let problem = format!(
                        "more than {MAX_SAMPLES} samples to hold at a time; take a larger step"
                    );
                    return Err(refused(rule, &problem));
                }
                let labels = rule
                    .labels_of(&series.labels)
                    .map_err(|error| refused(rule, &error.to_string()))?;
                let samples = found.entry(labels).or_default();
                if samples.times.last() >= series.samples.times.first() {
                    return Err(refused(rule, &RuleError::Same("rule").to_string()));
                }
                append(samples, series, step_ms);
            }
            start_ms = end_ms.saturating_add(step_ms);
        }
        for samples in found.values_mut() {
            end(samples, to_ms, step_ms);
        }
        self.names.insert(&rule.record);
        self.over.extend(found);
        Ok(())
    }

    fn is_chosen_by(&self, selection: &Selection<'_>) -> bool {
        let on_name = || selection.matchers.iter().filter(|it| it.label() == METRIC_NAME);
        self.names.iter().any(|name| on_name().all(|it| it.matches_value(name)))
    }
}

fn refused(rule: &RecordingRule, problem: &str) -> EvalError {
    EvalError::Execution(format!("recording rule `{}`: {problem}", rule.record))
}

/// Puts an answer behind what is there. Where a series is not answered it ends, as it would when the
/// rule were evaluated.
fn append(samples: &mut Samples, series: Series, step_ms: i64) {
    for (time_ms, value) in series.samples.times.into_iter().zip(series.samples.values) {
        end(samples, time_ms - step_ms, step_ms);
        samples.times.push(time_ms);
        samples.values.push(value);
    }
}

/// Ends a series whose last sample is before the last step.
fn end(samples: &mut Samples, last_ms: i64, step_ms: i64) {
    if let Some(newest_ms) = samples.times.last().copied().filter(|it| *it < last_ms) {
        samples.times.push(newest_ms + step_ms);
        samples.values.push(STALE);
    }
}

impl SeriesSource for Recorded<'_> {
    fn select<'a>(
        &'a self,
        selection: &Selection<'a>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, SourceError> {
        if !self.is_chosen_by(selection) {
            return self.under.select(selection);
        }
        let under = self.under.select(&Selection { windows: None, ..*selection })?;
        let stored = under.labels().iter().enumerate();
        let stored = stored.filter(|(_, labels)| !self.names.contains(labels.name()));
        let mut found: Vec<_> =
            stored.map(|(place, labels)| (labels.clone(), Place::Under(place))).collect();
        let over = self.over.iter().filter(|(labels, samples)| {
            selection.matchers.iter().all(|it| it.matches(labels))
                && !within(samples, selection).0.is_empty()
        });
        found.extend(over.map(|(labels, samples)| (labels.clone(), Place::Over(samples))));
        if found.len() > selection.max_series {
            return Err(SourceError::TooManySeries { max: selection.max_series });
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let (labels, places) = found.into_iter().unzip();
        Ok(Box::new(Selected { under, labels, places, selection: *selection }))
    }

    fn label_names(&self, selection: &Selection<'_>) -> Result<Vec<String>, SourceError> {
        self.under.label_names(selection)
    }

    fn label_values(
        &self,
        label: &str,
        selection: &Selection<'_>,
    ) -> Result<Vec<String>, SourceError> {
        self.under.label_values(label, selection)
    }
}

fn within<'a>(samples: &'a Samples, selection: &Selection<'_>) -> (&'a [i64], &'a [f64]) {
    let from = samples.times.partition_point(|it| *it < selection.from_ms);
    let to = samples.times.partition_point(|it| *it <= selection.to_ms).max(from);
    let times = samples.times.get(from..to).unwrap_or_default();
    (times, samples.values.get(from..to).unwrap_or_default())
}

enum Place<'a> {
    Under(usize),
    Over(&'a Samples),
}

struct Selected<'a> {
    under: Box<dyn SelectedSeries + 'a>,
    labels: Vec<Labels>,
    places: Vec<Place<'a>>,
    selection: Selection<'a>,
}

impl SelectedSeries for Selected<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn reader(&self) -> Box<dyn SeriesReader + '_> {
        Box::new(Reader { selected: self, under: self.under.reader() })
    }

    fn warnings(&self) -> Vec<String> {
        self.under.warnings()
    }
}

struct Reader<'a> {
    selected: &'a Selected<'a>,
    under: Box<dyn SeriesReader + 'a>,
}

impl SeriesReader for Reader<'_> {
    fn columns(&mut self, series: usize) -> Result<Columns<'_>, SourceError> {
        let (times, values) = match self.selected.places.get(series) {
            Some(Place::Under(place)) => return self.under.columns(*place),
            Some(Place::Over(samples)) => within(samples, &self.selected.selection),
            None => (&[][..], &[][..]),
        };
        Ok(Columns { times, values, shared: None, may_end: true, may_fall: true })
    }

    fn buckets(&mut self, _series: usize, _out: &mut Buckets) -> Result<bool, SourceError> {
        Ok(false)
    }
}
