//! Memory for what was decoded a moment ago, shared by all files of a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::Store;

/// How much may be kept, and how much is.
#[derive(Debug)]
pub(crate) struct Room {
    max_bytes: usize,
    taken: AtomicUsize,
    was_refused: AtomicBool,
    /// Nothing may be kept for now, decoded or not.
    is_closed: AtomicBool,
}

/// How long what nobody asks for is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    Usual,
    /// Others wait for its room.
    InACrowd,
    None,
}

impl Room {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            taken: AtomicUsize::new(0),
            was_refused: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        }
    }

    /// A place for so many bytes, unless there is none.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Option<Place> {
        if !self.is_open() {
            return None;
        }
        let fits = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= self.max_bytes);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if taken.is_err() {
            self.was_refused.store(true, Ordering::Relaxed);
            return None;
        }
        Some(Place { room: Arc::clone(self), bytes })
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// As it is to be until this is asked again.
    pub(crate) fn patience(&self) -> Patience {
        let was_refused = self.was_refused.swap(false, Ordering::Relaxed);
        match (self.is_open(), was_refused) {
            (false, _) => Patience::None,
            (true, true) => Patience::InACrowd,
            (true, false) => Patience::Usual,
        }
    }

    pub(crate) fn set_open(&self, is_open: bool) {
        self.is_closed.store(!is_open, Ordering::Relaxed);
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed)
    }
}

impl Store {
    /// Whether what was asked for lately may stay in memory, decoded or as it is on disk, for who
    /// asks again. What is there goes within a second when it may not.
    pub fn keep_decoded(&self, keep: bool) {
        self.shared.room.set_open(keep);
    }

    pub fn keeps_decoded(&self) -> bool {
        self.shared.room.is_open()
    }
}

/// A part of the room, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Arc<Room>,
    bytes: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back() {
        let room = Arc::new(Room::new(100));
        let first = room.take(60).unwrap();
        assert!(room.take(41).is_none());
        assert_eq!((room.patience(), room.patience()), (Patience::InACrowd, Patience::Usual));
        let second = room.take(40).unwrap();
        assert_eq!(room.taken(), 100);
        drop(first);
        assert!(room.take(usize::MAX).is_none());
        assert!(room.take(60).is_some());
        drop(second);
        assert_eq!(room.taken(), 0);
    }

    #[test]
    fn a_closed_room_takes_nothing_until_it_is_opened() {
        let room = Arc::new(Room::new(100));
        room.set_open(false);
        assert!(room.take(1).is_none());
        assert_eq!(room.patience(), Patience::None);
        room.set_open(true);
        assert!(room.take(1).is_some());
        assert_eq!(room.patience(), Patience::Usual);
    }
}
