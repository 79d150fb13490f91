//! How samples become bytes and come back: pure functions without files.
//!
//! Whatever is read here may be damaged: every count is checked against the bytes that are
//! there before anything is allocated, and nothing panics.

pub(crate) mod batch;
mod batch_v1;
pub(crate) mod block;
pub(crate) mod buckets;
pub(crate) mod bytes;
pub(crate) mod names;
pub(crate) mod pack;
pub(crate) mod times;
pub(crate) mod values;

/// The most samples one chunk may hold; a decoder refuses more before it allocates.
pub(crate) const MAX_CHUNK_SAMPLES: usize = 65_536;
