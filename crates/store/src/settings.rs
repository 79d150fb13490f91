//! What the owner of a store may choose.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::OpenError;
use crate::retention::{Retention, millis};
use crate::span::Span;
use crate::tiers::Tier;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything that [`crate::Store::open`] takes, with defaults for all but the folder.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder; created when it does not exist.
    pub dir: PathBuf,
    /// Length of a partition, a whole number of hours up to 31 days. An existing folder keeps
    /// the length that it was made with.
    pub partition: Duration,
    /// Samples older than this are refused and counted. `None`: no bound.
    pub late_window: Option<Duration>,
    /// How long what is kept.
    pub retention: Retention,
    /// Samples further ahead of the clock than this are refused and counted: one broken clock
    /// must not open a partition per sample.
    pub future_window: Duration,
    /// Series in all open partitions together, and in one partition.
    pub max_series: usize,
    /// The head is sealed when its oldest batch was committed this long ago, and its series have
    /// [`Settings::SEAL_SERIES_SAMPLES`] on average.
    pub seal_after: Duration,
    /// The head is sealed when its oldest batch was committed this long ago, in any case.
    pub seal_at_latest: Duration,
    /// The head is sealed when its batches take this much, plus [`Settings::SEAL_SERIES_BYTES`]
    /// per series, so that chunks of many series do not become too short.
    pub seal_bytes: u64,
    /// Appends are refused with "busy" when the heads, and what waits for the writer, would take
    /// more memory than this.
    pub max_head_bytes: u64,
    /// Samples that were asked for several times within a minute are kept decoded, as long as they
    /// take no more memory than this.
    pub decoded_bytes: usize,
    /// How long after its end a partition is closed.
    pub close_after: Duration,
    /// How long after its end a partition gets buckets of a minute: until then its samples answer
    /// everything. It gets them earlier when its samples are about to expire.
    pub minutes_after: Duration,
    /// The same for buckets of an hour.
    pub hours_after: Duration,
    /// How long an append waits for its turn before it is refused with "busy".
    pub busy_timeout: Duration,
    /// Appends that may wait for the writer.
    pub queue: usize,
    /// Partitions that are written to at the same time, each with about five open files: beyond
    /// them the one that got nothing for the longest is closed, and when that cannot be done in time
    /// and they are twice as many, appends are refused with "busy".
    pub live_partitions: usize,
    /// Sealed partitions that are kept open for readers.
    pub open_partitions: usize,
    /// The largest size of one partition's file; the disk's size when `None`.
    pub max_file_bytes: Option<u64>,
}

impl Settings {
    /// What each series adds to [`Settings::seal_bytes`]: about 200 samples.
    pub const SEAL_SERIES_BYTES: u64 = 640;

    /// Samples of a series that make a chunk good to compress.
    pub const SEAL_SERIES_SAMPLES: u64 = 256;

    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            partition: DAY,
            late_window: Some(DAY),
            retention: Retention::forever(),
            future_window: 2 * DAY,
            max_series: 1_000_000,
            seal_after: DAY / 144,
            seal_at_latest: DAY / 24,
            seal_bytes: 16 * 1024 * 1024,
            max_head_bytes: 1024 * 1024 * 1024,
            decoded_bytes: 16 * 1024 * 1024,
            close_after: Duration::from_secs(600),
            minutes_after: 30 * DAY,
            hours_after: 3 * DAY,
            busy_timeout: Duration::from_secs(10),
            queue: 64,
            live_partitions: 64,
            open_partitions: 8,
            max_file_bytes: None,
        }
    }

    /// The partition length in milliseconds, if all settings are in range.
    pub(crate) fn check(&self) -> Result<i64, OpenError> {
        let partition_ms = millis(self.partition);
        let checks = [
            ("partition", Span::allows(partition_ms), "whole hours from 1 h to 31 d"),
            ("queue", (1..=1_000_000).contains(&self.queue), "1 to 1,000,000"),
            ("max_series", (1..u32::MAX as usize).contains(&self.max_series), "1 to 4,294,967,294"),
            ("live_partitions", self.live_partitions >= 1, "1 or more"),
            ("open_partitions", self.open_partitions >= 1, "1 or more"),
        ];
        for (name, is_allowed, allowed) in checks {
            if !is_allowed {
                let value = match name {
                    "partition" => format!("{:?}", self.partition),
                    "queue" => self.queue.to_string(),
                    "max_series" => self.max_series.to_string(),
                    "live_partitions" => self.live_partitions.to_string(),
                    _ => self.open_partitions.to_string(),
                };
                return Err(OpenError::Setting { name, value, allowed });
            }
        }
        Ok(partition_ms)
    }

    /// How long after its end a partition is rolled up for a tier.
    pub(crate) fn rolled_up_after_ms(&self, tier: Tier) -> i64 {
        match tier {
            Tier::Raw => 0,
            Tier::Minutes => millis(self.minutes_after),
            Tier::Hours => millis(self.hours_after),
        }
    }
}

/// Bounds of one question.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// Series that may match.
    pub max_series: usize,
    /// Samples that may be read.
    pub max_samples: usize,
    /// Set it from another thread to end the reading with an error.
    pub cancel: Option<&'a std::sync::atomic::AtomicBool>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self { max_series: 100_000, max_samples: 50_000_000, cancel: None }
    }
}
