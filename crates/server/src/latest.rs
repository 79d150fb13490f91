//! The newest values of every series, in memory: what the live interface reads each second.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use barograph_model::{Batch, Labels};
use tokio::sync::watch;

use crate::point::{Point, holds_for_ms};

/// The newest two points of every series that is still reported, and who waits for the next.
#[derive(Debug)]
pub struct Latest {
    table: RwLock<Table>,
    published: watch::Sender<i64>,
}

/// All series by metric. Series of a metric keep their place until the generation changes.
#[derive(Debug, Default)]
pub(crate) struct Table {
    metrics: HashMap<String, Metric>,
    /// Grows whenever a series was added or removed.
    generation: u64,
    time_ms: i64,
}

#[derive(Debug, Default)]
struct Metric {
    entries: Vec<Entry>,
    places: HashMap<Labels, usize>,
}

/// One series.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) labels: Labels,
    pub(crate) now: Point,
    pub(crate) before: Option<Point>,
}

impl Latest {
    /// A series that was not reported for this long is forgotten here (its history stays).
    const FORGET_AFTER_MS: i64 = 5 * 60 * 1000;
    const CLEAN_EVERY_MS: i64 = 60 * 1000;

    pub fn new() -> Self {
        Self { table: RwLock::default(), published: watch::Sender::new(0) }
    }

    /// Takes a batch in and tells the waiting.
    pub fn publish(&self, batch: &Batch) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.apply(batch);
        drop(table);
        self.published.send_replace(batch.time_ms);
    }

    /// A receiver that sees the time of each batch; one that is slow sees only the newest.
    pub(crate) fn watch(&self) -> watch::Receiver<i64> {
        self.published.subscribe()
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Latest {
    fn default() -> Self {
        Self::new()
    }
}

impl Table {
    fn apply(&mut self, batch: &Batch) {
        let last_ms = std::mem::replace(&mut self.time_ms, batch.time_ms);
        for sample in &batch.samples {
            let point = Point { time_ms: batch.time_ms, value: sample.value };
            let name = sample.labels.name();
            let metric = match self.metrics.get_mut(name) {
                Some(metric) => metric,
                None => self.metrics.entry(name.to_owned()).or_default(),
            };
            self.generation += u64::from(metric.put(&sample.labels, point));
        }
        if batch.time_ms / Latest::CLEAN_EVERY_MS != last_ms / Latest::CLEAN_EVERY_MS {
            self.forget_before(batch.time_ms - Latest::FORGET_AFTER_MS);
        }
    }

    fn forget_before(&mut self, time_ms: i64) {
        let mut forgotten = false;
        self.metrics.retain(|_, metric| {
            forgotten |= metric.forget_before(time_ms);
            !metric.entries.is_empty()
        });
        self.generation += u64::from(forgotten);
    }

    /// The time of the newest batch, 0 before the first.
    pub(crate) fn time_ms(&self) -> i64 {
        self.time_ms
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// The series of a metric, in a fixed order within one generation.
    pub(crate) fn entries(&self, metric: &str) -> &[Entry] {
        self.metrics.get(metric).map_or(&[], |metric| metric.entries.as_slice())
    }

    pub(crate) fn series_count(&self) -> usize {
        self.metrics.values().map(|metric| metric.entries.len()).sum()
    }
}

impl Metric {
    /// Whether the series is new.
    fn put(&mut self, labels: &Labels, point: Point) -> bool {
        let place = self.places.get(labels).copied();
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) {
            entry.before = Some(entry.now);
            entry.now = point;
            return false;
        }
        self.places.insert(labels.clone(), self.entries.len());
        self.entries.push(Entry { labels: labels.clone(), now: point, before: None });
        true
    }

    /// Whether a series was forgotten.
    fn forget_before(&mut self, time_ms: i64) -> bool {
        let count = self.entries.len();
        self.entries.retain(|entry| entry.now.time_ms >= time_ms);
        if self.entries.len() == count {
            return false;
        }
        self.places = self.entries.iter().enumerate().map(|(i, e)| (e.labels.clone(), i)).collect();
        true
    }
}

impl Entry {
    /// The value that stands at `time_ms`: the newest one, unless a newer one is overdue.
    pub(crate) fn value_at(&self, time_ms: i64, rate: bool) -> Option<f64> {
        /// For a series with one sample, whose interval nobody knows yet.
        const FIRST_SPACING_MS: i64 = 10_000;
        let spacing_ms =
            self.before.map_or(FIRST_SPACING_MS, |before| self.now.time_ms - before.time_ms);
        let age_ms = time_ms - self.now.time_ms;
        if age_ms > 0 && age_ms >= holds_for_ms(spacing_ms.min(Point::MAX_RATE_GAP_MS)) {
            return None;
        }
        if rate {
            self.now.rate_since(self.before?)
        } else {
            Some(self.now.value).filter(|value| value.is_finite())
        }
    }
}

#[cfg(test)]
mod tests {
    use barograph_model::{METRIC_NAME, Sample};

    use super::*;

    fn batch(time_ms: i64, values: &[(&str, f64)]) -> Batch {
        let sample = |(cpu, value): &(&str, f64)| Sample {
            labels: Labels::new([(METRIC_NAME, "m"), ("cpu", cpu)]).unwrap(),
            value: *value,
        };
        Batch { time_ms, samples: values.iter().map(sample).collect() }
    }

    #[test]
    fn two_batches_give_values_and_rates() {
        let latest = Latest::new();
        latest.publish(&batch(1000, &[("0", 1.0), ("1", 5.0)]));
        latest.publish(&batch(2000, &[("1", 8.0), ("0", 1.5)]));
        let table = latest.read();
        let values: Vec<_> = table
            .entries("m")
            .iter()
            .map(|e| (e.value_at(2000, false), e.value_at(2000, true)))
            .collect();
        assert_eq!(values, [(Some(1.5), Some(0.5)), (Some(8.0), Some(3.0))]);
    }

    #[test]
    fn generation_grows_with_new_and_forgotten_series_only() {
        let latest = Latest::new();
        latest.publish(&batch(60_000, &[("0", 1.0)]));
        let first = latest.read().generation();
        latest.publish(&batch(61_000, &[("0", 1.0)]));
        assert_eq!(latest.read().generation(), first);
        latest.publish(&batch(62_000, &[("0", 1.0), ("1", 1.0)]));
        assert_eq!(latest.read().generation(), first + 1);
        latest.publish(&batch(480_000, &[("0", 1.0)]));
        assert_eq!(latest.read().generation(), first + 2);
        assert_eq!(latest.read().series_count(), 1);
    }

    #[test]
    fn slow_series_hold_their_value_until_the_next_is_overdue() {
        let latest = Latest::new();
        latest.publish(&batch(0, &[("0", 1.0)]));
        latest.publish(&batch(10_000, &[("0", 2.0)]));
        let entry = latest.read().entries("m").first().cloned().unwrap();
        assert_eq!(entry.value_at(19_000, false), Some(2.0));
        assert_eq!(entry.value_at(25_000, false), None);
    }

    #[test]
    fn waiting_receivers_see_the_newest_time() {
        let latest = Latest::new();
        let receiver = latest.watch();
        latest.publish(&batch(1000, &[]));
        latest.publish(&batch(2000, &[]));
        assert_eq!(*receiver.borrow(), 2000);
    }
}
