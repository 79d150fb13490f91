//! Blocks that were read a moment ago: the next question of the same page wants them again.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use barograph_model::{Labels, is_stale};
use tracing_mutex::stdsync::Mutex;

use crate::codec::block::{ChunkRef, Head};
use crate::codec::bytes::{Damaged, Decoded};
use crate::gathered::{Gathered, Part};
use crate::room::{Patience, Place, Room};
use crate::sync::lock;

/// Kept of one file as it is on disk: some hundred days of a series, or an hour of all series of
/// some hosts.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// What nobody asked for in so many passes of the maintenance, which come every second, goes.
const MAX_IDLE: u32 = 60;
/// The same while there is no room for what is asked for.
const MAX_IDLE_IN_A_CROWD: u32 = 10;

/// A block as it was read.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) head: Head,
    data: Vec<u8>,
    /// For each chunk.
    decoded: Box<[Slot]>,
}

/// What is kept of a chunk that is asked for again.
#[derive(Debug, Default)]
struct Slot {
    was_read: AtomicBool,
    values: OnceLock<Arc<Values>>,
}

/// The decoded values of a chunk, with what spares looking through them.
#[derive(Debug)]
pub(crate) enum Values {
    /// The same bits each time.
    Constant(f64),
    Plain {
        values: Box<[f64]>,
        may_end: bool,
        may_fall: bool,
        _place: Place,
    },
}

impl Values {
    /// The place is what room was taken for them.
    pub(crate) fn new(values: Vec<f64>, place: Place) -> Self {
        if let Some((first, rest)) = values.split_first()
            && rest.iter().all(|value| value.to_bits() == first.to_bits())
        {
            return Self::Constant(*first);
        }
        let may_end = values.iter().any(|value| is_stale(*value));
        let may_fall = values.iter().zip(values.iter().skip(1)).any(|(last, next)| next < last);
        Self::Plain { values: values.into(), may_end, may_fall, _place: place }
    }

    pub(crate) fn may_end(&self) -> bool {
        match self {
            Self::Constant(value) => is_stale(*value),
            Self::Plain { may_end, .. } => *may_end,
        }
    }

    pub(crate) fn may_fall(&self) -> bool {
        matches!(self, Self::Plain { may_fall: true, .. })
    }
}

impl Block {
    pub(crate) fn new(head: Head, data: Vec<u8>) -> Self {
        let decoded = head.chunks.iter().map(|_| Slot::default()).collect();
        Self { head, data, decoded }
    }

    /// The chunks of a series.
    pub(crate) fn chunks_of(&self, series: u32) -> Range<usize> {
        let chunks = &self.head.chunks;
        let start = chunks.partition_point(|chunk| chunk.series < series);
        start..start + chunks[start..].partition_point(|chunk| chunk.series == series)
    }

    /// A chunk and its bytes.
    pub(crate) fn chunk(&self, index: usize) -> Decoded<(ChunkRef, &[u8])> {
        let chunk = self.head.chunks[index];
        let bytes = self.data.get(chunk.start..chunk.end);
        Ok((chunk, bytes.ok_or(Damaged { what: "a block" })?))
    }

    /// Adds a chunk's samples in a range. With room, what is asked for a second time is kept.
    pub(crate) fn gather(
        &self,
        index: usize,
        labels: &Labels,
        range_ms: (i64, i64),
        room: Option<&Arc<Room>>,
        out: &mut Gathered,
    ) -> Decoded<()> {
        let slot = &self.decoded[index];
        let (chunk, bytes) = self.chunk(index)?;
        let values = if let Some(known) = slot.values.get() {
            known
        } else {
            let room = room.filter(|_| slot.was_read.swap(true, Ordering::Relaxed));
            let needed = size_of::<f64>() * self.head.summary(chunk).count;
            // Before they are decoded: where there is none, that would be done twice.
            let Some(place) = room.and_then(|room| room.take(needed)) else {
                return self.head.read(chunk, bytes, labels, range_ms, out.samples());
            };
            let values = Values::new(self.head.values(chunk, bytes, labels)?, place);
            slot.values.get_or_init(|| Arc::new(values))
        };
        let (times, within) = self.head.times(chunk, range_ms)?;
        out.add(Part { times: Arc::clone(times), values: Arc::clone(values), within });
        Ok(())
    }
}

/// Blocks of one file by their ids. Once written, a block never changes. Nothing is kept before
/// somebody lets time pass: who reads everything once would fill it for nothing.
#[derive(Debug, Default)]
pub(crate) struct BlockCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    blocks: HashMap<u32, Entry>,
    bytes: usize,
    uses: u64,
    /// Passes of the maintenance.
    passes: u32,
    /// Nothing may be kept until a pass has patience again.
    is_closed: bool,
}

#[derive(Debug)]
struct Entry {
    block: Arc<Block>,
    /// The number of its last use.
    used: u64,
    /// In which pass that was.
    pass: u32,
}

impl BlockCache {
    pub(crate) fn get(&self, id: u32) -> Option<Arc<Block>> {
        let mut kept = lock(&self.0);
        kept.uses += 1;
        let (used, pass) = (kept.uses, kept.passes);
        let entry = kept.blocks.get_mut(&id)?;
        (entry.used, entry.pass) = (used, pass);
        Some(Arc::clone(&entry.block))
    }

    pub(crate) fn put(&self, id: u32, block: &Arc<Block>) {
        let size = block.data.len();
        let mut kept = lock(&self.0);
        if size > MAX_BYTES || kept.passes == 0 || kept.is_closed {
            return;
        }
        while kept.bytes + size > MAX_BYTES {
            let oldest = kept.blocks.iter().min_by_key(|(_, entry)| entry.used);
            let Some(id) = oldest.map(|(id, _)| *id) else { break };
            kept.remove(id);
        }
        kept.remove(id);
        kept.uses += 1;
        kept.bytes += size;
        let entry = Entry { block: Arc::clone(block), used: kept.uses, pass: kept.passes };
        kept.blocks.insert(id, entry);
    }

    /// Time passes; what is not used goes, and sooner when others wait for its room.
    pub(crate) fn tire(&self, patience: Patience) {
        let mut kept = lock(&self.0);
        kept.passes = kept.passes.saturating_add(1);
        kept.is_closed = patience == Patience::None;
        let max_idle = match patience {
            Patience::Usual => MAX_IDLE,
            Patience::InACrowd => MAX_IDLE_IN_A_CROWD,
            Patience::None => 0,
        };
        let passes = kept.passes;
        let is_idle = |(_, entry): &(&u32, &Entry)| passes - entry.pass >= max_idle;
        let idle: Vec<u32> = kept.blocks.iter().filter(is_idle).map(|(id, _)| *id).collect();
        for id in idle {
            kept.remove(id);
        }
        if kept.blocks.is_empty() {
            kept.blocks = HashMap::new();
        }
    }
}

impl Kept {
    fn remove(&mut self, id: u32) {
        if let Some(entry) = self.blocks.remove(&id) {
            self.bytes -= entry.block.data.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::block::Builder;
    use crate::codec::values::Effort;

    fn block(bytes: usize) -> Arc<Block> {
        let head = Head::decode(&Builder::default().finish(0, Effort::Good).head, 0, 0).unwrap();
        Arc::new(Block::new(head, vec![0; bytes]))
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes() {
        let cache = BlockCache::default();
        cache.put(0, &block(1));
        assert!(cache.get(0).is_none());
        cache.tire(Patience::Usual);
        for id in 0..4 {
            cache.put(id, &block(MAX_BYTES / 4));
        }
        assert!(cache.get(0).is_some());
        cache.put(4, &block(1));
        assert!(cache.get(0).is_some() && cache.get(1).is_none() && cache.get(4).is_some());
        cache.put(4, &block(2));
        cache.put(5, &block(MAX_BYTES + 1));
        assert!(cache.get(5).is_none());
        assert_eq!(lock(&cache.0).bytes, MAX_BYTES / 4 * 3 + 2);
    }

    #[test]
    fn without_patience_everything_goes_at_once_and_nothing_comes() {
        let cache = BlockCache::default();
        cache.tire(Patience::Usual);
        cache.put(0, &block(1));
        assert!(cache.get(0).is_some());
        cache.tire(Patience::None);
        cache.put(0, &block(1));
        assert!(cache.get(0).is_none());
        cache.tire(Patience::Usual);
        cache.put(0, &block(1));
        assert!(cache.get(0).is_some());
    }

    #[test]
    fn what_nobody_asks_for_goes() {
        let cache = BlockCache::default();
        cache.tire(Patience::Usual);
        cache.put(0, &block(1));
        assert!(cache.get(0).is_some());
        for _ in 1..MAX_IDLE {
            cache.tire(Patience::Usual);
        }
        assert!(cache.get(0).is_some());
        for _ in 0..MAX_IDLE {
            cache.tire(Patience::Usual);
        }
        assert!(cache.get(0).is_none());
    }
}
