//! What is usual: between which values a metric was at the same hours of past weeks.
//!
//! For an hour, the means of five minutes in the same hour of the six weeks before are taken
//! together, and the band reaches from their 10th to their 90th percentile. Weeks that were
//! seldom recorded do not count, and with fewer than two weeks nothing is called usual. The means
//! come from the minutes tier, so that six weeks are some thousand buckets and not millions of
//! samples.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};

use barograph_model::SeriesSource;
use barograph_promql::{ParseError, Series, Value};
use serde::Serialize;
use tracing_mutex::stdsync::Mutex;

use crate::point::six_digits;
use crate::queries::{AskError, Queries, When, Wishes};
use crate::query::Query;

const HOUR_MS: i64 = 3_600_000;
const HOURS_OF_WEEK: i64 = 168;
/// Past weeks that are looked at: enough that one odd week does not count, few enough that last
/// season is forgotten.
const WEEKS: i64 = 6;
/// Of one week alone nobody knows whether it was usual.
const MIN_WEEKS: usize = 2;
const MEAN_OF: &str = "5m";
const MEAN_MS: i64 = 300_000;
/// Half of the twelve means of an hour: with fewer, the hour says little of itself.
const MIN_MEANS: usize = 6;
const LOW: f64 = 0.1;
const MID: f64 = 0.5;
const HIGH: f64 = 0.9;

/// The hours of a question, first and last as whole hours since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hours {
    first: i64,
    last: i64,
}

/// The answer: one entry per hour, `None` where nothing is usual.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Baseline {
    pub(crate) from_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) series: Vec<UsualSeries>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct UsualSeries {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) low: Vec<Option<f64>>,
    pub(crate) mid: Vec<Option<f64>>,
    pub(crate) high: Vec<Option<f64>>,
    /// How many weeks each entry rests on.
    pub(crate) weeks: Vec<usize>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    #[error("the query matches more than {} series; add a `match` or `by`", Baselines::MAX_SERIES)]
    TooManySeries,
    #[error("the query cannot be asked as PromQL: {0}")]
    Query(#[from] ParseError),
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// Finds what is usual, and keeps it: past weeks do not change, and every page asks the same.
#[derive(Debug, Default)]
pub(crate) struct Baselines {
    kept: Mutex<HashMap<(String, Hours), Kept>>,
}

#[derive(Debug)]
struct Kept {
    asked_ms: i64,
    answer: Arc<Baseline>,
}

/// Means by series, then by hour.
type Means = BTreeMap<BTreeMap<String, String>, HashMap<i64, Vec<f64>>>;

impl Hours {
    /// The hours that a stretch of time touches.
    pub(crate) fn of(from_ms: i64, to_ms: i64) -> Self {
        Self { first: from_ms.div_euclid(HOUR_MS), last: to_ms.div_euclid(HOUR_MS) }
    }

    fn count(self) -> usize {
        usize::try_from(self.last - self.first + 1).unwrap_or_default()
    }

    /// The same hours of the weeks before, as stretches without gaps, none longer than a week.
    fn before(self) -> Vec<Self> {
        let weeks = 1..=WEEKS;
        let hours: BTreeSet<i64> = weeks
            .flat_map(|week| (self.first..=self.last).map(move |hour| hour - week * HOURS_OF_WEEK))
            .collect();
        let mut stretches: Vec<Self> = Vec::new();
        for hour in hours {
            match stretches.last_mut() {
                Some(it) if it.last + 1 == hour && hour - it.first < HOURS_OF_WEEK => {
                    it.last = hour;
                }
                _ => stretches.push(Self { first: hour, last: hour }),
            }
        }
        stretches
    }
}

impl Baselines {
    /// Bands that can be told apart.
    pub(crate) const MAX_SERIES: usize = 20;
    /// A month of hours; a chart of more has days for points.
    pub(crate) const MAX_RANGE_MS: i64 = 31 * 86_400_000;
    /// Until a week that was imported or sent late counts.
    const KEEP_MS: i64 = HOUR_MS;
    const MAX_KEPT: usize = 500;

    /// # Errors
    /// Too many series, or a question that could not be answered.
    pub(crate) async fn find<S: SeriesSource + Send + Sync + 'static>(
        &self,
        (queries, source): (&Arc<Queries>, &Arc<S>),
        (query, own_host): (&Query, &str),
        hours: Hours,
        now_ms: i64,
    ) -> Result<Arc<Baseline>, BaselineError> {
        let text = query.means(MEAN_OF);
        let key = (text, hours);
        if let Some(answer) = self.kept(&key, now_ms) {
            return Ok(answer);
        }
        let parsed = queries.parse(&key.0, MEAN_MS)?;
        let mut means = Means::new();
        for stretch in hours.before() {
            let when = When::Range {
                from_ms: stretch.first * HOUR_MS + MEAN_MS,
                to_ms: (stretch.last + 1) * HOUR_MS,
                step_ms: MEAN_MS,
            };
            let answer = queries.ask(source, &parsed, when, Wishes::default()).await?;
            let Value::Matrix(series) = answer.value else { continue };
            for one in series {
                take(&mut means, query, own_host, &one);
            }
            if means.len() > Self::MAX_SERIES {
                return Err(BaselineError::TooManySeries);
            }
        }
        let answer = Arc::new(usual(&means, hours));
        self.keep(key, now_ms, Arc::clone(&answer));
        Ok(answer)
    }

    fn kept(&self, key: &(String, Hours), now_ms: i64) -> Option<Arc<Baseline>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(key)?;
        (now_ms - found.asked_ms < Self::KEEP_MS).then(|| Arc::clone(&found.answer))
    }

    fn keep(&self, key: (String, Hours), asked_ms: i64, answer: Arc<Baseline>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= Self::MAX_KEPT {
            kept.retain(|_, it| asked_ms - it.asked_ms < Self::KEEP_MS);
        }
        if kept.len() >= Self::MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, Kept { asked_ms, answer });
    }
}

fn take(means: &mut Means, query: &Query, own_host: &str, series: &Series) {
    let labels = query.answer_labels(&series.labels, own_host);
    let hours = means.entry(labels).or_default();
    let samples = series.samples.times.iter().zip(&series.samples.values);
    for (&end_ms, &value) in samples.filter(|(_, value)| value.is_finite()) {
        hours.entry((end_ms - MEAN_MS).div_euclid(HOUR_MS)).or_default().push(value);
    }
}

fn usual(means: &Means, hours: Hours) -> Baseline {
    let series = means.iter().map(|(labels, means)| usual_series(labels, means, hours)).collect();
    Baseline { from_ms: hours.first * HOUR_MS, step_ms: HOUR_MS, series }
}

fn usual_series(
    labels: &BTreeMap<String, String>,
    means: &HashMap<i64, Vec<f64>>,
    hours: Hours,
) -> UsualSeries {
    let nothing = || Vec::with_capacity(hours.count());
    let (mut low, mut mid, mut high) = (nothing(), nothing(), nothing());
    let mut weeks = Vec::with_capacity(hours.count());
    for hour in hours.first..=hours.last {
        let before = (1..=WEEKS).filter_map(|week| means.get(&(hour - week * HOURS_OF_WEEK)));
        let known: Vec<&Vec<f64>> = before.filter(|week| week.len() >= MIN_MEANS).collect();
        let mut values: Vec<f64> = known.iter().flat_map(|week| week.iter().copied()).collect();
        values.sort_by(f64::total_cmp);
        if known.len() < MIN_WEEKS {
            values.clear();
        }
        let at = |share| quantile(&values, share).and_then(six_digits);
        low.push(at(LOW));
        mid.push(at(MID));
        high.push(at(HIGH));
        weeks.push(known.len());
    }
    UsualSeries { labels: labels.clone(), low, mid, high, weeks }
}

/// The quantile of ascending values, between two of them where it falls between: definition 7 of
/// Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50
/// (1996), as `PromQL` has it, too.
fn quantile(ascending: &[f64], share: f64) -> Option<f64> {
    let place = share * (ascending.len().checked_sub(1)? as f64);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the length"
    )]
    let below = place.floor() as usize;
    let low = ascending.get(below)?;
    let high = ascending.get(below + 1).unwrap_or(low);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests;
