//! Turns the head of a live file into blocks.
//!
//! The order makes each step harmless to interrupt: blocks are written first, beyond the count
//! that `meta` vouches for; then one transaction raises that count and the number of the first
//! batch that still counts; then the batches are deleted, a few at a time, so that no append
//! waits long. What is left over from a kill is removed at the next opening.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use barograph_model::{Buckets, Labels};
use rusqlite::ErrorCode;

use crate::blocks::BlockInfo;
use crate::codec;
use crate::codec::block::{Builder, Encoded};
use crate::codec::bytes::Damaged;
use crate::codec::values::Effort;
use crate::columns::{self, ALL_TIMES, Columns};
use crate::db::{Meta, Table, insert_block, write_meta};
use crate::error::SealError;
use crate::live::{Frozen, Live};
use crate::sync::{lock, read, write};

/// A chunk is cut here: long enough for the codec, short enough to read a few minutes of it.
const CHUNK_SAMPLES: usize = 8192;
/// A block is cut here.
const BLOCK_BYTES: usize = 64 * 1024;
/// Constant series take no data: a block is also cut by the chunks in it.
const BLOCK_CHUNKS: usize = 4096;
/// Blocks in one transaction, a megabyte: appends to the same file wait for it.
const BLOCKS_AT_ONCE: usize = 16;
/// Batches deleted in one transaction.
const BATCHES_AT_ONCE: i64 = 256;

/// Receives chunks series by series and hands on full blocks.
#[derive(Debug)]
pub(crate) struct Packer {
    meta: Meta,
    effort: Effort,
    builder: Builder,
    next_id: u32,
    full: Vec<(u32, Encoded)>,
}

impl Packer {
    pub(crate) fn new(meta: Meta, effort: Effort) -> Self {
        Self { meta, effort, builder: Builder::default(), next_id: meta.blocks, full: Vec::new() }
    }

    /// Adds the samples of a series, which are in order of time.
    pub(crate) fn push(
        &mut self,
        series: u32,
        labels: &Labels,
        columns: &Columns,
    ) -> Result<(), Damaged> {
        let chunks = columns.times.chunks(CHUNK_SAMPLES).zip(columns.values.chunks(CHUNK_SAMPLES));
        for samples in chunks {
            self.builder.push(series, labels, samples, self.effort)?;
            self.cut_full();
        }
        Ok(())
    }

    /// Adds the buckets of a series, which are in order of time.
    pub(crate) fn push_buckets(
        &mut self,
        series: u32,
        labels: &Labels,
        buckets: &Buckets,
    ) -> Result<(), Damaged> {
        let len = buckets.last_times.len();
        for start in (0..len).step_by(CHUNK_SAMPLES) {
            let within = start..len.min(start + CHUNK_SAMPLES);
            let times = &buckets.last_times[within.clone()];
            let effort = self.effort;
            self.builder.push_chunk(series, labels, times, |data| {
                codec::buckets::encode(buckets, within, effort, data)
            })?;
            self.cut_full();
        }
        Ok(())
    }

    fn cut_full(&mut self) {
        if self.builder.data_bytes() >= BLOCK_BYTES || self.builder.len() >= BLOCK_CHUNKS {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let builder = std::mem::take(&mut self.builder);
        if builder.len() > 0 {
            let id = self.next_id;
            self.next_id += 1;
            let seed = self.meta.seed(Table::Block, i64::from(id));
            self.full.push((id, builder.finish(seed, self.effort)));
        }
    }

    /// Full blocks, once there are enough for a transaction.
    pub(crate) fn take_full(&mut self) -> Option<Vec<(u32, Encoded)>> {
        (self.full.len() >= BLOCKS_AT_ONCE).then(|| std::mem::take(&mut self.full))
    }

    /// The blocks that are left.
    pub(crate) fn finish(mut self) -> Vec<(u32, Encoded)> {
        self.cut();
        self.full
    }
}

/// What readers will know of a block that was just made.
pub(crate) fn block_info(id: u32, block: &Encoded, meta: &Meta) -> Result<BlockInfo, Damaged> {
    BlockInfo::decode(id, &block.head, meta, u32::MAX)
}

impl Live {
    /// Seals the head; `false` when it is empty, or when it is told to stop.
    pub(crate) fn seal(&self, stop: &AtomicBool) -> Result<bool, SealError> {
        let _sealing = lock(&self.sealing);
        let Some(frozen) = self.freeze() else { return Ok(false) };
        let meta = read(&self.state).meta;
        let mut packer = Packer::new(meta, Effort::Good);
        let mut infos = Vec::new();
        let mut columns = Columns::default();
        let index_len = read(&self.index).len();
        for series in 0..index_len {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let Some(labels) = read(&self.index).labels(series).cloned() else { continue };
            columns::clear(&mut columns);
            frozen
                .head
                .read(series, ALL_TIMES, &mut columns)
                .and_then(|()| {
                    columns::normalise(&mut columns);
                    packer.push(series, &labels, &columns)
                })
                .map_err(|damaged| self.encode_error(&damaged))?;
            if let Some(blocks) = packer.take_full() {
                self.write_blocks(&blocks, &meta, &mut infos)?;
            }
        }
        self.write_blocks(&packer.finish(), &meta, &mut infos)?;
        let sealed_seq = frozen.through_seq;
        let lost_batches = self.lost.batches;
        let mut meta = Meta { sealed_seq, series: index_len, lost_batches, ..meta };
        for info in &infos {
            meta.add_block(info.samples, info.range_ms);
        }
        self.with_connection(|connection| write_meta(connection, &meta))?;
        self.publish(meta, infos);
        self.delete_batches(meta.sealed_seq)?;
        Ok(true)
    }

    /// Sets the head aside for sealing; appends go on into a new one.
    fn freeze(&self) -> Option<Arc<Frozen>> {
        // Between two commits: the first batch that is not sealed must not refer to sealed ones.
        let mut writer = lock(&self.writer);
        let mut state = write(&self.state);
        if state.frozen.is_none() && !state.head.is_empty() {
            writer.chain.end();
            let head = std::mem::take(&mut state.head);
            let frozen = Frozen { head, through_seq: state.next_seq };
            state.frozen = Some(Arc::new(frozen));
            state.batch_bytes = 0;
            state.head_since = None;
        }
        state.frozen.clone()
    }

    fn publish(&self, meta: Meta, infos: Vec<BlockInfo>) {
        let mut state = write(&self.state);
        let blocks = Arc::make_mut(&mut state.blocks);
        for info in infos {
            blocks.push(info);
        }
        state.meta = meta;
        state.frozen = None;
    }

    fn write_blocks(
        &self,
        blocks: &[(u32, Encoded)],
        meta: &Meta,
        infos: &mut Vec<BlockInfo>,
    ) -> Result<(), SealError> {
        for (id, block) in blocks {
            let info = block_info(*id, block, meta);
            infos.push(info.map_err(|damaged| self.encode_error(&damaged))?);
        }
        self.with_connection(|connection| {
            let transaction = connection.transaction()?;
            for (id, block) in blocks {
                insert_block(&transaction, *id, block)?;
            }
            transaction.commit()
        })
    }

    fn delete_batches(&self, sealed_seq: i64) -> Result<(), SealError> {
        loop {
            let deleted = self.with_connection(|connection| {
                connection
                    .prepare_cached(
                        "DELETE FROM batch WHERE seq < min(?1,
                             (SELECT min(seq) FROM batch) + ?2)",
                    )?
                    .execute([sealed_seq, BATCHES_AT_ONCE])
            })?;
            if deleted == 0 {
                return Ok(());
            }
        }
    }

    fn with_connection<T>(
        &self,
        act: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SealError> {
        let mut writer = lock(&self.writer);
        let result = self.connection(&mut writer).and_then(act);
        result.map_err(|source| {
            if source.sqlite_error_code() != Some(ErrorCode::DiskFull) {
                writer.connection = None;
            }
            SealError::Database { path: self.path().clone(), source }
        })
    }

    fn encode_error(&self, damaged: &Damaged) -> SealError {
        SealError::Encode { path: self.path().clone(), problem: damaged.to_string() }
    }
}
