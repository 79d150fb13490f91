//! Who takes the space: bytes of each series.

use std::collections::HashMap;
use std::sync::Arc;

use barograph_model::Labels;

use crate::blocks::Blocks;
use crate::db::Meta;
use crate::head::Head;
use crate::shared::Shared;
use crate::source::Source;
use crate::sync::read;

/// What the samples of one series take. Timestamps, which series share, are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Space {
    pub disk_bytes: u64,
    /// Of samples that are not yet sealed; until then they share rows on disk.
    pub memory_bytes: u64,
}

impl Space {
    pub const fn bytes(self) -> u64 {
        self.disk_bytes + self.memory_bytes
    }
}

/// Of all series in the partitions that overlap a range.
pub(crate) fn space(shared: &Shared, range_ms: (i64, i64)) -> HashMap<Labels, Space> {
    let mut found: HashMap<Labels, Space> = HashMap::new();
    for partition in shared.overlapping(range_ms.0, range_ms.1) {
        // Files that cannot be read take space as well, but nobody knows whose.
        for source in shared.sources(&partition).sources {
            let by_id = of_source(&source);
            source.with_index(|index| {
                for (id, labels) in index.iter() {
                    let Some(space) = by_id.get(id as usize) else { continue };
                    let sum = found.entry(labels.clone()).or_default();
                    sum.disk_bytes += space.disk_bytes;
                    sum.memory_bytes += space.memory_bytes;
                }
            });
        }
    }
    found
}

/// By the file's own ids.
fn of_source(source: &Source) -> Vec<Space> {
    let mut by_id = Vec::new();
    match source {
        Source::Sealed(sealed) => {
            add_blocks(&sealed.blocks, &sealed.meta, &mut by_id);
            add_head(&sealed.head, &mut by_id);
        }
        Source::Live(live) => {
            let state = read(&live.state);
            let (blocks, meta) = (Arc::clone(&state.blocks), state.meta);
            add_head(&state.head, &mut by_id);
            if let Some(frozen) = &state.frozen {
                add_head(&frozen.head, &mut by_id);
            }
            drop(state);
            add_blocks(&blocks, &meta, &mut by_id);
        }
    }
    by_id
}

fn of_id(by_id: &mut Vec<Space>, id: u32) -> &mut Space {
    let index = id as usize;
    if by_id.len() <= index {
        by_id.resize(index + 1, Space::default());
    }
    &mut by_id[index]
}

fn add_blocks(blocks: &Blocks, meta: &Meta, by_id: &mut Vec<Space>) {
    for block in blocks.iter() {
        for (id, bytes) in block.chunk_bytes(meta) {
            of_id(by_id, id).disk_bytes += bytes as u64;
        }
    }
}

fn add_head(head: &Head, by_id: &mut Vec<Space>) {
    for (id, bytes) in head.series_bytes() {
        of_id(by_id, id).memory_bytes += bytes as u64;
    }
}
