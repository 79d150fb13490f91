//! What a program holds in its hand: handles that count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A float that threads share.
#[derive(Debug, Default)]
pub(crate) struct Cell(AtomicU64);

impl Cell {
    pub(crate) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    fn add(&self, amount: f64) {
        let sum = |bits| Some((f64::from_bits(bits) + amount).to_bits());
        // It goes on until it succeeds.
        self.0.fetch_update(Relaxed, Relaxed, sum).unwrap_or_default();
    }
}

/// What only grows: orders taken, bytes written.
#[derive(Debug, Clone, Default)]
pub struct Counter(pub(crate) Arc<Cell>);

impl Counter {
    pub fn increment(&self) {
        self.0.add(1.0);
    }

    /// A negative amount, or one that is not finite, counts nothing: a counter never falls.
    pub fn add(&self, amount: f64) {
        if amount.is_finite() && amount > 0.0 {
            self.0.add(amount);
        }
    }

    pub fn value(&self) -> f64 {
        self.0.get()
    }
}

/// What goes up and down: a queue's length, a temperature.
#[derive(Debug, Clone, Default)]
pub struct Gauge(pub(crate) Arc<Cell>);

impl Gauge {
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    /// Down, with a negative amount.
    pub fn add(&self, amount: f64) {
        self.0.add(amount);
    }

    pub fn value(&self) -> f64 {
        self.0.get()
    }
}

/// How often values fell below which bounds: latencies, sizes.
#[derive(Debug, Clone)]
pub struct Histogram(pub(crate) Arc<Buckets>);

#[derive(Debug)]
pub(crate) struct Buckets {
    pub(crate) bounds: Box<[f64]>,
    /// One more than bounds: the last has what is above all of them.
    counts: Box<[AtomicU64]>,
    pub(crate) sum: Cell,
}

impl Histogram {
    pub(crate) fn new(bounds: &[f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds: bounds.into(), counts, sum: Cell::default() }))
    }

    /// What is not a number is not counted: it is in no bucket, and would make the sum useless.
    pub fn observe(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        let at = self.0.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.0.counts.get(at) {
            count.fetch_add(1, Relaxed);
        }
        self.0.sum.add(value);
    }

    /// In seconds.
    pub fn observe_duration(&self, took: Duration) {
        self.observe(took.as_secs_f64());
    }

    pub fn count(&self) -> u64 {
        self.0.totals().last().copied().unwrap_or_default()
    }

    pub fn sum(&self) -> f64 {
        self.0.sum.get()
    }
}

impl Buckets {
    /// Values up to each bound, and at last all of them. Read once, so that the count is never
    /// another than that of the last bucket.
    pub(crate) fn totals(&self) -> Vec<u64> {
        let mut total = 0;
        let add = |count: &AtomicU64| {
            total += count.load(Relaxed);
            total
        };
        self.counts.iter().map(add).collect()
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums of few small numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn counters_never_fall_and_gauges_do() {
        let counter = Counter::default();
        counter.increment();
        for amount in [2.5, -1.0, f64::NAN, f64::INFINITY] {
            counter.add(amount);
        }
        assert_eq!(counter.value(), 3.5);
        let gauge = Gauge::default();
        gauge.set(5.0);
        gauge.add(-7.0);
        assert_eq!(gauge.value(), -2.0);
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::new(&[1.0, 2.0]);
        for value in [1.0, 1.5, 2.0, 9.0, -3.0, f64::NAN] {
            histogram.observe(value);
        }
        histogram.observe_duration(Duration::from_millis(500));
        assert_eq!(histogram.0.totals(), [3, 5, 6]);
        assert_eq!((histogram.count(), histogram.sum()), (6, 11.0));
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let counter = Counter::default();
        let histogram = Histogram::new(&[1.0]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        counter.add(0.5);
                        histogram.observe(2.0);
                    }
                });
            }
        });
        assert_eq!(counter.value(), 20_000.0);
        assert_eq!((histogram.count(), histogram.sum()), (40_000, 80_000.0));
    }
}
