//! Process-wide ids of series, so that a source that samples every second need not spell its
//! labels every second.
//!
//! Ids of series that ended are given to others in time: a machine that starts processes for
//! years must not run out of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use barograph_model::Labels;
use foldhash::quality::RandomState;

use crate::error::SeriesError;

/// How long an unused id is kept at least: much longer than an append waits for its turn.
const KEPT_AT_LEAST: Duration = Duration::from_secs(600);

/// The id of a series in this process. It stays valid as long as the series has samples in an
/// open partition, so at least for the day; an append says how many of its ids were not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesRef {
    pub(crate) index: u32,
    generation: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    ids: HashMap<Labels, SeriesRef, RandomState>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// When ids were marked as unused.
    marked: Option<Duration>,
}

#[derive(Debug)]
struct Slot {
    labels: Option<Labels>,
    generation: u32,
    /// Asked for since ids were marked as unused.
    used: AtomicBool,
}

impl Registry {
    pub(crate) fn get(&self, labels: &Labels) -> Option<SeriesRef> {
        let id = *self.ids.get(labels)?;
        self.slots.get(id.index as usize)?.used.store(true, Ordering::Relaxed);
        Some(id)
    }

    /// Marks an id as asked for; `false` when it is not valid any more.
    pub(crate) fn touch(&self, id: SeriesRef) -> bool {
        let slot = self.slots.get(id.index as usize);
        let slot = slot.filter(|slot| slot.generation == id.generation && slot.labels.is_some());
        if let Some(slot) = slot {
            slot.used.store(true, Ordering::Relaxed);
        }
        slot.is_some()
    }

    /// The id of a series, a new one when there are fewer than `max`.
    pub(crate) fn resolve(
        &mut self,
        labels: &Labels,
        max: usize,
    ) -> Result<SeriesRef, SeriesError> {
        if let Some(id) = self.get(labels) {
            return Ok(id);
        }
        if self.ids.len() >= max {
            return Err(SeriesError::TooMany { max });
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => u32::try_from(self.slots.len())
                .ok()
                .filter(|index| *index < u32::MAX)
                .ok_or(SeriesError::TooMany { max })?,
        };
        let slot = index as usize;
        if slot == self.slots.len() {
            self.slots.push(Slot { labels: None, generation: 0, used: AtomicBool::new(true) });
        }
        self.slots[slot].labels = Some(labels.clone());
        *self.slots[slot].used.get_mut() = true;
        let id = SeriesRef { index, generation: self.slots[slot].generation };
        self.ids.insert(labels.clone(), id);
        Ok(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn labels(&self, id: SeriesRef) -> Option<&Labels> {
        let slot = self.slots.get(id.index as usize)?;
        slot.labels.as_ref().filter(|_| slot.generation == id.generation)
    }

    /// Takes back ids that no open partition has and that nobody asked for since the last time.
    /// `in_use` tells by index whether an open partition has the id.
    pub(crate) fn sweep(&mut self, in_use: impl Fn(usize) -> bool, now: Duration) {
        if self.marked.is_some_and(|marked| now.saturating_sub(marked) < KEPT_AT_LEAST) {
            return;
        }
        for (index, slot) in (0_u32..).zip(&mut self.slots) {
            let used = std::mem::take(slot.used.get_mut());
            if used || self.marked.is_none() || in_use(index as usize) {
                continue;
            }
            if let Some(labels) = slot.labels.take() {
                self.ids.remove(&labels);
                slot.generation = slot.generation.wrapping_add(1);
                self.free.push(index);
            }
        }
        self.marked = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_ended_series_are_given_to_others_and_the_old_ids_are_known_as_such() {
        let mut registry = Registry::default();
        let labels = |name| Labels::metric(name).unwrap();
        let kept = registry.resolve(&labels("kept"), 2).unwrap();
        let ended = registry.resolve(&labels("ended"), 2).unwrap();
        assert_eq!(registry.resolve(&labels("new"), 2), Err(SeriesError::TooMany { max: 2 }));
        for minutes in 0..40 {
            let in_use = |index| index == kept.index as usize;
            registry.sweep(in_use, Duration::from_secs(60 * minutes));
            let gone = registry.labels(ended).is_none();
            assert_eq!(gone, minutes >= 10, "after {minutes} minutes");
        }
        let new = registry.resolve(&labels("new"), 2).unwrap();
        assert_eq!(new.index, ended.index);
        assert_eq!(registry.labels(ended), None);
        assert_eq!(registry.labels(new), Some(&labels("new")));
        assert_eq!(registry.labels(kept), Some(&labels("kept")));
    }

    #[test]
    fn an_id_that_was_asked_for_is_kept() {
        let mut registry = Registry::default();
        let labels = Labels::metric("m").unwrap();
        let id = registry.resolve(&labels, 9).unwrap();
        for minutes in 0..100 {
            registry.sweep(|_| false, Duration::from_secs(60 * minutes));
            assert_eq!(registry.get(&labels), Some(id));
        }
    }
}
