//! Memory for what was decoded a moment ago, shared by all files of a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How much may be kept, and how much is.
#[derive(Debug)]
pub(crate) struct Room {
    max_bytes: usize,
    taken: AtomicUsize,
    was_refused: AtomicBool,
}

impl Room {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, taken: AtomicUsize::new(0), was_refused: AtomicBool::new(false) }
    }

    /// A place for so many bytes, unless there is none.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Option<Place> {
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

    /// Whether there was no place for something since this was last asked.
    pub(crate) fn was_too_small(&self) -> bool {
        self.was_refused.swap(false, Ordering::Relaxed)
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
        assert!(room.take(41).is_none() && room.was_too_small() && !room.was_too_small());
        let second = room.take(40).unwrap();
        assert_eq!(room.taken(), 100);
        drop(first);
        assert!(room.take(usize::MAX).is_none());
        assert!(room.take(60).is_some());
        drop(second);
        assert_eq!(room.taken(), 0);
    }
}
