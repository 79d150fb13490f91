//! The newest values of every series, in memory: what the live interface reads each second.

use std::collections::HashMap;
use std::sync::PoisonError;

use barograph_model::{Batch, Labels};
use tokio::sync::watch;
use tracing_mutex::stdsync::{RwLock, RwLockReadGuard};

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
    metrics: Vec<Metric>,
    by_name: HashMap<String, usize>,
    /// Metric and place of labels by where they lie in memory: a source that reports again and
    /// again hands over the same ones, and their text need not be looked at. An entry may be
    /// stale; whoever uses it checks.
    by_address: HashMap<usize, (usize, usize)>,
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
            match self.known(&sample.labels) {
                Some(entry) => entry.take(point),
                None => self.put(&sample.labels, point),
            }
        }
        if batch.time_ms / Latest::CLEAN_EVERY_MS != last_ms / Latest::CLEAN_EVERY_MS {
            self.forget_before(batch.time_ms - Latest::FORGET_AFTER_MS);
        }
    }

    /// The entry that holds these very labels.
    fn known(&mut self, labels: &Labels) -> Option<&mut Entry> {
        let (metric, place) = *self.by_address.get(&address(labels))?;
        let entry = self.metrics.get_mut(metric)?.entries.get_mut(place)?;
        Some(entry).filter(|entry| address(&entry.labels) == address(labels))
    }

    fn put(&mut self, labels: &Labels, point: Point) {
        let name = labels.name();
        let known = self.by_name.get(name).copied();
        let number = known.unwrap_or_else(|| {
            self.by_name.insert(name.to_owned(), self.metrics.len());
            self.metrics.push(Metric::default());
            self.metrics.len() - 1
        });
        let (place, is_new) = self.metrics[number].put(labels, point);
        self.by_address.insert(address(labels), (number, place));
        self.generation += u64::from(is_new);
    }

    fn forget_before(&mut self, time_ms: i64) {
        let mut forgotten = false;
        for metric in &mut self.metrics {
            forgotten |= metric.forget_before(time_ms);
        }
        if forgotten {
            let mut metrics = std::mem::take(&mut self.metrics);
            self.by_name.retain(|_, number| {
                let metric = std::mem::take(&mut metrics[*number]);
                *number = self.metrics.len();
                let is_kept = !metric.entries.is_empty();
                self.metrics.extend(is_kept.then_some(metric));
                is_kept
            });
        }
        // Also what came once and lies elsewhere by now.
        self.by_address.clear();
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
        let metric = self.by_name.get(metric).and_then(|number| self.metrics.get(*number));
        metric.map_or(&[], |metric| metric.entries.as_slice())
    }

    pub(crate) fn series_count(&self) -> usize {
        self.metrics.iter().map(|metric| metric.entries.len()).sum()
    }
}

impl Metric {
    /// The place of the series, and whether it is new.
    fn put(&mut self, labels: &Labels, point: Point) -> (usize, bool) {
        let place = self.places.get(labels).copied();
        if let Some((place, entry)) = place.and_then(|at| Some((at, self.entries.get_mut(at)?))) {
            // Those of the newest report are the ones that come again.
            entry.labels = labels.clone();
            entry.take(point);
            return (place, false);
        }
        self.places.insert(labels.clone(), self.entries.len());
        self.entries.push(Entry { labels: labels.clone(), now: point, before: None });
        (self.entries.len() - 1, true)
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

/// Where labels lie, as long as somebody holds them.
fn address(labels: &Labels) -> usize {
    labels.encoded().as_ptr().addr()
}

impl Entry {
    fn take(&mut self, point: Point) {
        self.before = Some(self.now);
        self.now = point;
    }

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
    fn series_are_the_same_by_their_text_wherever_it_lies() {
        let latest = Latest::new();
        let first = batch(1000, &[("0", 1.0), ("1", 5.0)]);
        latest.publish(&first);
        latest.publish(&Batch { time_ms: 2000, ..first.clone() });
        latest.publish(&batch(3000, &[("1", 7.0), ("0", 3.0)]));
        latest.publish(&Batch { time_ms: 4000, ..first });
        let table = latest.read();
        assert_eq!(table.series_count(), 2);
        let values: Vec<_> = table.entries("m").iter().map(|e| (e.now.value, e.before)).collect();
        let before = |value| Some(Point { time_ms: 3000, value });
        assert_eq!(values, [(1.0, before(3.0)), (5.0, before(7.0))]);
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
