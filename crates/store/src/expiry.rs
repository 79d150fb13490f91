//! Deletes what is older, or more, than is to be kept.
//!
//! Samples go when the tiers that are kept longer have their buckets, file by file. Where rules
//! keep some series longer than others, a file is written anew without those whose time is over, at
//! each such age once; it keeps its identity, so that its buckets stay the ones made from it.

use std::sync::Arc;
use std::time::Duration;

use crate::error::SealError;
use crate::output::Manners;
use crate::partition::{Partition, PartitionState};
use crate::reduce::{Reduced, reduce};
use crate::shared::Shared;
use crate::span::Span;
use crate::stats::count;
use crate::sync::{lock, read, write};
use crate::tiers::{Cover, Tier, TierFile, TierFiles};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How long a clock that leapt ahead is not believed: until it is set right, or people would know.
const DISTRUST: Duration = Duration::from_secs(3600);

/// Watches the clock: what it says deletes years.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch {
    last: Option<(i64, Duration)>,
    distrust_until: Duration,
}

impl ClockWatch {
    /// Whether the clock can be believed now.
    fn believes(&mut self, now_ms: i64, now: Duration, newest_ms: Option<i64>) -> bool {
        let leapt = match self.last {
            Some((last_ms, last)) => {
                let went = i64::try_from(now.saturating_sub(last).as_millis()).unwrap_or(i64::MAX);
                now_ms.saturating_sub(last_ms).saturating_sub(went) > HOUR_MS
            }
            // At the start: has it been off for long, or is its clock wrong?
            None => newest_ms.is_some_and(|newest_ms| now_ms.saturating_sub(newest_ms) > DAY_MS),
        };
        if leapt {
            self.distrust_until = now + DISTRUST;
        }
        self.last = Some((now_ms, now));
        now >= self.distrust_until
    }
}

/// Deletes what is due.
pub(crate) fn expire(shared: &Shared) -> Result<(), SealError> {
    let (now_ms, now) = (shared.clock.now_ms(), shared.clock.monotonic());
    let newest_ms = newest_ms(shared);
    if lock(&shared.clock_watch).believes(now_ms, now, newest_ms) {
        by_age(shared, now_ms)?;
    }
    by_bytes(shared, now_ms);
    forget(shared);
    Ok(())
}

fn newest_ms(shared: &Shared) -> Option<i64> {
    let partitions = read(&shared.partitions);
    let facts = partitions.values().flat_map(|partition| partition.facts());
    facts.filter_map(|facts| Some(facts.range_ms?.1)).max()
}

/// The oldest first, as long as there are any due.
fn by_age(shared: &Shared, now_ms: i64) -> Result<(), SealError> {
    for partition in shared.overlapping(i64::MIN, i64::MAX) {
        let old_ms = now_ms.saturating_sub(partition.span.end_ms);
        if !is_due(shared, Tier::Raw, &partition, old_ms) {
            continue;
        }
        if is_rolled_up(shared, &partition, now_ms) {
            retire(shared, Tier::Raw, &partition, &[], old_ms)?;
        }
    }
    for tier in &shared.tiers {
        for (span, file) in tier.all() {
            let old_ms = now_ms.saturating_sub(span.end_ms);
            if !is_due(shared, tier.tier, &file.partition, old_ms) {
                continue;
            }
            if file.problem.is_some() {
                // Nobody can read it, so only its end is waited for.
                if !shared.settings.retention.keeps_any(tier.tier, old_ms) {
                    remove_file(shared, tier, span, &file);
                }
            } else {
                retire(shared, tier.tier, &file.partition, &file.covers, old_ms)?;
            }
            if matches!(file.partition.state(), PartitionState::Empty) {
                tier.remove(span);
            }
        }
    }
    Ok(())
}

/// How many of a tier's ages are passed.
fn passed_ages(shared: &Shared, tier: Tier, old_ms: i64) -> usize {
    let ages = shared.settings.retention.ages(tier);
    ages.iter().filter(|age| **age <= old_ms).count()
}

fn is_due(shared: &Shared, tier: Tier, partition: &Partition, old_ms: i64) -> bool {
    let passed = passed_ages(shared, tier, old_ms);
    passed > 0 && !partition.has_passed(passed)
}

/// Whether all tiers that are kept longer have the buckets of a partition's final form.
fn is_rolled_up(shared: &Shared, partition: &Partition, now_ms: i64) -> bool {
    let Some(uuid) = partition.state().uuid() else { return false };
    let retention = &shared.settings.retention;
    shared.tiers.iter().all(|tier| {
        !tier.wants(partition.span, retention, now_ms)
            || tier.covering(partition.span).is_some_and(|(_, covered)| covered == uuid)
    })
}

/// Deletes a file, or the series in it whose time is over.
fn retire(
    shared: &Shared,
    tier: Tier,
    partition: &Partition,
    covers: &[Cover],
    old_ms: i64,
) -> Result<(), SealError> {
    let retention = &shared.settings.retention;
    if !retention.keeps_any(tier, old_ms) {
        delete(shared, tier, partition);
        return Ok(());
    }
    let keeps = |labels: &_| retention.keeps(tier, labels, old_ms);
    let manners = Manners { stop: &shared.stop, clock: &*shared.clock };
    match reduce(partition, tier, covers, &keeps, manners)? {
        Reduced::Stopped => return Ok(()),
        Reduced::NoneKept => {
            delete(shared, tier, partition);
            return Ok(());
        }
        Reduced::Done => count(&shared.counters.reductions, 1),
        Reduced::AllKept | Reduced::LeftAlone => {}
    }
    partition.pass(passed_ages(shared, tier, old_ms));
    note(shared, tier, partition);
    Ok(())
}

fn delete(shared: &Shared, tier: Tier, partition: &Partition) {
    let files = partition.kinds().len() as u64;
    if partition.expire() {
        count(&shared.counters.expired_files, files);
        note(shared, tier, partition);
    }
}

fn note(shared: &Shared, tier: Tier, partition: &Partition) {
    if tier == Tier::Raw && partition.is_settled() {
        shared.note_settled(partition.span);
    }
}

fn remove_file(shared: &Shared, tier: &TierFiles, span: Span, file: &TierFile) {
    tier.remove(span);
    delete(shared, tier.tier, &file.partition);
}

/// The oldest first, until the rest fits.
fn by_bytes(shared: &Shared, now_ms: i64) {
    let retention = &shared.settings.retention;
    if let Some(max) = retention.raw.bytes {
        let partitions = shared.overlapping(i64::MIN, i64::MAX);
        let sizes: Vec<u64> = partitions.iter().map(|partition| partition.bytes()).collect();
        let mut bytes: u64 = sizes.iter().sum();
        for (partition, size) in partitions.iter().zip(sizes) {
            if bytes <= max {
                break;
            }
            if is_rolled_up(shared, partition, now_ms) {
                delete(shared, Tier::Raw, partition);
                bytes -= size;
            }
        }
    }
    for tier in &shared.tiers {
        let Some(max) = retention.keep(tier.tier).bytes else { continue };
        let files = tier.all();
        let mut bytes: u64 = files.iter().map(|(_, file)| file.partition.bytes()).sum();
        // The newest is still written to, so it stays.
        let older = files.split_last().map(|(_, older)| older).unwrap_or_default();
        for (span, file) in older {
            if bytes <= max {
                break;
            }
            bytes -= file.partition.bytes().min(bytes);
            tier.raise_floor(*span);
            remove_file(shared, tier, *span, file);
        }
    }
}

/// Forgets partitions of which nothing is left at all.
fn forget(shared: &Shared) {
    let is_over = |partition: &Arc<Partition>| {
        partition.is_settled()
            && partition.state() == PartitionState::Empty
            && shared.tiers.iter().all(|tier| tier.covering(partition.span).is_none())
    };
    if read(&shared.partitions).values().any(is_over) {
        write(&shared.partitions).retain(|_, partition| !is_over(partition));
    }
}
