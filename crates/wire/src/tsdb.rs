//! Blocks of Prometheus' own storage: a folder with `index`, `chunks/000001` and so on, and
//! perhaps `tombstones`.
//!
//! Follows Prometheus' descriptions of its formats, index version 2 and chunks version 1
//! (<https://github.com/prometheus/prometheus/tree/main/tsdb/docs/format>). Only samples that are
//! floats are read; native histograms are counted.

mod bits;
mod chunk;
mod index;

pub use chunk::{ChunkData, MAX_CHUNK_BYTES, chunk_length, read_chunk};
pub use index::{BlockChunk, BlockIndex, BlockSeries, Deleted, read_tombstones};

/// What a file of chunks begins with.
pub const CHUNKS_MAGIC: [u8; 4] = 0x85bd_40dd_u32.to_be_bytes();

/// Why a block cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TsdbError {
    #[error("it is no {what} of Prometheus: it begins with other bytes")]
    Foreign { what: &'static str },
    #[error("its format has version {found}, but only {known} is known")]
    Version { found: u8, known: u8 },
    #[error("the {what} at byte {offset} is damaged")]
    Damaged { what: &'static str, offset: usize },
    #[error("the labels of the series at byte {offset} cannot be stored")]
    Labels { offset: usize, source: barograph_model::LabelsError },
}
