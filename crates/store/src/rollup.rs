//! Makes the tiers' files from final forms.
//!
//! Samples answer everything, so their buckets are made when they are needed: when a partition is so
//! old that long questions are rather asked than exact ones, or when its samples go soon. Whatever is
//! due then and is not covered, or from another final form, is rolled up: also what late samples
//! made new, what an earlier version left, what a kill interrupted. The new file is written beside
//! the old one and takes its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use barograph_model::{Buckets, Labels};

use crate::blocks::Damage;
use crate::buckets;
use crate::columns::{self, ALL_TIMES, Columns};
use crate::error::SealError;
use crate::folder::FileKind;
use crate::output::{Manners, Output, remove};
use crate::partition::{Partition, PartitionState};
use crate::retention::{Keep, Retention};
use crate::rewrite::places;
use crate::shared::Shared;
use crate::source::{Readers, Source};
use crate::span::Span;
use crate::stats::count;
use crate::sync::read;
use crate::tiers::{Cover, Tier, TierFile, TierFiles};

/// Rolls up what is due and not rolled up.
pub(crate) fn catch_up(shared: &Shared) -> Result<(), SealError> {
    let (now_ms, retention) = (shared.clock.now_ms(), &shared.settings.retention);
    let goes_soon_ms = goes_soon_ms(shared, now_ms);
    let mut outcome = Ok(());
    for tier in &shared.tiers {
        let old_enough_ms = now_ms.saturating_sub(shared.settings.rolled_up_after_ms(tier.tier));
        let due_ms = old_enough_ms.max(goes_soon_ms);
        let mut due: BTreeMap<Span, Vec<(Arc<Partition>, u64)>> = BTreeMap::new();
        for (raw, partition) in
            read(&shared.partitions).iter().filter(|(raw, _)| raw.end_ms <= due_ms)
        {
            let PartitionState::Final(uuid) = partition.state() else { continue };
            let is_covered = tier.covering(*raw).is_some_and(|(_, covered)| covered == uuid);
            if is_covered || !tier.wants(*raw, retention, now_ms) {
                continue;
            }
            let Some(span) = tier.span_of(*raw) else { continue };
            due.entry(span).or_default().push((Arc::clone(partition), uuid));
        }
        for (span, partitions) in due {
            if shared.stopping() {
                return outcome;
            }
            outcome = outcome.and(roll_up(shared, tier, span, &partitions));
        }
    }
    outcome
}

/// Samples that end up to here go soon, by age or by size. It is a partition's length ahead of
/// time: what goes first has its buckets before the disk is full, so that samples can be deleted then
/// without anything to write.
fn goes_soon_ms(shared: &Shared, now_ms: i64) -> i64 {
    let Retention { raw: Keep { bytes, .. }, .. } = shared.settings.retention;
    let ages = shared.settings.retention.ages(Tier::Raw);
    let first_age_ms = ages.first().copied().unwrap_or(i64::MAX);
    let by_age = now_ms.saturating_sub(first_age_ms).saturating_add(shared.folder.partition_ms);
    by_age.max(bytes.map_or(i64::MIN, |max| crowded_out_ms(shared, max)))
}

/// Up to where samples go when two more partitions like the largest have come.
fn crowded_out_ms(shared: &Shared, max: u64) -> i64 {
    let partitions = shared.overlapping(i64::MIN, i64::MAX);
    let sizes: Vec<u64> = partitions.iter().map(|partition| partition.bytes()).collect();
    let largest = sizes.iter().copied().max().unwrap_or_default();
    let room = max.saturating_sub(largest.saturating_mul(2));
    let mut taken = 0_u64;
    let mut newest_first = partitions.iter().zip(sizes).rev();
    let first_out = newest_first.find(|(_, size)| {
        taken = taken.saturating_add(*size);
        taken > room
    });
    first_out.map_or(i64::MIN, |(partition, _)| partition.span.end_ms)
}

/// Writes one file of a tier anew, with some partitions of raw samples in it.
fn roll_up(
    shared: &Shared,
    tier: &TierFiles,
    span: Span,
    raw: &[(Arc<Partition>, u64)],
) -> Result<(), SealError> {
    let old = tier.file(span);
    let partition = match &old {
        Some(old) => Arc::clone(&old.partition),
        None => Arc::new(Partition::new(span, tier.dir.clone())),
    };
    let number = partition.next_number();
    let path = partition.path(FileKind::Unfinished(number));
    let manners = Manners { stop: &shared.stop, clock: &*shared.clock };
    let now_ms = shared.clock.now_ms();
    let is_past = |raw: &Partition| shared.is_past(raw.span, now_ms);
    let mut work = Work {
        tier,
        manners,
        covers: Vec::new(),
        sources: Vec::new(),
        parts: Vec::new(),
        takes_damaged: raw.iter().any(|(raw, _)| is_past(raw)),
    };
    for (raw, uuid) in raw {
        work.add_raw(raw, *uuid);
    }
    work.add_old(old.as_ref());
    match work.write(&path, span) {
        Ok(true) => {}
        Ok(false) => return remove(&path),
        Err(error) => {
            remove(&path)?;
            return Err(error);
        }
    }
    let covers = work.covers.into();
    drop(work.sources);
    if old.is_some_and(|old| old.problem.is_some()) {
        keep_aside(shared, &partition)?;
    }
    let merged = partition.kinds();
    let was_reduced = merged.iter().any(|kind| matches!(kind, FileKind::Reduced(_)));
    let kind = if was_reduced { FileKind::Reduced } else { FileKind::Final };
    partition.replace(&merged, kind(number)).map_err(|source| SealError::File { path, source })?;
    tier.put(span, TierFile::new(partition, covers));
    count(&shared.counters.roll_ups, 1);
    Ok(())
}

/// Nobody knows what a damaged file covers, so nothing can take its place: it stays, under a name by
/// which it does not count, for whoever can make something of it.
fn keep_aside(shared: &Shared, partition: &Partition) -> Result<(), SealError> {
    let path = partition.path(FileKind::Unfinished(partition.next_number()));
    for path in partition.keep_aside().map_err(|source| SealError::File { path, source })? {
        shared.note_damage(&path, KEPT_ASIDE);
    }
    Ok(())
}

/// What is told of a damaged file.
pub(crate) const KEPT_ASIDE: &str =
    "it is damaged and does not count; another was made of the samples that were left";

struct Work<'a> {
    tier: &'a TierFiles,
    manners: Manners<'a>,
    covers: Vec<Cover>,
    sources: Vec<Source>,
    parts: Vec<Part>,
    /// Samples expire: what can be read of them is better than nothing.
    takes_damaged: bool,
}

/// What a source is read for.
enum Part {
    /// Samples.
    Raw,
    /// Buckets of these partitions.
    Buckets(Vec<Span>),
}

impl Work<'_> {
    fn add_raw(&mut self, partition: &Partition, uuid: u64) {
        let sources = partition.sources().sources;
        // It may have changed since; then it comes again.
        if let [Source::Sealed(sealed)] = &sources[..]
            && sealed.meta.uuid == uuid
        {
            self.covers.push(Cover { span: partition.span, uuid });
            self.parts.push(Part::Raw);
            self.sources.extend(sources);
        }
    }

    /// What the file covered until now and nobody made new.
    fn add_old(&mut self, old: Option<&TierFile>) {
        let Some(old) = old else { return };
        let is_new = |cover: &&Cover| self.covers.iter().all(|new| new.span != cover.span);
        let kept: Vec<Cover> = old.covers.iter().filter(is_new).copied().collect();
        if kept.is_empty() {
            return;
        }
        self.parts.push(Part::Buckets(kept.iter().map(|cover| cover.span).collect()));
        self.covers.extend(kept);
        self.sources.extend(old.partition.sources().sources);
        self.covers.sort_by_key(|cover| cover.span);
    }

    /// `false` when it was told to stop, or when there is damage: then the old file stays.
    fn write(&self, path: &std::path::Path, span: Span) -> Result<bool, SealError> {
        let lost = |source: &Source| source.lost() != crate::load::Lost::default();
        let is_damaged = !self.takes_damaged && self.sources.iter().any(lost);
        if self.sources.len() != self.parts.len() || is_damaged {
            return Ok(false);
        }
        let places = places(&self.sources);
        let labels: Vec<Labels> = places.keys().cloned().collect();
        let mut output = Output::create(path, span, None, &labels, self.manners)?;
        let mut readers = Readers::new(&self.sources);
        let (mut samples, mut all) = (Columns::default(), Buckets::default());
        for (series, (labels, places)) in (0..).zip(&places) {
            if self.manners.stopped() {
                return Ok(false);
            }
            buckets::clear(&mut all);
            for (source, id) in places {
                let damage = match &self.parts[*source] {
                    Part::Raw => {
                        columns::clear(&mut samples);
                        let damage = readers.read((*source, *id), labels, ALL_TIMES, &mut samples);
                        buckets::roll_up(&samples, self.tier.tier.width_ms(), &mut all);
                        damage
                    }
                    Part::Buckets(spans) => {
                        let from = all.last_times.len();
                        let place = (*source, *id);
                        let damage = readers.read_buckets(place, labels, ALL_TIMES, &mut all);
                        let wanted = |time| spans.iter().any(|span| span.overlaps(time, time));
                        buckets::keep(&mut all, from, wanted);
                        damage
                    }
                };
                if damage != Damage::default() && !self.takes_damaged {
                    return Ok(false);
                }
            }
            buckets::sort(&mut all);
            output.push_buckets(series, labels, &all)?;
        }
        output.finish(&self.covers)?;
        Ok(true)
    }
}
