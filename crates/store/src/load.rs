//! Reads a partition's file into memory: the index, the list of blocks, and the head from the
//! batches that are not sealed.

use rusqlite::Connection;

use crate::blocks::{BlockInfo, Blocks};
use crate::codec::batch::Chain;
use crate::codec::names;
use crate::db::{Meta, Table, is_corruption};
use crate::head::Head;
use crate::index::Index;

/// What a file holds, as far as it is readable.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) meta: Meta,
    pub(crate) index: Index,
    pub(crate) blocks: Blocks,
    pub(crate) head: Head,
    pub(crate) next_seq: i64,
    pub(crate) batch_bytes: u64,
    pub(crate) lost: Lost,
}

/// What reading found to be lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) chunks: u64,
    pub(crate) blocks: u64,
    pub(crate) batches: u64,
    pub(crate) series: u64,
    /// Tables that SQLite cannot read to their end: the file is not fit to be written to.
    pub(crate) tables: u64,
}

impl Lost {
    /// In words.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let parts = [
            (self.chunks, "samples"),
            (self.blocks, "blocks"),
            (self.batches, "batches"),
            (self.series, "series"),
            (self.tables, "tables"),
        ];
        let lost = parts.into_iter().filter(|(number, _)| *number > 0);
        lost.map(|(number, what)| format!("damaged and left out: {number} {what}"))
    }
}

impl Contents {
    /// Fails only where the system refuses to read; damage is counted instead.
    pub(crate) fn read(connection: &Connection, meta: Meta) -> rusqlite::Result<Self> {
        let mut contents = Self {
            meta,
            index: Index::default(),
            blocks: Blocks::default(),
            head: Head::default(),
            next_seq: meta.sealed_seq,
            batch_bytes: 0,
            lost: Lost { batches: meta.lost_batches, ..Lost::default() },
        };
        let parts = [Self::read_series, Self::read_blocks, Self::read_batches];
        for part in parts {
            match part(&mut contents, connection) {
                Err(error) if is_corruption(&error) => contents.lost.tables += 1,
                result => result?,
            }
        }
        // A reading that broke off has not counted what it did not reach.
        let n_blocks = contents.blocks.iter().count() as u64;
        contents.lost.blocks = u64::from(meta.blocks).saturating_sub(n_blocks);
        contents.lost.series += u64::from(contents.index.pad(meta.series));
        Ok(contents)
    }

    /// Counts the batches that should have been there up to a number, and lets the next one have
    /// it, so that the hole is seen as long as the file exists.
    pub(crate) fn expect(&mut self, next_seq: Option<i64>) {
        if let Some(next_seq) = next_seq.filter(|next_seq| *next_seq > self.next_seq) {
            self.lost.batches += next_seq.abs_diff(self.next_seq);
            self.next_seq = next_seq;
        }
    }

    fn read_series(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut query = connection.prepare("SELECT first, data FROM series ORDER BY first")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let first: i64 = row.get(0)?;
            let data = row.get_ref(1)?.as_blob().unwrap_or_default();
            let seed = self.meta.seed(Table::Series, first);
            // A series without its labels is known only by the ids that are missing.
            let Ok(series) = names::decode(data, seed) else { continue };
            let Some(first) = u32::try_from(first).ok().filter(|first| *first >= self.index.len())
            else {
                continue;
            };
            self.lost.series += u64::from(self.index.pad(first));
            for labels in series {
                self.index.push(labels);
            }
        }
        self.lost.series += u64::from(self.index.pad(self.meta.series));
        Ok(())
    }

    fn read_blocks(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut query =
            connection.prepare("SELECT id, head FROM block WHERE id < ?1 ORDER BY id")?;
        let mut rows = query.query([self.meta.blocks])?;
        while let Some(row) = rows.next()? {
            let Ok(id) = row.get::<_, u32>(0) else { continue };
            let head = row.get_ref(1)?.as_blob().unwrap_or_default();
            if let Ok(block) = BlockInfo::decode(id, head, &self.meta, self.index.len()) {
                self.blocks.push(block);
            }
        }
        Ok(())
    }

    fn read_batches(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut query =
            connection.prepare("SELECT seq, data FROM batch WHERE seq >= ?1 ORDER BY seq")?;
        let mut rows = query.query([self.meta.sealed_seq])?;
        let mut found = false;
        let mut chain = Chain::default();
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let data = row.get_ref(1)?.as_blob().unwrap_or_default();
            self.lost.batches += seq.abs_diff(self.next_seq);
            self.next_seq = seq.saturating_add(1);
            found = true;
            self.read_batch(data, seq, &mut chain);
        }
        if found {
            // Missing rows between others show in their numbers; the last ones only here.
            let ok: String =
                connection.query_row("PRAGMA quick_check('batch')", [], |row| row.get(0))?;
            self.lost.tables += u64::from(ok != "ok");
        }
        Ok(())
    }

    fn read_batch(&mut self, data: &[u8], seq: i64, chain: &mut Chain) {
        let seed = self.meta.seed(Table::Batch, seq);
        let Ok((frames, n_series)) = chain.decode(data, seq, seed) else {
            self.lost.batches += 1;
            return;
        };
        self.lost.series += u64::from(self.index.pad(n_series));
        self.batch_bytes += data.len() as u64;
        for frame in frames {
            let before = self.head.samples;
            self.head.push_all(&frame.series, frame.time_ms, &frame.values);
            let kept = self.head.samples - before;
            self.lost.chunks += (frame.series.len() as u64).saturating_sub(kept);
        }
    }
}
