//! What the store's threads and callers share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock};

use barograph_model::Clock;

use crate::error::OpenError;
use crate::folder::Folder;
use crate::live::Live;
use crate::partition::{Partition, Source};
use crate::queue::Queue;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::span::Span;
use crate::stats::{Counters, Stats, count};
use crate::sync::{lock, read, write};
use crate::writer::Job;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) folder: Folder,
    pub(crate) registry: RwLock<Registry>,
    pub(crate) partitions: RwLock<BTreeMap<Span, Arc<Partition>>>,
    pub(crate) queue: Queue<Job>,
    pub(crate) counters: Counters,
    pub(crate) stop: AtomicBool,
    /// Wakes the maintenance thread: there is something to seal, or the end has come.
    pub(crate) work: Mutex<bool>,
    pub(crate) wake: Condvar,
    /// Sealed partitions in the order in which they were read.
    recent: Mutex<VecDeque<Span>>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>, folder: Folder) -> Self {
        let queue = Queue::new(settings.queue);
        Self {
            settings,
            clock,
            folder,
            registry: RwLock::default(),
            partitions: RwLock::default(),
            queue,
            counters: Counters::default(),
            stop: AtomicBool::new(false),
            work: Mutex::new(false),
            wake: Condvar::new(),
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
        let path = self.folder.raw().join(format!("{}.db", span.name()));
        let mut partitions = write(&self.partitions);
        Arc::clone(partitions.entry(span).or_insert_with(|| Arc::new(Partition::new(span, path))))
    }

    pub(crate) fn live(&self, span: Span) -> Result<Arc<Live>, OpenError> {
        let opened_before = self.partition(span).open_live();
        if let Some(live) = opened_before {
            return Ok(live);
        }
        let live = self.partition(span).live(&self.registry, self.settings.max_file_bytes)?;
        let lost = live.lost;
        count(&self.counters.damaged_blocks, lost.damage.blocks);
        count(&self.counters.damaged_batches, lost.batches);
        Ok(live)
    }

    /// The partitions that overlap a range of time, oldest first.
    pub(crate) fn overlapping(&self, from_ms: i64, to_ms: i64) -> Vec<Arc<Partition>> {
        let partitions = read(&self.partitions);
        let overlapping = partitions.values().filter(|p| p.span.overlaps(from_ms, to_ms));
        overlapping.cloned().collect()
    }

    pub(crate) fn source(&self, partition: &Partition) -> Result<Source, OpenError> {
        let source = partition.source()?;
        if matches!(source, Source::Sealed(_)) {
            self.keep_few_open(partition.span);
        }
        Ok(source)
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

    pub(crate) fn count_head_bytes(&self) {
        let bytes: usize = self.open_lives().iter().map(|live| live.head_bytes()).sum();
        self.counters.head_bytes.store(bytes as u64, Ordering::Relaxed);
    }

    /// Adds how much there is.
    pub(crate) fn add_sizes(&self, stats: &mut Stats) {
        let partitions = read(&self.partitions);
        stats.partitions = partitions.len() as u64;
        stats.known_series = read(&self.registry).len() as u64;
        stats.disk_bytes = self.folder.bytes();
        for partition in partitions.values() {
            let Some(facts) = partition.facts() else { continue };
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
