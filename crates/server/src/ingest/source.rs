//! One sender at one door: its series, its budget, and what became of what it sent.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use barograph_model::Labels;
use barograph_store::SeriesRef;
use foldhash::quality::RandomState;
use indexmap::IndexMap;
use tracing_mutex::stdsync::{Mutex, MutexGuard};

use super::door::{Door, Reason};
use super::report::Report;

/// A sender at a door.
#[derive(Debug)]
pub struct Source {
    pub(super) door: Door,
    pub(super) name: String,
    table: Mutex<Table>,
    pub(super) counts: Counts,
}

/// What came from a source since the start.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) writes: AtomicU64,
    pub(super) samples: AtomicU64,
    pub(super) refused: [AtomicU64; Reason::COUNT],
    /// When it last wrote.
    pub(super) last_ms: AtomicI64,
    /// The time of its newest sample.
    pub(super) newest_ms: AtomicI64,
}

/// The series of a source.
#[derive(Debug)]
pub(super) struct Table {
    /// By the bytes that the door knows them by.
    pub(super) known: IndexMap<Box<[u8]>, Known, RandomState>,
    /// The place of the series that was found last.
    last: usize,
    /// Of one time in the write before.
    pub(super) usual_samples: usize,
    swept_s: u64,
    day: i64,
    pub(super) new_today: usize,
    /// When a refusal was last logged, and the newest complaint.
    logged_s: [Option<u64>; Reason::COUNT],
    pub(super) complaint: Option<String>,
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) series: SeriesRef,
    pub(super) labels: Labels,
    /// When it last got a sample, by the monotonic clock.
    pub(super) used_s: u64,
    /// The place of the series that came after this one: senders keep their order, and comparing
    /// with one series takes a third of looking one up.
    next: usize,
}

/// A series that is silent for this long gives its place back.
const SILENT_S: u64 = 60 * 60;
/// Looking for silent series costs a pass over all of them.
const SWEEP_EVERY_S: u64 = 60;
/// The same complaint about the same source is logged once an hour.
const LOG_EVERY_S: u64 = 60 * 60;
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Source {
    pub(super) fn new(door: Door, name: &str) -> Self {
        Self {
            door,
            name: name.to_owned(),
            table: Mutex::new(Table {
                known: IndexMap::default(),
                last: 0,
                usual_samples: 0,
                swept_s: 0,
                day: i64::MIN,
                new_today: 0,
                logged_s: [None; Reason::COUNT],
                complaint: None,
            }),
            counts: Counts {
                writes: AtomicU64::new(0),
                samples: AtomicU64::new(0),
                refused: Default::default(),
                last_ms: AtomicI64::new(0),
                newest_ms: AtomicI64::new(i64::MIN),
            },
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn door(&self) -> Door {
        self.door
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a write to the counts, and logs what is wrong with it, if that is news.
    pub(super) fn count(&self, report: &Report, newest_ms: i64, now_ms: i64, now_s: u64) {
        let counts = &self.counts;
        counts.writes.fetch_add(1, Ordering::Relaxed);
        counts.samples.fetch_add(report.stored, Ordering::Relaxed);
        counts.last_ms.store(now_ms, Ordering::Relaxed);
        counts.newest_ms.fetch_max(newest_ms, Ordering::Relaxed);
        let Some(complaint) = report.complaint() else { return };
        let mut table = self.table();
        for (reason, samples) in report.reasons() {
            counts.refused[reason.index()].fetch_add(samples, Ordering::Relaxed);
            let logged_s = &mut table.logged_s[reason.index()];
            if logged_s.is_none_or(|at| now_s.saturating_sub(at) >= LOG_EVERY_S) {
                *logged_s = Some(now_s);
                tracing::warn!(
                    door = self.door.as_str(),
                    source = self.name,
                    reason = reason.as_str(),
                    samples,
                    example = report.example(reason),
                    "samples from this source are refused"
                );
            }
        }
        table.complaint = Some(complaint);
    }
}

impl Table {
    pub(super) fn find(&mut self, key: &[u8]) -> Option<&mut Known> {
        let next = self.next();
        let is_right = self.known.get_index(next).is_some_and(|(known, _)| **known == *key);
        let place = if is_right { next } else { self.known.get_index_of(key)? };
        self.go_on_to(place);
        self.known.get_index_mut(place).map(|(_, known)| known)
    }

    /// The place of the series that came after the last one before.
    fn next(&self) -> usize {
        self.known.get_index(self.last).map_or(0, |(_, last)| last.next)
    }

    /// The length of its key, if bytes begin with it.
    pub(super) fn expected(&self, bytes: &[u8]) -> usize {
        let known = self.known.get_index(self.next());
        known.map_or(0, |(key, _)| if bytes.starts_with(key) { key.len() } else { 0 })
    }

    pub(super) fn take_expected(&mut self) -> Option<&mut Known> {
        let place = self.next();
        self.last = place;
        self.known.get_index_mut(place).map(|(_, known)| known)
    }

    pub(super) fn insert(&mut self, key: &[u8], series: SeriesRef, labels: Labels, used_s: u64) {
        let known = Known { series, labels, used_s, next: self.known.len() + 1 };
        let (place, _) = self.known.insert_full(key.into(), known);
        self.go_on_to(place);
    }

    fn go_on_to(&mut self, place: usize) {
        if let Some((_, last)) = self.known.get_index_mut(self.last) {
            last.next = place;
        }
        self.last = place;
    }

    /// Begins a new day when one has begun.
    pub(super) fn turn_day(&mut self, now_ms: i64) {
        let day = now_ms.div_euclid(DAY_MS);
        if self.day != day {
            self.day = day;
            self.new_today = 0;
        }
    }

    /// Lets go of series that are silent, when the last time is a while ago.
    pub(super) fn sweep(&mut self, now_s: u64) {
        if now_s.saturating_sub(self.swept_s) < SWEEP_EVERY_S {
            return;
        }
        self.swept_s = now_s;
        self.known.retain(|_, known| now_s.saturating_sub(known.used_s) < SILENT_S);
    }
}
