//! Which blocks a partition has, and reading chunks from them.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use crate::block_cache::{Block, BlockCache};
use crate::codec::block::Head;
use crate::codec::bytes::Decoded;
use crate::db::{Meta, Table};

/// Blocks that the readers of one answer keep together, in each thread: some 16 MiB, enough for
/// the sealings of some days.
const MAX_LOADED: usize = 256;
/// What a reader keeps in any case.
const MIN_LOADED: usize = 4;

/// The place of a block, and its head as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct BlockInfo {
    pub(crate) id: u32,
    first_series: u32,
    last_series: u32,
    pub(crate) range_ms: (i64, i64),
    pub(crate) samples: u64,
    head: Arc<[u8]>,
}

impl BlockInfo {
    pub(crate) fn decode(id: u32, bytes: &[u8], meta: &Meta, n_series: u32) -> Decoded<Self> {
        let head = Head::decode(bytes, meta.seed(Table::Block, i64::from(id)), n_series)?;
        let mut range_ms = (i64::MAX, i64::MIN);
        let mut samples = 0;
        for chunk in &head.chunks {
            let summary = head.summary(*chunk);
            range_ms = (range_ms.0.min(summary.first_ms), range_ms.1.max(summary.last_ms));
            samples += summary.count as u64;
        }
        Ok(Self {
            id,
            first_series: head.chunks.first().map_or(0, |chunk| chunk.series),
            last_series: head.chunks.last().map_or(0, |chunk| chunk.series),
            range_ms,
            samples,
            head: bytes.into(),
        })
    }
}

impl BlockInfo {
    /// The ids of its series, each with the bytes that a chunk takes.
    pub(crate) fn chunk_bytes(&self, meta: &Meta) -> Vec<(u32, usize)> {
        let seed = meta.seed(Table::Block, i64::from(self.id));
        // It was read before, so it can be read.
        let Ok(head) = Head::decode(&self.head, seed, u32::MAX) else { return Vec::new() };
        head.chunks.iter().map(|chunk| (chunk.series, head.stored_bytes(*chunk))).collect()
    }
}

/// The blocks in order of their ids. Each sealing wrote a run of them in which series ascend.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocks {
    runs: Vec<BlockRun>,
}

#[derive(Debug, Clone)]
struct BlockRun {
    blocks: Vec<BlockInfo>,
    range_ms: (i64, i64),
}

impl Blocks {
    pub(crate) fn push(&mut self, block: BlockInfo) {
        let range_ms = block.range_ms;
        match self.runs.last_mut() {
            Some(run) if run.goes_on_with(&block) => {
                run.blocks.push(block);
                run.range_ms.0 = run.range_ms.0.min(range_ms.0);
                run.range_ms.1 = run.range_ms.1.max(range_ms.1);
            }
            _ => self.runs.push(BlockRun { blocks: vec![block], range_ms }),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &BlockInfo> {
        self.runs.iter().flat_map(|run| &run.blocks)
    }

    /// Whether there can be samples of a series in a range.
    pub(crate) fn has(&self, series: u32, range_ms: (i64, i64)) -> bool {
        self.holding(series, range_ms).next().is_some()
    }

    /// The blocks that can hold samples of a series in a range, oldest sealing first.
    fn holding(&self, series: u32, range_ms: (i64, i64)) -> impl Iterator<Item = &BlockInfo> {
        let overlaps = move |other: (i64, i64)| other.0 <= range_ms.1 && range_ms.0 <= other.1;
        self.runs.iter().filter(move |run| overlaps(run.range_ms)).flat_map(move |run| {
            let start = run.blocks.partition_point(|block| block.last_series < series);
            run.blocks[start..]
                .iter()
                .take_while(move |block| block.first_series <= series)
                .filter(move |block| overlaps(block.range_ms))
        })
    }
}

impl BlockRun {
    fn goes_on_with(&self, block: &BlockInfo) -> bool {
        self.blocks.last().is_some_and(|last| last.last_series <= block.first_series)
    }
}

#[derive(Debug)]
struct Loaded {
    /// Nothing when it is damaged.
    block: Option<Arc<Block>>,
    /// When it was last read from, counted in readings.
    used: u64,
}

/// Reads series after series; quickest in ascending order.
#[derive(Debug)]
pub(crate) struct BlockReader<'a> {
    pub(crate) connection: Connection,
    cache: &'a BlockCache,
    meta: Meta,
    loaded: HashMap<u32, Loaded>,
    max_loaded: usize,
    readings: u64,
}

/// What could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) chunks: u64,
    /// Their ids.
    pub(crate) blocks: Vec<u32>,
}

/// Takes a chunk that was found, by its place in a block.
pub(crate) type OnChunk<'a> = dyn FnMut(&Block, usize) -> Decoded<()> + 'a;

impl<'a> BlockReader<'a> {
    /// One of so many readers.
    pub(crate) fn new(
        connection: Connection,
        cache: &'a BlockCache,
        meta: Meta,
        readers: usize,
    ) -> Self {
        let max_loaded = (MAX_LOADED / readers.max(1)).max(MIN_LOADED);
        Self { connection, cache, meta, loaded: HashMap::new(), max_loaded, readings: 0 }
    }

    /// Hands on the chunks of a series that overlap a range, oldest sealing first.
    pub(crate) fn read(
        &mut self,
        blocks: &Blocks,
        series: u32,
        range_ms: (i64, i64),
        act: &mut OnChunk<'_>,
    ) -> Damage {
        let mut damage = Damage::default();
        self.readings += 1;
        for block in blocks.holding(series, range_ms) {
            if !self.loaded.contains_key(&block.id) {
                self.make_room();
                let loaded = Loaded { block: self.load(block), used: self.readings };
                self.loaded.insert(block.id, loaded);
            }
            let Some(loaded) = self.loaded.get_mut(&block.id) else { continue };
            loaded.used = self.readings;
            let Some(kept) = loaded.block.as_deref() else {
                damage.blocks.push(block.id);
                continue;
            };
            for chunk in kept.chunks_of(series) {
                let summary = kept.head.summary(kept.head.chunks[chunk]);
                if summary.first_ms > range_ms.1 || summary.last_ms < range_ms.0 {
                    continue;
                }
                damage.chunks += u64::from(act(kept, chunk).is_err());
            }
        }
        damage
    }

    fn make_room(&mut self) {
        while self.loaded.len() >= self.max_loaded {
            let oldest = self.loaded.iter().min_by_key(|(_, loaded)| loaded.used);
            let Some(id) = oldest.map(|(id, _)| *id) else { return };
            self.loaded.remove(&id);
        }
    }

    fn load(&self, block: &BlockInfo) -> Option<Arc<Block>> {
        if let Some(kept) = self.cache.get(block.id) {
            return Some(kept);
        }
        let seed = self.meta.seed(Table::Block, i64::from(block.id));
        // Its series were checked when the partition was opened.
        let head = Head::decode(&block.head, seed, u32::MAX).ok()?;
        let data = self
            .connection
            .prepare_cached("SELECT data FROM block WHERE id = ?1")
            .and_then(|mut query| query.query_row([block.id], |row| row.get(0)).optional());
        let data = head.unpacked(data.ok()??).ok()?;
        let loaded = Arc::new(Block::new(head, data));
        self.cache.put(block.id, &loaded);
        Some(loaded)
    }
}
