//! How the store is doing.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::growth::TierStats;

/// Counters since the store was opened, and its size now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    pub partitions: u64,
    /// Samples on disk and in the head, as far as partitions have been looked into; duplicates
    /// that were written apart count twice until they are rewritten.
    pub samples: u64,
    /// Series in the newest partition.
    pub series: u64,
    /// Series known in this process.
    pub known_series: u64,
    /// All files of the folder.
    pub disk_bytes: u64,
    pub head_samples: u64,
    pub head_bytes: u64,
    /// Memory that decoded samples take, for who asks for them again.
    pub decoded_bytes: u64,
    /// Transactions that stored samples; a group of appends is one.
    pub commits: u64,
    pub committed_samples: u64,
    pub commit_seconds_sum: f64,
    pub commit_seconds_max: f64,
    /// Appends that were refused because of an error.
    pub failed_commits: u64,
    /// Appends that were refused because the store was busy.
    pub busy: u64,
    pub seals: u64,
    pub failed_seals: u64,
    /// Complete imports that could not be taken up, each once.
    pub failed_imports: u64,
    /// Partitions that were given their final form.
    pub rewrites: u64,
    /// Files of tiers that were written.
    pub roll_ups: u64,
    pub seal_seconds_sum: f64,
    /// Panics in the store's threads: bugs. The threads go on.
    pub panics: u64,
    /// Chunks that failed their checksum when they were read.
    pub damaged_chunks: u64,
    /// Blocks that are missing or failed their checksum.
    pub damaged_blocks: u64,
    /// Batches that are missing or failed their checksum.
    pub damaged_batches: u64,
    /// Files that could not be opened or are none of the store's, each when it is met: at the
    /// start, and by questions.
    pub damaged_partitions: u64,
    /// Samples refused because there were too many series, or by an id that is not valid any
    /// more.
    pub refused_samples: u64,
    /// Samples refused because they were older than the window.
    pub late_samples: u64,
    /// Samples refused because those of their time have expired.
    pub too_old_samples: u64,
    /// Files deleted because their time was over, or the tier was too large.
    pub expired_files: u64,
    /// Files written anew without the series whose time was over.
    pub reductions: u64,
    /// Samples refused because they were further ahead than the window.
    pub future_samples: u64,
    /// Time of the oldest sample, in milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// Time of the newest sample, in milliseconds since 1970.
    pub newest_ms: Option<i64>,
    /// The same by tiers, samples first.
    pub tiers: Vec<TierStats>,
}

/// What is counted while the store works.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) committed_samples: AtomicU64,
    pub(crate) commit_nanos: AtomicU64,
    pub(crate) commit_nanos_max: AtomicU64,
    pub(crate) failed_commits: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) seals: AtomicU64,
    pub(crate) failed_seals: AtomicU64,
    pub(crate) failed_imports: AtomicU64,
    pub(crate) rewrites: AtomicU64,
    pub(crate) roll_ups: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) seal_nanos: AtomicU64,
    pub(crate) damaged_chunks: AtomicU64,
    pub(crate) damaged_blocks: AtomicU64,
    pub(crate) damaged_batches: AtomicU64,
    pub(crate) damaged_partitions: AtomicU64,
    pub(crate) refused_samples: AtomicU64,
    pub(crate) late_samples: AtomicU64,
    pub(crate) too_old_samples: AtomicU64,
    pub(crate) expired_files: AtomicU64,
    pub(crate) reductions: AtomicU64,
    pub(crate) future_samples: AtomicU64,
    pub(crate) head_bytes: AtomicU64,
    /// What the next steps of the heads take.
    pub(crate) head_reserve: AtomicU64,
    /// `i64::MIN` while there is none.
    pub(crate) newest_ms: AtomicI64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            commits: AtomicU64::default(),
            committed_samples: AtomicU64::default(),
            commit_nanos: AtomicU64::default(),
            commit_nanos_max: AtomicU64::default(),
            failed_commits: AtomicU64::default(),
            busy: AtomicU64::default(),
            seals: AtomicU64::default(),
            failed_seals: AtomicU64::default(),
            failed_imports: AtomicU64::default(),
            rewrites: AtomicU64::default(),
            roll_ups: AtomicU64::default(),
            panics: AtomicU64::default(),
            seal_nanos: AtomicU64::default(),
            damaged_chunks: AtomicU64::default(),
            damaged_blocks: AtomicU64::default(),
            damaged_batches: AtomicU64::default(),
            damaged_partitions: AtomicU64::default(),
            refused_samples: AtomicU64::default(),
            late_samples: AtomicU64::default(),
            too_old_samples: AtomicU64::default(),
            expired_files: AtomicU64::default(),
            reductions: AtomicU64::default(),
            future_samples: AtomicU64::default(),
            head_bytes: AtomicU64::default(),
            head_reserve: AtomicU64::default(),
            newest_ms: AtomicI64::new(i64::MIN),
        }
    }
}

pub(crate) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Counters {
    pub(crate) fn committed(&self, samples: u64, took: Duration) {
        count(&self.commits, 1);
        count(&self.committed_samples, samples);
        count(&self.commit_nanos, nanos(took));
        self.commit_nanos_max.fetch_max(nanos(took), Ordering::Relaxed);
    }

    /// How long a sealing takes on average.
    pub(crate) fn seal_time(&self) -> Duration {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Duration::from_nanos(get(&self.seal_nanos) / get(&self.seals).max(1))
    }

    /// The counters as they are now; the caller adds sizes.
    pub(crate) fn stats(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let seconds = |counter: &AtomicU64| Duration::from_nanos(get(counter)).as_secs_f64();
        let newest_ms = self.newest_ms.load(Ordering::Relaxed);
        Stats {
            commits: get(&self.commits),
            committed_samples: get(&self.committed_samples),
            commit_seconds_sum: seconds(&self.commit_nanos),
            commit_seconds_max: seconds(&self.commit_nanos_max),
            failed_commits: get(&self.failed_commits),
            busy: get(&self.busy),
            seals: get(&self.seals),
            failed_seals: get(&self.failed_seals),
            failed_imports: get(&self.failed_imports),
            rewrites: get(&self.rewrites),
            roll_ups: get(&self.roll_ups),
            panics: get(&self.panics),
            seal_seconds_sum: seconds(&self.seal_nanos),
            damaged_chunks: get(&self.damaged_chunks),
            damaged_blocks: get(&self.damaged_blocks),
            damaged_batches: get(&self.damaged_batches),
            damaged_partitions: get(&self.damaged_partitions),
            refused_samples: get(&self.refused_samples),
            late_samples: get(&self.late_samples),
            too_old_samples: get(&self.too_old_samples),
            expired_files: get(&self.expired_files),
            reductions: get(&self.reductions),
            future_samples: get(&self.future_samples),
            head_bytes: get(&self.head_bytes),
            newest_ms: (newest_ms != i64::MIN).then_some(newest_ms),
            ..Stats::default()
        }
    }
}
