//! A file of a partition that is not written to any more: closed, or in its final form.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::blocks::Blocks;
use crate::db::{Database, Meta};
use crate::error::OpenError;
use crate::head::Head;
use crate::index::Index;
use crate::load::{Contents, Lost};
use crate::sequence;
use crate::tiers::{Cover, read_covers};

/// A file opened for readers.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) database: Database,
    pub(crate) meta: Meta,
    pub(crate) index: Index,
    pub(crate) blocks: Arc<Blocks>,
    /// Batches of a live file that was set aside before it could be sealed.
    pub(crate) head: Head,
    pub(crate) lost: Lost,
    is_replaced: AtomicBool,
}

impl Sealed {
    pub(crate) fn open(path: PathBuf) -> Result<Self, OpenError> {
        let database = Database::new(path);
        let connection = database.reader()?;
        let failed = |source| OpenError::Database { path: database.path.clone(), source };
        let uuid = existing_meta(&database, &connection)?.uuid;
        let next_seq = sequence::read(&database.path, uuid);
        // All of it as it is at one moment: to who only looks, this may be another's live file.
        connection.execute_batch("BEGIN").map_err(failed)?;
        let meta = existing_meta(&database, &connection)?;
        let mut contents = Contents::read(&connection, meta).map_err(failed)?;
        contents.expect(next_seq);
        connection.execute_batch("COMMIT").map_err(failed)?;
        database.give_back(connection);
        let Contents { index, blocks, head, lost, .. } = contents;
        Ok(Self {
            database,
            meta,
            index,
            blocks: Arc::new(blocks),
            head,
            lost,
            is_replaced: AtomicBool::new(false),
        })
    }

    /// Another file has its contents: it is removed once nobody reads it any more.
    pub(crate) fn replace(&self) {
        self.is_replaced.store(true, Ordering::Relaxed);
    }

    /// The record of a file, without the rest.
    pub(crate) fn meta(path: PathBuf) -> Result<Meta, OpenError> {
        let database = Database::new(path);
        let connection = database.reader()?;
        existing_meta(&database, &connection)
    }

    /// What a tier's file covers.
    pub(crate) fn covers(path: PathBuf) -> Result<Vec<Cover>, OpenError> {
        let database = Database::new(path);
        let connection = database.reader()?;
        let meta = existing_meta(&database, &connection)?;
        let covers = read_covers(&connection, &meta)
            .map_err(|source| OpenError::Database { path: database.path.clone(), source })?;
        covers.map_err(|damaged| OpenError::Foreign {
            path: database.path.clone(),
            problem: damaged.to_string(),
        })
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        if *self.is_replaced.get_mut() {
            self.database.close_idle();
            // What stays is removed with [`crate::partition::Partition::remove_replaced`].
            drop(std::fs::remove_file(&self.database.path));
            drop(std::fs::remove_file(sequence::path(&self.database.path)));
        }
    }
}

fn existing_meta(
    database: &Database,
    connection: &rusqlite::Connection,
) -> Result<Meta, OpenError> {
    database.meta(connection)?.ok_or_else(|| OpenError::Foreign {
        path: database.path.clone(),
        problem: "the record about the partition is missing".to_owned(),
    })
}
