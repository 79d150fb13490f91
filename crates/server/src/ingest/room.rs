//! Bytes in flight: what all senders together may have in memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory for bodies, handed out by the byte.
#[derive(Debug)]
pub struct Room {
    free: Arc<Semaphore>,
    bytes: usize,
}

/// A part of the room, given back when dropped.
#[derive(Debug)]
pub struct Place {
    permit: OwnedSemaphorePermit,
    room: Arc<Semaphore>,
}

/// There is no room now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many bytes are under way from all senders together; try again in a moment")]
pub struct NoRoom;

impl Room {
    /// Who waits longer is told to come back.
    const PATIENCE: Duration = Duration::from_secs(5);

    pub(crate) fn new(bytes: usize) -> Self {
        let bytes = bytes.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(bytes)), bytes }
    }

    /// An empty place, to be grown.
    ///
    /// # Errors
    /// Never while the program runs.
    pub fn enter(&self) -> Result<Place, NoRoom> {
        let permit = Arc::clone(&self.free).try_acquire_many_owned(0).map_err(|_| NoRoom)?;
        Ok(Place { permit, room: Arc::clone(&self.free) })
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.bytes - self.free.available_permits()
    }
}

impl Place {
    /// Takes more bytes, waiting a little for them.
    ///
    /// # Errors
    /// Others do not give enough back.
    pub async fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let wanted = u32::try_from(bytes).map_err(|_| NoRoom)?;
        let turn = Arc::clone(&self.room).acquire_many_owned(wanted);
        match tokio::time::timeout(Room::PATIENCE, turn).await {
            Ok(Ok(permit)) => {
                self.permit.merge(permit);
                Ok(())
            }
            _ => Err(NoRoom),
        }
    }

    /// Takes more bytes without waiting.
    ///
    /// # Errors
    /// They are not free.
    pub fn try_grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let wanted = u32::try_from(bytes).map_err(|_| NoRoom)?;
        let permit = Arc::clone(&self.room).try_acquire_many_owned(wanted).map_err(|_| NoRoom)?;
        self.permit.merge(permit);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_are_given_back_and_those_that_never_come_are_refused() {
        let room = Room::new(100);
        let mut place = room.enter().unwrap();
        place.grow(60).await.unwrap();
        assert_eq!(room.in_flight(), 60);
        let mut other = room.enter().unwrap();
        assert_eq!(other.try_grow(41), Err(NoRoom));
        assert_eq!(other.grow(41).await, Err(NoRoom));
        drop(place);
        other.grow(41).await.unwrap();
        assert_eq!(room.in_flight(), 41);
        assert_eq!(other.grow(usize::MAX).await, Err(NoRoom));
    }
}
