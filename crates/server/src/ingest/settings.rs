//! How much each sender may send.

use std::time::Duration;

/// Bounds on what comes in from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestSettings {
    /// Series that one source may have. A series that gets no sample for an hour does not count.
    pub max_series: usize,
    /// Series that one source may begin on one day (UTC). It bounds what series with changing
    /// labels cost the day's partition, which keeps them all.
    pub max_new_series_per_day: usize,
    /// Samples further ahead of this machine's clock are refused: their sender's clock is wrong.
    pub future_window: Duration,
    /// Attributes of OTLP's resources that become labels of each series.
    pub promote_resource_attributes: Vec<String>,
    /// Bodies, as received and as unpacked, of all requests under way together.
    pub max_bytes_in_flight: usize,
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self {
            max_series: 100_000,
            max_new_series_per_day: 300_000,
            future_window: Duration::from_secs(60 * 60),
            promote_resource_attributes: Vec::new(),
            max_bytes_in_flight: 128 * 1024 * 1024,
        }
    }
}
