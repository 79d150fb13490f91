//! What the history takes, what it will take, and when that is too much.

use std::sync::Arc;

use crate::partition::{Partition, PartitionState};
use crate::retention::{Keep, millis};
use crate::shared::Shared;
use crate::stats::Stats;
use crate::sync::read;
use crate::tiers::{Tier, TierFile, TierFiles};

const DAY_MS: f64 = 86_400_000.0;
const HOUR_MS: i64 = 3_600_000;
/// Complete files from which growth is told: a week of days, so that weekends count as such.
const LATELY: usize = 7;
/// About what a bucket of a host's metrics takes: 4 in files of a whole day, 10 in one of an hour.
const BUCKET_BYTES: f64 = 5.0;
/// Farther ahead nobody knows.
const HORIZON_DAYS: u32 = 3660;

/// How a tier is doing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierStats {
    pub tier: Tier,
    pub files: u64,
    pub bytes: u64,
    /// Samples, or buckets.
    pub samples: u64,
    /// Times of the oldest and newest of them, in milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    pub newest_ms: Option<i64>,
    pub keep: Keep,
    /// What a day adds, by the last complete files; nothing while that cannot be told.
    pub bytes_per_day: Option<f64>,
}

/// What is to be expected if it goes on like this.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outlook {
    /// What the whole history comes to once as much expires as is added. Nothing when some of it
    /// is kept forever, or growth cannot be told.
    pub steady_bytes: Option<f64>,
    /// In how many days the disk is full; nothing when it never is within ten years.
    pub disk_full_days: Option<f64>,
}

impl TierStats {
    /// In how many days the tier has reached its largest size, from when on its files go before
    /// their age. Nothing when they go by their age.
    pub fn full_days(&self) -> Option<f64> {
        let (max, rate) = (self.keep.bytes? as f64, self.bytes_per_day?);
        let by_age = self.keep.age.map(|age| rate * age.as_secs_f64() * 1000.0 / DAY_MS);
        if rate <= 0.0 || by_age.is_some_and(|bytes| bytes <= max) {
            return None;
        }
        Some(((max - self.bytes as f64) / rate).max(0.0))
    }

    /// What it comes to.
    fn steady_bytes(&self) -> Option<f64> {
        let rate = self.bytes_per_day?;
        let by_age = self.keep.age.map(|age| rate * millis(age) as f64 / DAY_MS);
        let by_size = self.keep.bytes.map(|bytes| bytes as f64);
        by_age.into_iter().chain(by_size).min_by(f64::total_cmp)
    }

    fn bytes_after(&self, days: f64) -> f64 {
        let bytes = self.bytes as f64;
        let grown = bytes + self.bytes_per_day.unwrap_or(0.0) * days;
        grown.min(self.steady_bytes().unwrap_or(f64::INFINITY).max(bytes))
    }
}

impl Stats {
    /// The time of the oldest that any tier has: what has expired as samples is still there as
    /// buckets.
    pub fn begins_ms(&self) -> Option<i64> {
        self.tiers.iter().filter_map(|tier| tier.oldest_ms).min()
    }

    /// What is to be expected, with so much room on the disk.
    pub fn outlook(&self, free_bytes: Option<u64>) -> Outlook {
        let now: f64 = self.tiers.iter().map(|tier| tier.bytes as f64).sum();
        let after = |days: u32| -> f64 {
            self.tiers.iter().map(|tier| tier.bytes_after(f64::from(days))).sum()
        };
        let grows = self.tiers.iter().any(|tier| tier.bytes_per_day.is_some());
        let disk_full_days = free_bytes.filter(|_| grows).and_then(|free| {
            (0..=HORIZON_DAYS).find(|days| after(*days) - now >= free as f64).map(f64::from)
        });
        let steady: Option<Vec<f64>> = self.tiers.iter().map(TierStats::steady_bytes).collect();
        Outlook { steady_bytes: steady.map(|bytes| bytes.iter().sum()), disk_full_days }
    }
}

impl Shared {
    pub(crate) fn tier_stats(&self) -> Vec<TierStats> {
        let partitions: Vec<_> = read(&self.partitions).values().cloned().collect();
        let complete = partitions
            .iter()
            .rev()
            .filter(|partition| matches!(partition.state(), PartitionState::Final(_)))
            .map(|partition| (partition.bytes(), partition.span.end_ms - partition.span.start_ms));
        let mut raw = self.stats_of(Tier::Raw, partitions.iter().map(|one| &**one));
        raw.bytes_per_day = per_day(complete).or_else(|| raw.per_day_so_far());
        let rolled_up = self.tiers.iter().map(|tier| self.rolled_up_stats(tier, &partitions));
        std::iter::once(raw).chain(rolled_up).collect()
    }

    fn rolled_up_stats(&self, tier: &TierFiles, raw: &[Arc<Partition>]) -> TierStats {
        let files = tier.all();
        let is_whole =
            |file: &&TierFile| matches!(file.partition.state(), PartitionState::Final(_));
        let complete = files.iter().rev().map(|(_, file)| file).filter(is_whole).map(|file| {
            let lengths = file.covers.iter().map(|one| one.span.end_ms - one.span.start_ms);
            (file.partition.bytes(), lengths.sum())
        });
        let bytes_per_day = per_day(complete).or_else(|| self.expected_per_day(tier.tier, raw));
        let partitions = files.iter().map(|(_, file)| &*file.partition);
        TierStats { bytes_per_day, ..self.stats_of(tier.tier, partitions) }
    }

    /// What a day will add to a tier while nothing is so old: a bucket of each series in each
    /// stretch of time, and no more buckets than samples.
    fn expected_per_day(&self, tier: Tier, raw: &[Arc<Partition>]) -> Option<f64> {
        let due_ms = self.settings.rolled_up_after_ms(tier).min(self.raw_age_ms);
        if self.settings.retention.keep(tier).age.is_some_and(|age| millis(age) <= due_ms) {
            return Some(0.0);
        }
        let is_final = |raw: &&Arc<Partition>| matches!(raw.state(), PartitionState::Final(_));
        let newest = raw.iter().rev().find(is_final)?;
        let facts = newest.facts().first().copied()?;
        let span_ms = newest.span.end_ms - newest.span.start_ms;
        let stretches = u64::try_from(span_ms / tier.width_ms()).unwrap_or_default();
        let buckets = facts.series.saturating_mul(stretches).min(facts.samples);
        Some(buckets as f64 * BUCKET_BYTES * DAY_MS / span_ms as f64)
    }

    fn stats_of<'a>(
        &self,
        tier: Tier,
        partitions: impl Iterator<Item = &'a Partition>,
    ) -> TierStats {
        let keep = self.settings.retention.keep(tier);
        let mut stats = TierStats {
            tier,
            files: 0,
            bytes: 0,
            samples: 0,
            oldest_ms: None,
            newest_ms: None,
            keep,
            bytes_per_day: None,
        };
        for facts in partitions.flat_map(Partition::facts) {
            stats.files += 1;
            stats.bytes += facts.bytes;
            stats.samples += facts.samples;
            if let Some((first_ms, last_ms)) = facts.range_ms {
                stats.oldest_ms = Some(stats.oldest_ms.unwrap_or(first_ms).min(first_ms));
                stats.newest_ms = Some(stats.newest_ms.unwrap_or(last_ms).max(last_ms));
            }
        }
        stats
    }
}

impl TierStats {
    /// Before the first partition is complete: what is there by the time it took, if that is an
    /// hour at least. Too much rather than too little, as the final form is denser.
    fn per_day_so_far(&self) -> Option<f64> {
        let span_ms = self.newest_ms? - self.oldest_ms?;
        (span_ms >= HOUR_MS).then(|| self.bytes as f64 * DAY_MS / span_ms as f64)
    }
}

/// From sizes and lengths in time, the newest first.
fn per_day(files: impl Iterator<Item = (u64, i64)>) -> Option<f64> {
    let (bytes, span_ms) =
        files.take(LATELY).fold((0, 0), |sums, file| (sums.0 + file.0, sums.1 + file.1));
    (span_ms > 0).then(|| bytes as f64 * DAY_MS / span_ms as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn tier(tier: Tier, bytes: u64, per_day: f64, keep: Keep) -> TierStats {
        TierStats {
            tier,
            files: 1,
            bytes,
            samples: 1,
            oldest_ms: None,
            newest_ms: None,
            keep,
            bytes_per_day: Some(per_day),
        }
    }

    #[test]
    fn the_disk_is_full_when_growth_has_taken_what_is_free() {
        let raw = tier(Tier::Raw, 1000, 100.0, Keep { age: Some(30 * DAY), bytes: None });
        let hours = tier(Tier::Hours, 10, 1.0, Keep::default());
        let stats = Stats { tiers: vec![raw, hours], ..Stats::default() };
        // Samples grow for 20 more days and then no more, hours go on.
        assert_eq!(stats.outlook(Some(1010)).disk_full_days, Some(10.0));
        assert_eq!(stats.outlook(Some(2100)).disk_full_days, Some(100.0));
        assert_eq!(stats.outlook(Some(1_000_000)).disk_full_days, None);
        assert_eq!(stats.outlook(None), Outlook::default());
        let bounded = Stats { tiers: vec![raw], ..Stats::default() };
        let outlook = bounded.outlook(Some(10_000));
        assert_eq!(outlook, Outlook { steady_bytes: Some(3000.0), disk_full_days: None });
    }

    #[test]
    fn a_size_is_reached_before_the_age_or_never() {
        let keep = |bytes| Keep { age: Some(30 * DAY), bytes: Some(bytes) };
        assert_eq!(tier(Tier::Raw, 1000, 100.0, keep(2000)).full_days(), Some(10.0));
        assert_eq!(tier(Tier::Raw, 1000, 100.0, keep(3000)).full_days(), None);
        assert_eq!(tier(Tier::Raw, 5000, 100.0, keep(2000)).full_days(), Some(0.0));
        assert_eq!(tier(Tier::Raw, 5000, 100.0, Keep::default()).full_days(), None);
    }

    #[test]
    fn growth_is_told_from_the_last_complete_files() {
        let day_ms = 86_400_000;
        assert_eq!(per_day([].into_iter()), None);
        assert_eq!(per_day([(100, day_ms), (300, day_ms)].into_iter()), Some(200.0));
        let many = (0..20).map(|index| (if index < 7 { 10 } else { 1000 }, day_ms));
        assert_eq!(per_day(many), Some(10.0));
    }
}
