//! How StatsD's measurements are put together.

use std::time::Duration;

/// What becomes of counters, gauges, sets and distributions.
#[derive(Debug, Clone, PartialEq)]
pub struct StatsdSettings {
    /// How often what has come together is written.
    pub flush_interval: Duration,
    /// What gets no measurement for this long ends.
    pub expiry: Duration,
    /// Of timers and histograms, over each interval; not used when there are buckets.
    pub quantiles: Vec<f64>,
    /// Upper bounds of classic buckets, ascending, in seconds for timers. Empty: quantiles.
    pub buckets: Vec<f64>,
}

impl Default for StatsdSettings {
    fn default() -> Self {
        Self {
            flush_interval: Duration::from_secs(10),
            expiry: Duration::from_secs(5 * 60),
            quantiles: vec![0.5, 0.9, 0.95, 0.99],
            buckets: Vec::new(),
        }
    }
}
