//! Opens a partition's live file and rebuilds what is kept in memory: the index, the list of
//! blocks, and the head from the batches that are not sealed.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::blocks::{BlockInfo, Blocks};
use crate::codec::batch;
use crate::codec::names;
use crate::db::{Database, Meta, Table};
use crate::error::OpenError;
use crate::head::Head;
use crate::index::Index;
use crate::live::Lost;
use crate::registry::Registry;
use crate::span::Span;

/// A live file, read into memory.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) database: Database,
    pub(crate) connection: Connection,
    pub(crate) meta: Meta,
    pub(crate) index: Index,
    pub(crate) local_of: Vec<u32>,
    pub(crate) blocks: Blocks,
    pub(crate) head: Head,
    pub(crate) next_seq: i64,
    pub(crate) batch_bytes: u64,
    pub(crate) lost: Lost,
}

impl Loaded {
    pub(crate) fn open(
        path: PathBuf,
        span: Span,
        max_bytes: Option<u64>,
        registry: &mut Registry,
    ) -> Result<Self, OpenError> {
        let database = Database::new(path);
        let (connection, meta) = database.writer(span, max_bytes)?;
        let mut loaded = Self {
            database,
            connection,
            meta,
            index: Index::default(),
            local_of: Vec::new(),
            blocks: Blocks::default(),
            head: Head::default(),
            next_seq: meta.sealed_seq,
            batch_bytes: 0,
            lost: Lost::default(),
        };
        loaded
            .read_all(registry)
            .map_err(|source| OpenError::Database { path: loaded.database.path.clone(), source })?;
        Ok(loaded)
    }

    fn read_all(&mut self, registry: &mut Registry) -> rusqlite::Result<()> {
        // What an interrupted sealing left over.
        self.connection.execute("DELETE FROM batch WHERE seq < ?1", [self.meta.sealed_seq])?;
        self.connection.execute("DELETE FROM block WHERE id >= ?1", [self.meta.blocks])?;
        self.lost.series = read_series(&self.connection, &self.meta, &mut self.index)?;
        (self.blocks, self.lost.damage.blocks) =
            read_blocks(&self.connection, &self.meta, self.index.len())?;
        self.read_batches()?;
        for (local, labels) in self.index.iter() {
            if let Ok(id) = registry.resolve(labels, usize::MAX) {
                let id = id.0 as usize;
                self.local_of.resize(self.local_of.len().max(id + 1), 0);
                self.local_of[id] = local + 1;
            }
        }
        Ok(())
    }

    fn read_batches(&mut self) -> rusqlite::Result<()> {
        let mut query =
            self.connection.prepare("SELECT seq, data FROM batch WHERE seq >= ?1 ORDER BY seq")?;
        let mut rows = query.query([self.meta.sealed_seq])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let data = row.get_ref(1)?.as_blob().unwrap_or_default();
            self.lost.batches += seq.abs_diff(self.next_seq);
            self.next_seq = seq + 1;
            let Ok((frames, n_series)) = batch::decode(data, self.meta.seed(Table::Batch, seq))
            else {
                self.lost.batches += 1;
                continue;
            };
            self.lost.series += u64::from(self.index.pad(n_series));
            self.batch_bytes += data.len() as u64;
            for frame in frames {
                for (series, value) in frame.series.into_iter().zip(frame.values) {
                    if self.head.push(series, frame.time_ms, value).is_err() {
                        self.lost.batches += 1;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Fills the index; returns how many series are lost.
pub(crate) fn read_series(
    connection: &Connection,
    meta: &Meta,
    index: &mut Index,
) -> rusqlite::Result<u64> {
    let mut lost = 0;
    let mut query = connection.prepare("SELECT first, data FROM series ORDER BY first")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let first: i64 = row.get(0)?;
        let data = row.get_ref(1)?.as_blob().unwrap_or_default();
        let series =
            u32::try_from(first).ok().filter(|first| *first >= index.len()).and_then(|first| {
                Some((first, names::decode(data, meta.seed(Table::Series, i64::from(first))).ok()?))
            });
        // Without its labels a series is known only by the ids that are missing.
        let Some((first, series)) = series else { continue };
        lost += u64::from(index.pad(first));
        for labels in series {
            index.push(labels);
        }
    }
    lost += u64::from(index.pad(meta.series));
    Ok(lost)
}

/// Reads the heads of all blocks; returns how many blocks are lost.
pub(crate) fn read_blocks(
    connection: &Connection,
    meta: &Meta,
    n_series: u32,
) -> rusqlite::Result<(Blocks, u64)> {
    let mut blocks = Blocks::default();
    let mut found = 0;
    let mut query = connection.prepare("SELECT id, head FROM block WHERE id < ?1 ORDER BY id")?;
    let mut rows = query.query([meta.blocks])?;
    while let Some(row) = rows.next()? {
        let Ok(id) = row.get::<_, u32>(0) else { continue };
        let head = row.get_ref(1)?.as_blob().unwrap_or_default();
        if let Ok(block) = BlockInfo::decode(id, head, meta, n_series) {
            blocks.push(block);
            found += 1;
        }
    }
    Ok((blocks, u64::from(meta.blocks).saturating_sub(found)))
}
