//! Blocks that were read a moment ago: the next question of the same page wants them again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::codec::block::Head;
use crate::sync::lock;

/// Kept of one file: some hundred days of a series, or an hour of all series of a host.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// What nobody asked for in so many passes of the maintenance, which come every second, goes.
const MAX_IDLE: u32 = 60;

/// A block as it was read.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) head: Head,
    pub(crate) data: Vec<u8>,
}

/// Blocks of one file by their ids. Once written, a block never changes. Nothing is kept before
/// somebody lets time pass: who reads everything once would fill it for nothing.
#[derive(Debug, Default)]
pub(crate) struct BlockCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Each with the number of its last use.
    blocks: HashMap<u32, (Arc<Block>, u64)>,
    bytes: usize,
    uses: u64,
    idle: u32,
    is_tended: bool,
}

impl BlockCache {
    pub(crate) fn get(&self, id: u32) -> Option<Arc<Block>> {
        let mut kept = lock(&self.0);
        kept.idle = 0;
        kept.uses += 1;
        let uses = kept.uses;
        let (block, used) = kept.blocks.get_mut(&id)?;
        *used = uses;
        Some(Arc::clone(block))
    }

    pub(crate) fn put(&self, id: u32, block: &Arc<Block>) {
        let size = block.data.len();
        let mut kept = lock(&self.0);
        if size > MAX_BYTES || !kept.is_tended {
            return;
        }
        while kept.bytes + size > MAX_BYTES {
            let oldest = kept.blocks.iter().min_by_key(|(_, (_, used))| *used);
            let Some(id) = oldest.map(|(id, _)| *id) else { break };
            kept.remove(id);
        }
        kept.remove(id);
        kept.uses += 1;
        kept.bytes += size;
        let used = kept.uses;
        kept.blocks.insert(id, (Arc::clone(block), used));
    }

    /// Time passes; what is not used goes.
    pub(crate) fn tire(&self) {
        let mut kept = lock(&self.0);
        kept.is_tended = true;
        kept.idle = kept.idle.saturating_add(1);
        if kept.idle >= MAX_IDLE {
            kept.blocks = HashMap::new();
            kept.bytes = 0;
        }
    }
}

impl Kept {
    fn remove(&mut self, id: u32) {
        if let Some((block, _)) = self.blocks.remove(&id) {
            self.bytes -= block.data.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::block::Builder;

    fn block(bytes: usize) -> Arc<Block> {
        let head = Head::decode(&Builder::default().finish(0).head, 0, 0).unwrap();
        Arc::new(Block { head, data: vec![0; bytes] })
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes() {
        let cache = BlockCache::default();
        cache.put(0, &block(1));
        assert!(cache.get(0).is_none());
        cache.tire();
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
    fn what_nobody_asks_for_goes() {
        let cache = BlockCache::default();
        cache.tire();
        cache.put(0, &block(1));
        assert!(cache.get(0).is_some());
        for _ in 1..MAX_IDLE {
            cache.tire();
        }
        assert!(cache.get(0).is_some());
        for _ in 0..MAX_IDLE {
            cache.tire();
        }
        assert!(cache.get(0).is_none());
    }
}
