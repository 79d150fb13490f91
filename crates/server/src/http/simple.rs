//! The simple interface: names and numbers.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use barograph_model::{Buckets, SourceError};
use barograph_store::Steps;
use serde::{Deserialize, Serialize};

use crate::app::{App, Context};
use crate::parts::{self, Part};
use crate::point::Point;
use crate::query::Query as MetricQuery;
use crate::timestamp::iso;

use super::error::ApiError;
use super::extract::{Path, Query};
use super::range::histories_permit;
use super::waiting::wait;

/// The newest headline values.
#[derive(Debug, Serialize)]
pub(crate) struct CurrentMetrics {
    timestamp: String,
    system: BTreeMap<&'static str, f64>,
}

pub(crate) async fn current_metrics(
    State(context): State<Context>,
) -> Result<Json<CurrentMetrics>, ApiError> {
    current(&context, |_| true).map(Json).ok_or_else(|| {
        ApiError::unavailable(
            "no_data_yet",
            "nothing has been collected yet; ask again in a second",
        )
    })
}

/// The headline values that are wanted, or nothing before the first batch.
pub(crate) fn current(app: &App, wanted: impl Fn(&str) -> bool) -> Option<CurrentMetrics> {
    let table = app.latest.read();
    let time_ms = Some(table.time_ms()).filter(|time_ms| *time_ms > 0)?;
    let system = app
        .headline
        .iter()
        .filter(|name| wanted(name))
        .filter_map(|name| {
            let entry = table.entries(name).iter().find(|entry| is_plain(&entry.labels))?;
            Some((*name, entry.value_at(time_ms, false)?))
        })
        .collect();
    Some(CurrentMetrics { timestamp: iso(time_ms), system })
}

/// A series that speaks for the whole host.
fn is_plain(labels: &barograph_model::Labels) -> bool {
    labels.iter().all(|(name, _)| name == "host" || name == barograph_model::METRIC_NAME)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoricalParams {
    hours: Option<String>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct HistoricalPoint {
    timestamp: String,
    value: f64,
}

/// At most this many points answer one question.
const MAX_POINTS: usize = 2000;
const MAX_HOURS: f64 = 87_600.0;

pub(crate) async fn historical_metrics(
    State(context): State<Context>,
    Path(name): Path<String>,
    Query(params): Query<HistoricalParams>,
) -> Result<Json<Vec<HistoricalPoint>>, ApiError> {
    let hours = parse_hours(params.hours.as_deref())?;
    let _permit = histories_permit(&context).await?;
    wait("reading the history", move || historical(&context, &name, hours)).await?.map(Json)
}

fn parse_hours(text: Option<&str>) -> Result<f64, ApiError> {
    let Some(text) = text else { return Ok(24.0) };
    text.parse().ok().filter(|hours| *hours > 0.0 && *hours <= MAX_HOURS).ok_or_else(|| {
        ApiError::bad_request(
            "bad_hours",
            "`hours` is a number above 0 and up to 87600 (ten years)",
        )
    })
}

fn historical(app: &App, name: &str, hours: f64) -> Result<Vec<HistoricalPoint>, ApiError> {
    const WINDOW_MS: i64 = 6 * 3_600_000;
    let now_ms = app.clock.now_ms();
    #[expect(clippy::cast_possible_truncation, reason = "ten years in milliseconds fit")]
    let asked_from_ms = now_ms.saturating_sub((hours * 3_600_000.0) as i64);
    let from_ms = asked_from_ms.max(app.oldest_ms().unwrap_or(asked_from_ms));
    let matchers = MetricQuery::metric(name).matchers();
    let limits = barograph_store::Limits::default();
    let mut thin = Thin::new(from_ms, now_ms, MAX_POINTS);
    let mut start_ms = from_ms;
    while start_ms <= now_ms {
        let end_ms = now_ms.min(start_ms + WINDOW_MS - 1);
        let reaches_back = start_ms == from_ms;
        let steps = Steps { from_ms: start_ms, to_ms: end_ms, length_ms: None, reaches_back };
        let read = app.store.steps(&matchers, steps, &limits, &mut |labels, samples, buckets| {
            if is_plain(labels) {
                parts::in_order(samples, buckets).for_each(|part| thin.add_part(part, buckets));
            }
            Ok::<_, SourceError>(())
        });
        read.map_err(|error| ApiError::over_limit("over_limit", error.to_string()))?;
        start_ms = end_ms + 1;
    }
    let points = thin.finish();
    if points.is_empty() {
        known_plain_metric(app, name)?;
    }
    Ok(points
        .into_iter()
        .map(|point| HistoricalPoint { timestamp: iso(point.time_ms), value: point.value })
        .collect())
}

/// No points may mean no such metric, or one that exists only per device.
fn known_plain_metric(app: &App, name: &str) -> Result<(), ApiError> {
    let stored = app.store.metric_names(i64::MIN, i64::MAX).data;
    let Some(n_series) = stored.get(name) else {
        if app.headline.contains(&name) {
            return Ok(());
        }
        let headline = app.headline.iter().map(|known| (*known).to_owned());
        return Err(ApiError::unknown_metric(name, stored.into_keys().chain(headline)));
    };
    let table = app.latest.read();
    let entries = table.entries(name);
    if !entries.is_empty() && !entries.iter().any(|entry| is_plain(&entry.labels)) {
        return Err(ApiError::bad_request(
            "several_series",
            format!("`{name}` has {n_series} series, one per device: ask /api/range with `match`"),
        ));
    }
    Ok(())
}

/// Keeps the lowest and the highest point of each of equally long stretches, so that no peak is
/// lost, whichever way it points.
struct Thin {
    from_ms: i64,
    stretch_ms: i64,
    kept: Vec<Point>,
    stretch: i64,
    lowest: Option<Point>,
    highest: Option<Point>,
}

impl Thin {
    fn new(from_ms: i64, to_ms: i64, max_points: usize) -> Self {
        let stretches = i64::try_from(max_points / 2).unwrap_or(i64::MAX).max(1);
        let stretch_ms = ((to_ms - from_ms) / stretches + 1).max(1);
        Self { from_ms, stretch_ms, kept: Vec::new(), stretch: 0, lowest: None, highest: None }
    }

    fn add(&mut self, point: Point) {
        if !point.value.is_finite() {
            return;
        }
        let stretch = (point.time_ms - self.from_ms).div_euclid(self.stretch_ms);
        if stretch != self.stretch {
            self.close_stretch();
            self.stretch = stretch;
        }
        if self.lowest.is_none_or(|lowest| point.value < lowest.value) {
            self.lowest = Some(point);
        }
        if self.highest.is_none_or(|highest| point.value > highest.value) {
            self.highest = Some(point);
        }
    }

    /// Of a bucket its extremes, the first and last moment being theirs.
    fn add_part(&mut self, part: Part, buckets: &Buckets) {
        let index = match part {
            Part::Sample(point) => return self.add(point),
            Part::Bucket(index) => index,
        };
        let (min, max) = (buckets.min[index], buckets.max[index]);
        let grows = buckets.first[index] <= buckets.last[index];
        let (first, last) = if grows { (min, max) } else { (max, min) };
        self.add(Point { time_ms: buckets.first_times[index], value: first });
        self.add(Point { time_ms: buckets.last_times[index], value: last });
    }

    fn close_stretch(&mut self) {
        let (Some(a), Some(b)) = (self.lowest.take(), self.highest.take()) else { return };
        let (first, second) = if a.time_ms <= b.time_ms { (a, b) } else { (b, a) };
        self.kept.push(first);
        if second.time_ms != first.time_ms {
            self.kept.push(second);
        }
    }

    fn finish(mut self) -> Vec<Point> {
        self.close_stretch();
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_checked() {
        assert_eq!(parse_hours(None).unwrap().to_bits(), 24.0_f64.to_bits());
        assert_eq!(parse_hours(Some("0.5")).unwrap().to_bits(), 0.5_f64.to_bits());
        for bad in ["0", "-1", "abc", "", "NaN", "inf", "87601"] {
            assert_eq!(parse_hours(Some(bad)).unwrap_err().code, "bad_hours", "{bad}");
        }
    }

    #[test]
    fn thinning_keeps_both_peaks_and_the_order() {
        let mut thin = Thin::new(0, 9999, 4);
        for time_ms in 0..10_000 {
            let value = match time_ms {
                7000 => 99.0,
                8000 => -99.0,
                _ => 1.0,
            };
            thin.add(Point { time_ms, value });
        }
        let kept = thin.finish();
        assert!(kept.len() <= 4, "{kept:?}");
        assert!(kept.is_sorted_by_key(|point| point.time_ms));
        assert!(kept.contains(&Point { time_ms: 7000, value: 99.0 }));
        assert!(kept.contains(&Point { time_ms: 8000, value: -99.0 }));
    }

    #[test]
    fn of_buckets_both_extremes_are_kept() {
        let buckets = Buckets {
            first_times: vec![0, 1000, 2000],
            last_times: vec![900, 1900, 2000],
            first: vec![1.0, 5.0, 3.0],
            last: vec![2.0, 4.0, 3.0],
            min: vec![-7.0, 0.5, 3.0],
            max: vec![8.0, 9.0, 3.0],
            count: vec![10, 10, 1],
            ..Buckets::default()
        };
        let mut thin = Thin::new(0, 3000, MAX_POINTS);
        for index in 0..3 {
            thin.add_part(Part::Bucket(index), &buckets);
        }
        let expected = [(0, -7.0), (900, 8.0), (1000, 9.0), (1900, 0.5), (2000, 3.0)];
        assert_eq!(thin.finish(), expected.map(|(time_ms, value)| Point { time_ms, value }));
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let mut thin = Thin::new(0, 3000, MAX_POINTS);
        let points = [0, 1000, 2000, 3000].map(|time_ms| Point { time_ms, value: 1.0 });
        for point in points {
            thin.add(point);
        }
        assert_eq!(thin.finish(), points);
    }
}
