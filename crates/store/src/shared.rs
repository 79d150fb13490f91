//! What the store's threads and callers share.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use barograph_model::Clock;
use tracing_mutex::stdsync::{Condvar, Mutex, RwLock};

use crate::error::OpenError;
use crate::expiry::ClockWatch;
use crate::folder::{FileKind, Folder, PartitionFile};
use crate::live::{Live, Opening};
use crate::maintenance;
use crate::partition::{Partition, PartitionState, Sources};
use crate::problems::Problems;
use crate::queue::Queue;
use crate::registry::Registry;
use crate::room::Room;
use crate::settings::Settings;
use crate::shapes::Shapes;
use crate::source::Source;
use crate::span::Span;
use crate::stats::{Counters, Stats, count};
use crate::sync::{lock, read, write};
use crate::tiers::{Tier, TierFiles};
use crate::writer::Job;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) folder: Folder,
    pub(crate) registry: RwLock<Registry>,
    pub(crate) shapes: Shapes,
    pub(crate) partitions: RwLock<BTreeMap<Span, Arc<Partition>>>,
    pub(crate) tiers: Vec<TierFiles>,
    pub(crate) queue: Queue<Job>,
    /// Held by who commits.
    pub(crate) committing: Mutex<()>,
    pub(crate) counters: Counters,
    pub(crate) problems: Problems,
    pub(crate) stop: AtomicBool,
    /// Wakes the maintenance thread: there is something to seal, or the end has come.
    pub(crate) work: Mutex<bool>,
    pub(crate) wake: Condvar,
    /// Somebody was refused for want of memory.
    pub(crate) refused_room: AtomicBool,
    /// Held while sealing and rewriting: two at once would be in each other's way.
    pub(crate) tending: Mutex<()>,
    pub(crate) clock_watch: Mutex<ClockWatch>,
    /// From the end of which partition on none is settled: [`Partition::is_settled`].
    settled_until_ms: AtomicI64,
    /// For what questions decode.
    pub(crate) room: Arc<Room>,
    /// How long any raw samples are kept.
    pub(crate) raw_age_ms: i64,
    /// Sealed partitions in the order in which they were read.
    recent: Mutex<VecDeque<Span>>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>, folder: Folder) -> Self {
        let queue = Queue::new(settings.queue);
        let files = |tier: Tier| TierFiles::new(tier, folder.partition_ms, folder.tier(tier));
        let tiers = Tier::ROLLED_UP.into_iter().map(files).collect();
        let raw_age_ms = settings.retention.ages(Tier::Raw).last().copied().unwrap_or(i64::MAX);
        let room = Arc::new(Room::new(settings.decoded_bytes));
        Self {
            settings,
            clock,
            folder,
            registry: RwLock::default(),
            shapes: Shapes::default(),
            partitions: RwLock::default(),
            tiers,
            queue,
            committing: Mutex::default(),
            counters: Counters::default(),
            problems: Problems::default(),
            stop: AtomicBool::new(false),
            work: Mutex::new(false),
            wake: Condvar::new(),
            refused_room: AtomicBool::new(false),
            tending: Mutex::default(),
            clock_watch: Mutex::default(),
            settled_until_ms: AtomicI64::new(i64::MIN),
            room,
            raw_age_ms,
            recent: Mutex::default(),
        }
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn wake_maintenance(&self) {
        *lock(&self.work) = true;
        self.wake.notify_all();
    }

    /// The partition for a span, a new one when there is none.
    pub(crate) fn partition(&self, span: Span) -> Arc<Partition> {
        if let Some(partition) = read(&self.partitions).get(&span) {
            return Arc::clone(partition);
        }
        let new = || Arc::new(Partition::new(span, self.folder.raw()));
        Arc::clone(write(&self.partitions).entry(span).or_insert_with(new))
    }

    /// Takes up the files that were found in the folder, in order of their names: opens the live
    /// ones, and removes those that a final form has replaced.
    pub(crate) fn take_up(&self, files: &[PartitionFile]) -> Result<(), OpenError> {
        let finals = newest_finals(files);
        for PartitionFile { span, kind } in files.iter().copied() {
            let partition = self.partition(span);
            match kind {
                FileKind::Live => {
                    // However many an earlier version left.
                    maintenance::keep_few_live(self);
                    drop(self.open_live(&partition)?);
                }
                _ if counts(&finals, span, kind) => partition.add_sealed(kind),
                FileKind::Closed(_) | FileKind::Final(_) | FileKind::Reduced(_) => {
                    partition.add_replaced(kind);
                }
                FileKind::Unfinished(_) => {
                    let path = partition.path(kind);
                    std::fs::remove_file(&path)
                        .map_err(|source| OpenError::Folder { dir: path, source })?;
                }
            }
        }
        Ok(())
    }

    /// Counts and tells a file that cannot be used, once.
    pub(crate) fn note_damage(&self, path: &Path, problem: &str) {
        if self.problems.note(path, problem) {
            count(&self.counters.damaged_partitions, 1);
        }
    }

    /// Counts and tells what was found to be damaged, without anybody asking for what is in it.
    pub(crate) fn look_for_damage(&self) {
        let tier_files = self.tiers.iter().flat_map(TierFiles::all);
        for (_, file) in tier_files {
            for (path, problem) in file.partition.learn_facts() {
                self.note_damage(&path, &problem);
            }
            if let Some((path, problem)) = file.damage() {
                self.note_damage(&path, problem);
            }
        }
        for partition in self.overlapping(i64::MIN, i64::MAX) {
            for (path, problem) in partition.learn_facts() {
                self.note_damage(&path, &problem);
            }
        }
    }

    /// As [`Shared::take_up`], but only to read: nothing is removed, and live files are seen as
    /// they are when they are first read.
    pub(crate) fn look_at(&self, files: &[PartitionFile]) {
        let finals = newest_finals(files);
        for PartitionFile { span, kind } in files.iter().copied() {
            if kind == FileKind::Live || counts(&finals, span, kind) {
                self.partition(span).add_sealed(kind);
            }
        }
    }

    /// The file to write to; nothing when the partition takes no more.
    pub(crate) fn live(&self, span: Span) -> Result<Option<Arc<Live>>, OpenError> {
        let partition = self.partition(span);
        if let Some(live) = partition.open_live() {
            return Ok(Some(live));
        }
        if !partition.is_settled() && !maintenance::keep_few_live(self) {
            return Err(OpenError::TooManyLive { max: self.settings.live_partitions });
        }
        self.open_live(&partition)
    }

    fn open_live(&self, partition: &Partition) -> Result<Option<Arc<Live>>, OpenError> {
        let Some(live) = partition.live(self.opening())? else { return Ok(None) };
        count(&self.counters.damaged_blocks, live.lost.blocks);
        count(&self.counters.damaged_batches, live.lost.batches);
        Ok(Some(live))
    }

    /// After its opening: what the tiers cover and nothing else is left of takes no more.
    pub(crate) fn settle(&self) {
        for tier in &self.tiers {
            for cover in tier.all().iter().flat_map(|(_, file)| file.covers.iter()) {
                let partition = self.partition(cover.span);
                if partition.state() == PartitionState::Empty {
                    partition.settle();
                }
            }
        }
        for partition in self.overlapping(i64::MIN, i64::MAX) {
            if partition.is_settled() {
                self.note_settled(partition.span);
            }
        }
    }

    pub(crate) fn note_settled(&self, span: Span) {
        self.settled_until_ms.fetch_max(span.end_ms, Ordering::Release);
    }

    /// Whether a partition takes no samples: some of its own have expired, or they would at once.
    pub(crate) fn is_past(&self, span: Span, now_ms: i64) -> bool {
        now_ms.saturating_sub(span.end_ms) >= self.raw_age_ms
            || span.end_ms <= self.settled_until_ms.load(Ordering::Acquire)
                && read(&self.partitions).get(&span).is_some_and(|one| one.is_settled())
    }

    pub(crate) fn opening(&self) -> Opening<'_> {
        Opening {
            registry: &self.registry,
            max_bytes: self.settings.max_file_bytes,
            now: self.clock.monotonic(),
        }
    }

    /// The partitions that overlap a range of time, oldest first.
    pub(crate) fn overlapping(&self, from_ms: i64, to_ms: i64) -> Vec<Arc<Partition>> {
        let partitions = read(&self.partitions);
        let overlapping = partitions.values().filter(|p| p.span.overlaps(from_ms, to_ms));
        overlapping.cloned().collect()
    }

    pub(crate) fn sources(&self, partition: &Partition) -> Sources {
        let sources = partition.sources();
        if sources.sources.iter().any(|source| matches!(source, Source::Sealed(_))) {
            self.keep_few_open(partition.span);
        }
        sources
    }

    fn keep_few_open(&self, span: Span) {
        let mut recent = lock(&self.recent);
        recent.retain(|other| *other != span);
        recent.push_back(span);
        while recent.len() > self.settings.open_partitions {
            let Some(oldest) = recent.pop_front() else { break };
            if let Some(partition) = read(&self.partitions).get(&oldest) {
                partition.forget();
            }
        }
    }

    /// The live files that are open.
    pub(crate) fn open_lives(&self) -> Vec<Arc<Live>> {
        read(&self.partitions).values().filter_map(|partition| partition.open_live()).collect()
    }

    /// Takes back ids of series that ended.
    pub(crate) fn sweep_series(&self) {
        let mut in_use = Vec::new();
        for live in self.open_lives() {
            live.mark_series(&mut in_use);
        }
        let in_use = |index: usize| in_use.get(index).copied().unwrap_or(false);
        write(&self.registry).sweep(in_use, self.clock.monotonic());
    }

    /// Adds how much there is.
    pub(crate) fn add_sizes(&self, stats: &mut Stats) {
        let partitions: Vec<_> = read(&self.partitions).values().cloned().collect();
        let is_there = |one: &&Arc<Partition>| one.state() != PartitionState::Empty;
        stats.partitions = partitions.iter().filter(is_there).count() as u64;
        stats.known_series = read(&self.registry).len() as u64;
        stats.disk_bytes = self.folder.bytes();
        stats.decoded_bytes = self.room.taken() as u64;
        stats.tiers = self.tier_stats();
        for facts in partitions.iter().flat_map(|partition| partition.facts()) {
            stats.samples += facts.samples;
            stats.head_samples += facts.head_samples;
            stats.series = facts.series;
            if let Some((first_ms, last_ms)) = facts.range_ms {
                let oldest_ms = stats.oldest_ms.unwrap_or(first_ms);
                let newest_ms = stats.newest_ms.unwrap_or(last_ms);
                stats.oldest_ms = Some(oldest_ms.min(first_ms));
                stats.newest_ms = Some(newest_ms.max(last_ms));
            }
        }
    }
}

/// The numbers of the newest final forms.
fn newest_finals(files: &[PartitionFile]) -> BTreeMap<Span, u32> {
    let mut finals = BTreeMap::new();
    for PartitionFile { span, kind } in files {
        if let Some(number) = kind.replaces() {
            let newest = finals.entry(*span).or_insert(number);
            *newest = number.max(*newest);
        }
    }
    finals
}

/// Whether a sealed file is not replaced by another.
fn counts(finals: &BTreeMap<Span, u32>, span: Span, kind: FileKind) -> bool {
    let newest_final = finals.get(&span).copied().unwrap_or(0);
    match kind {
        FileKind::Closed(number) | FileKind::Final(number) | FileKind::Reduced(number) => {
            number >= newest_final
        }
        FileKind::Unfinished(_) | FileKind::Live => false,
    }
}
