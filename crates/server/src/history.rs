//! A metric's past, cut into steps: what a chart draws.
//!
//! A history is read in windows, so that its memory is bounded by its steps and not by its
//! samples, and it can be continued: the live interface reads on until it has caught up with the
//! present.

mod expired;
mod spacing;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use barograph_model::{Buckets, Columns, Labels, SourceError};
use barograph_store::{Limits, Steps, Store, Warning};
use serde::Serialize;

use self::expired::{Cell, SeriesSteps};
use self::spacing::Spacing;
use crate::parts::{self, Part};
use crate::point::{Point, holds_for_ms, six_digits};
use crate::query::{Aggregation, Query};
use crate::top::Top;

/// Reads one query's past into equal steps.
#[derive(Debug)]
pub(crate) struct History {
    query: Query,
    own_host: String,
    from_ms: i64,
    step_ms: i64,
    /// Everything before this time has been read.
    read_to_ms: i64,
    groups: Vec<Group>,
    places: HashMap<BTreeMap<String, String>, usize>,
    /// The last point of each series, for the rate at the start of the next window.
    carried: HashMap<Labels, Point>,
    samples_read: usize,
    /// The only series that are wanted.
    top: Option<Top>,
    /// What is damaged in the store, and so missing here.
    warnings: BTreeSet<String>,
}

/// One series of the answer.
#[derive(Debug)]
struct Group {
    labels: BTreeMap<String, String>,
    steps: Vec<Step>,
    last: Option<Point>,
    spacing: Spacing,
    /// Steps without a value of their own after the last point but one.
    open: Option<Open>,
    /// The points of the current window, while several series are joined.
    window: Vec<Point>,
    /// The same of what has expired.
    expired: Vec<Cell>,
}

/// Steps in which a value may stand: the next point tells.
#[derive(Debug)]
struct Open {
    value: f64,
    gap_ms: i64,
    steps: Range<usize>,
}

/// What a step comes to.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// How many values it is made of.
    weight: f64,
    sum: f64,
    max: f64,
}

/// The finished answer. `avg` and `max` have one entry per step.
#[derive(Debug, Serialize)]
pub(crate) struct HistoryAnswer {
    pub(crate) from_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) series: Vec<SeriesAnswer>,
    /// How many series there are, where only the highest were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<usize>,
    /// What is damaged in the store, and so missing in the series.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) warnings: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct SeriesAnswer {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) avg: Vec<Option<f64>>,
    /// Left out where it would repeat `avg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<Vec<Option<f64>>>,
}

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error(
        "the query matches more than {} series; add a `match`, `by` or `top`",
        History::MAX_SERIES
    )]
    TooManySeries,
    #[error(
        "the query reads more than {} samples; ask for a shorter range or fewer series",
        History::MAX_SAMPLES
    )]
    TooManySamples,
    #[error("the client went away")]
    Cancelled,
    #[error("{0}")]
    Failed(String),
}

impl From<SourceError> for HistoryError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::TooManySeries { .. } => Self::TooManySeries,
            SourceError::TooManySamples { .. } => Self::TooManySamples,
            SourceError::Cancelled => Self::Cancelled,
            SourceError::Failed(problem) => Self::Failed(problem),
        }
    }
}

impl History {
    pub(crate) const MAX_POINTS: i64 = 4000;
    pub(crate) const MAX_STEP_MS: i64 = 30 * 86_400_000;
    pub(crate) const MAX_SERIES: usize = 200;
    const MAX_WARNINGS: usize = 20;
    /// About a year of one series at one second, and two seconds of work.
    const MAX_SAMPLES: usize = 50_000_000;
    const HOUR_MS: i64 = 3_600_000;
    const DAY_MS: i64 = 24 * Self::HOUR_MS;
    /// How far before the range a rate's first neighbour is looked for.
    const RATE_LOOKBACK_MS: i64 = 60_000;

    /// Prepares to read from `from_ms` to about `to_ms`, with the smallest step that is at least
    /// `step_ms` and gives at most [`History::MAX_POINTS`].
    pub(crate) fn new(
        query: Query,
        own_host: &str,
        from_ms: i64,
        to_ms: i64,
        step_ms: i64,
    ) -> Self {
        let step_ms = round_step(step_ms.max((to_ms - from_ms) / Self::MAX_POINTS + 1));
        let from_ms = from_ms.div_euclid(step_ms) * step_ms;
        Self {
            query,
            own_host: own_host.to_owned(),
            from_ms,
            step_ms,
            read_to_ms: from_ms,
            groups: Vec::new(),
            places: HashMap::new(),
            carried: HashMap::new(),
            samples_read: 0,
            top: None,
            warnings: BTreeSet::new(),
        }
    }

    /// Reads these series only.
    pub(crate) fn only(mut self, top: Option<Top>) -> Self {
        self.top = top;
        self
    }

    /// Reads on, up to and with `to_ms`.
    ///
    /// # Errors
    /// A limit passed, the reader gone (`cancelled`), or a store that cannot be read.
    pub(crate) fn read_to(
        &mut self,
        store: &Store,
        to_ms: i64,
        cancelled: &AtomicBool,
    ) -> Result<(), HistoryError> {
        let mut matchers = self.query.matchers();
        matchers.extend(self.top.iter().flat_map(Top::matchers));
        // Where every value counts for itself, buckets tell as much as samples.
        let is_plain = !self.query.rate && self.query.by.is_none();
        let length_ms = is_plain.then_some(self.step_ms);
        let is_coarse = is_plain && self.step_ms % Self::HOUR_MS == 0;
        let window_ms = if is_coarse { Self::DAY_MS } else { Self::HOUR_MS };
        while self.read_to_ms <= to_ms {
            let end_ms = to_ms.min(self.read_to_ms.saturating_add(window_ms) - 1);
            let is_first = self.read_to_ms == self.from_ms;
            let looks_back = is_first && self.query.rate;
            let from_ms = self.read_to_ms - if looks_back { Self::RATE_LOOKBACK_MS } else { 0 };
            let limits = Limits {
                max_samples: Self::MAX_SAMPLES.saturating_sub(self.samples_read),
                cancel: Some(cancelled),
                ..Limits::default()
            };
            let steps = Steps { from_ms, to_ms: end_ms, length_ms, reaches_back: is_first };
            let warnings =
                store.steps(&matchers, steps, &limits, &mut |labels, samples, buckets| {
                    self.samples_read += samples.times.len() + buckets.count.len();
                    self.take(labels, samples, buckets)
                })?;
            self.warn(warnings);
            self.close_window();
            self.read_to_ms = end_ms + 1;
        }
        Ok(())
    }

    fn warn(&mut self, warnings: Vec<Warning>) {
        for warning in warnings {
            if self.warnings.len() < Self::MAX_WARNINGS {
                self.warnings.insert(format!("{}: {}", warning.partition, warning.message));
            }
        }
    }

    fn take(
        &mut self,
        labels: &Labels,
        samples: Columns<'_>,
        buckets: &Buckets,
    ) -> Result<(), HistoryError> {
        let Some(place) = self.group_for(labels)? else { return Ok(()) };
        let before = self.carried.remove(labels);
        let Some(group) = self.groups.get_mut(place) else { return Ok(()) };
        let mut series = SeriesSteps {
            rate: self.query.rate,
            steps: (self.from_ms, self.step_ms),
            before,
            cells: Vec::new(),
        };
        for part in parts::in_order(samples, buckets) {
            let point = match part {
                Part::Sample(point) => series.take_sample(point),
                Part::Bucket(bucket) => {
                    series.take_bucket(buckets, bucket);
                    None
                }
            };
            let Some(point) = point.filter(|point| point.time_ms >= self.read_to_ms) else {
                continue;
            };
            if self.query.by.is_some() {
                group.window.push(point);
            } else {
                group.add(point, self.from_ms, self.step_ms);
            }
        }
        if self.query.by.is_some() {
            group.expired.append(&mut series.cells);
        } else {
            series.cells.iter().for_each(|cell| group.put(cell.place, cell.step));
        }
        if let Some(point) = series.before {
            self.carried.insert(labels.clone(), point);
        }
        Ok(())
    }

    /// `None`: it is not among the series that are wanted.
    fn group_for(&mut self, labels: &Labels) -> Result<Option<usize>, HistoryError> {
        let answer_labels = self.query.answer_labels(labels, &self.own_host);
        if let Some(place) = self.places.get(&answer_labels) {
            return Ok(Some(*place));
        }
        if self.top.as_ref().is_some_and(|top| !top.labels.contains(&answer_labels)) {
            return Ok(None);
        }
        if self.groups.len() == Self::MAX_SERIES {
            return Err(HistoryError::TooManySeries);
        }
        self.places.insert(answer_labels.clone(), self.groups.len());
        self.groups.push(Group::new(answer_labels));
        Ok(Some(self.groups.len() - 1))
    }

    /// Joins what several series had at the same moments.
    fn close_window(&mut self) {
        for group in &mut self.groups {
            let mut points = std::mem::take(&mut group.window);
            points.sort_by_key(|point| point.time_ms);
            for moment in points.chunk_by(|a, b| a.time_ms == b.time_ms) {
                let joined = self.query.agg.join(moment.iter().map(|point| point.value));
                if let (Some(value), Some(first)) = (joined, moment.first()) {
                    let point = Point { time_ms: first.time_ms, value };
                    group.add(point, self.from_ms, self.step_ms);
                }
            }
            points.clear();
            group.window = points;
            group.join_expired(self.query.agg);
        }
    }

    /// The time up to which was read, inclusive.
    pub(crate) fn end_ms(&self) -> i64 {
        self.read_to_ms - 1
    }

    /// The labels of the answer's series, in its order.
    pub(crate) fn series_labels(&self) -> impl Iterator<Item = &BTreeMap<String, String>> {
        self.groups.iter().map(|group| &group.labels)
    }

    pub(crate) fn finish(self, interval_ms: i64) -> HistoryAnswer {
        let (from_ms, step_ms) = (self.from_ms, self.step_ms);
        let of = self.top.map(|top| top.of);
        let n_steps = usize::try_from((self.read_to_ms - 1 - from_ms).div_euclid(step_ms) + 1)
            .unwrap_or_default();
        let series = self
            .groups
            .into_iter()
            .map(|group| group.finish(from_ms, step_ms, n_steps, step_ms > interval_ms))
            .collect();
        HistoryAnswer { from_ms, step_ms, series, of, warnings: self.warnings }
    }
}

impl Group {
    fn new(labels: BTreeMap<String, String>) -> Self {
        Self {
            labels,
            steps: Vec::new(),
            last: None,
            spacing: Spacing::default(),
            open: None,
            window: Vec::new(),
            expired: Vec::new(),
        }
    }

    fn add(&mut self, point: Point, from_ms: i64, step_ms: i64) {
        let Ok(place) = usize::try_from((point.time_ms - from_ms).div_euclid(step_ms)) else {
            return;
        };
        if let Some(last) = self.last {
            let gap_ms = point.time_ms - last.time_ms;
            self.fill_open(gap_ms);
            self.fill_up_to(place, last, from_ms, step_ms);
            let steps = self.steps.len()..place;
            self.open = (!steps.is_empty()).then_some(Open { value: last.value, gap_ms, steps });
            self.spacing.add(gap_ms);
        }
        self.put(place, Step::of(point.value));
        self.last = Some(point);
    }

    fn put(&mut self, place: usize, part: Step) {
        if self.steps.len() <= place {
            self.steps.resize(place + 1, Step::default());
        }
        if let Some(step) = self.steps.get_mut(place) {
            step.add(part);
        }
    }

    /// Joins what several series came to in the same steps. Peaks may have been at different
    /// moments, so that theirs is the most that there can have been.
    fn join_expired(&mut self, agg: Aggregation) {
        let mut cells = std::mem::take(&mut self.expired);
        cells.sort_by_key(|cell| cell.place);
        for cells in cells.chunk_by(|a, b| a.place == b.place) {
            let avg = agg.join(cells.iter().map(|cell| cell.step.avg()));
            let max = agg.join(cells.iter().map(|cell| cell.step.max));
            if let (Some(avg), Some(max), Some(first)) = (avg, max, cells.first()) {
                let weight = first.step.weight;
                self.put(first.place, Step { weight, sum: avg * weight, max });
            }
        }
    }

    /// Lets the last value stand in steps that are shorter than the source's own interval.
    fn fill_up_to(&mut self, place: usize, last: Point, from_ms: i64, step_ms: i64) {
        let Some(usual_ms) = self.spacing.usual_ms() else { return };
        let holds_to_ms = last.time_ms + holds_for_ms(usual_ms);
        while self.steps.len() < place {
            let starts_ms = from_ms + step_ms * i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
            if starts_ms >= holds_to_ms {
                break;
            }
            self.steps.push(Step::of(last.value));
        }
    }

    /// What was no gap, as another of the same length shows: the first one after a start.
    fn fill_open(&mut self, next_gap_ms: i64) {
        let Some(Open { value, gap_ms, steps }) = self.open.take() else { return };
        if gap_ms <= holds_for_ms(next_gap_ms) {
            let steps = self.steps.get_mut(steps).unwrap_or_default();
            for step in steps.iter_mut().filter(|step| step.weight == 0.0) {
                *step = Step::of(value);
            }
        }
    }

    fn finish(
        mut self,
        from_ms: i64,
        step_ms: i64,
        n_steps: usize,
        with_max: bool,
    ) -> SeriesAnswer {
        if let Some(last) = self.last {
            self.fill_up_to(n_steps, last, from_ms, step_ms);
        }
        self.steps.resize(n_steps, Step::default());
        let value = |of: fn(&Step) -> f64| {
            self.steps
                .iter()
                .map(|step| if step.weight == 0.0 { None } else { six_digits(of(step)) })
                .collect::<Vec<_>>()
        };
        let avg = value(Step::avg);
        let max = with_max.then(|| value(|step| step.max));
        SeriesAnswer { labels: self.labels, avg, max }
    }
}

impl Step {
    /// Of one value.
    fn of(value: f64) -> Self {
        Self { weight: 1.0, sum: value, max: value }
    }

    fn add(&mut self, part: Self) {
        self.max = if self.weight == 0.0 { part.max } else { self.max.max(part.max) };
        self.weight += part.weight;
        self.sum += part.sum;
    }

    fn avg(&self) -> f64 {
        self.sum / self.weight
    }
}

/// The next step that people can read: 1, 2, 5, 10, 15, 30 of a unit.
fn round_step(step_ms: i64) -> i64 {
    const SECOND: i64 = 1000;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const STEPS: [i64; 21] = [
        SECOND,
        2 * SECOND,
        5 * SECOND,
        10 * SECOND,
        15 * SECOND,
        20 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        20 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        7 * DAY,
    ];
    let rounded = STEPS.into_iter().find(|step| *step >= step_ms);
    rounded.unwrap_or_else(|| (step_ms - 1).div_euclid(DAY).saturating_add(1).saturating_mul(DAY))
}

#[cfg(test)]
mod tests;
