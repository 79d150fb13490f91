//! Who is in charge. A lease ends by itself; each new holder gets a higher epoch, and whoever acts
//! names their epoch, so that one who slept through the end of their lease has no effect.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, params};

use crate::document::check_name;
use crate::error::StateError;
use crate::state::{Change, View};

const MAX_NAME_CHARS: usize = 200;

/// A lease as it is in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub holder: String,
    pub epoch: u64,
    pub expires_ms: i64,
}

/// The right to act in the name of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    pub name: String,
    pub epoch: u64,
}

impl View<'_> {
    /// The lease of this name, also when it has ended.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn lease(&self, name: &str) -> Result<Option<Lease>, StateError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT holder, epoch, expires_ms FROM lease WHERE name = ?1")?;
        let found = statement
            .query_row([name], |row| {
                let epoch: i64 = row.get(1)?;
                let (holder, expires_ms) = (row.get(0)?, row.get(2)?);
                Ok(Lease { holder, epoch: epoch.unsigned_abs(), expires_ms })
            })
            .optional()?;
        Ok(found)
    }

    pub(crate) fn check_fence(&self, fence: &Fence) -> Result<(), StateError> {
        let current = self.lease(&fence.name)?.map_or(0, |lease| lease.epoch);
        if current == fence.epoch {
            return Ok(());
        }
        Err(StateError::Fenced { name: fence.name.clone(), epoch: fence.epoch, current })
    }
}

impl Change<'_> {
    /// Takes a lease that is free, or holds on to one's own. `None`: another holds it.
    ///
    /// # Errors
    /// A name that is not allowed.
    pub fn take_lease(
        &mut self,
        name: &str,
        holder: &str,
        length: Duration,
    ) -> Result<Option<Fence>, StateError> {
        check_name("the name of a lease", name, MAX_NAME_CHARS)?;
        check_name("the holder of a lease", holder, MAX_NAME_CHARS)?;
        let epoch = match self.lease(name)? {
            None => 1,
            Some(lease) if lease.expires_ms <= self.now_ms => lease.epoch + 1,
            Some(lease) if lease.holder == holder => lease.epoch,
            Some(_) => return Ok(None),
        };
        let length_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        let expires_ms = self.now_ms.saturating_add(length_ms);
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![name, holder, epoch.cast_signed(), expires_ms])?;
        Ok(Some(Fence { name: name.to_owned(), epoch }))
    }

    /// Ends a lease that one holds, so that another need not wait for its end.
    ///
    /// # Errors
    /// [`StateError::Fenced`] when it is not held any more.
    pub fn end_lease(&mut self, fence: &Fence) -> Result<(), StateError> {
        self.check_fence(fence)?;
        self.connection
            .prepare_cached("UPDATE lease SET expires_ms = ?2 WHERE name = ?1")?
            .execute(params![fence.name, self.now_ms])?;
        Ok(())
    }
}
