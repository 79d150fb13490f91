//! Blocks of Prometheus' storage.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use barograph_model::Labels;
use barograph_wire::tsdb::{
    BlockChunk, BlockIndex, BlockSeries, CHUNKS_MAGIC, ChunkData, Deleted, MAX_CHUNK_BYTES,
    chunk_length, read_chunk, read_tombstones,
};

use super::target::Target;
use crate::output;
use crate::progress::ProgressLine;

/// The index is read as a whole.
const MAX_INDEX_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Samples are gathered by time for as long as this; chunks at a border are read twice.
const SLICE_MS: i64 = 2 * 3_600_000;

/// A block, or a folder of blocks.
pub(super) fn read(path: &Path, target: &mut Target) -> anyhow::Result<()> {
    if path.join("index").is_file() {
        return read_block(path, target);
    }
    let mut blocks = Vec::new();
    for entry in fs::read_dir(path)? {
        let folder = entry?.path();
        if folder.join("index").is_file() && folder.join("meta.json").is_file() {
            blocks.push(folder);
        }
    }
    anyhow::ensure!(
        !blocks.is_empty(),
        "no block of Prometheus is in it (each has a file `index`)"
    );
    // Names begin with the time at which they were made.
    blocks.sort();
    for block in blocks {
        read_block(&block, target).with_context(|| block.display().to_string())?;
    }
    if path.join("wal").is_dir() {
        target.leave_out("write-ahead log: a snapshot has what is in it as a block", 1);
    }
    Ok(())
}

fn read_block(folder: &Path, target: &mut Target) -> anyhow::Result<()> {
    let path = folder.join("index");
    let size = fs::metadata(&path)?.len();
    anyhow::ensure!(
        size <= MAX_INDEX_BYTES,
        "its index has {}, at most {} are allowed",
        output::size(size),
        output::size(MAX_INDEX_BYTES)
    );
    let index = fs::read(&path)?;
    let mut series = Vec::new();
    for one in BlockIndex::new(&index).context("index")? {
        let BlockSeries { reference, labels, chunks } = one.context("index")?;
        let labels = target.labels(labels)?;
        series.push(BlockSeries { reference, labels, chunks });
    }
    drop(index);
    let mut block =
        Block { folder, segments: Vec::new(), deleted: deleted(folder)?, buffer: Vec::new() };
    let ranges = || series.iter().flat_map(|one| &one.chunks).map(|chunk| chunk.range_ms);
    let (Some(first), Some(last)) = (ranges().map(|r| r.0).min(), ranges().map(|r| r.1).max())
    else {
        return Ok(());
    };
    let mut progress = ProgressLine::new("reading");
    let span = u64::try_from(last.saturating_sub(first)).unwrap_or(0) + 1;
    let mut from = first;
    while from <= last {
        let to = from.saturating_add(SLICE_MS - 1);
        for one in &series {
            block.read(one, (from, to), target)?;
        }
        let done = u64::try_from(to.min(last).saturating_sub(first)).unwrap_or(0) + 1;
        progress.show(done, span, || format!("{} samples", target.samples()));
        let Some(next) = to.checked_add(1) else { break };
        from = next;
    }
    Ok(())
}

fn deleted(folder: &Path) -> anyhow::Result<Deleted> {
    match fs::read(folder.join("tombstones")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Deleted::default()),
        bytes => read_tombstones(&bytes.context("tombstones")?).context("tombstones"),
    }
}

struct Block<'a> {
    folder: &'a Path,
    segments: Vec<(PathBuf, File)>,
    deleted: Deleted,
    buffer: Vec<u8>,
}

impl Block<'_> {
    /// The samples of a series in a slice of time.
    fn read(
        &mut self,
        series: &BlockSeries,
        (from, to): (i64, i64),
        target: &mut Target,
    ) -> anyhow::Result<()> {
        for chunk in &series.chunks {
            if chunk.range_ms.0 > to || chunk.range_ms.1 < from {
                continue;
            }
            let samples = match self.read_chunk(*chunk)? {
                ChunkData::Floats(samples) => samples,
                ChunkData::Other => {
                    // Counted in the slice that it begins in.
                    let begins = (from..=to).contains(&chunk.range_ms.0);
                    target.leave_out("chunks of native histograms", u64::from(begins));
                    continue;
                }
            };
            let deleted = self.deleted.get(&series.reference).map_or(&[][..], Vec::as_slice);
            push(&samples, (from, to), deleted, &series.labels, target)?;
        }
        Ok(())
    }

    fn read_chunk(&mut self, chunk: BlockChunk) -> anyhow::Result<ChunkData> {
        let number = chunk.segment as usize;
        while self.segments.len() <= number {
            let path = self.folder.join("chunks").join(format!("{:06}", self.segments.len() + 1));
            let segment = open_segment(&path).with_context(|| path.display().to_string())?;
            self.segments.push((path, segment));
        }
        let (path, file) = &mut self.segments[number];
        let read = read_at(file, u64::from(chunk.offset), &mut self.buffer);
        read.with_context(|| format!("{} at byte {}", path.display(), chunk.offset))
    }
}

fn open_segment(path: &Path) -> anyhow::Result<File> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    file.read_exact(&mut magic)?;
    anyhow::ensure!(magic == CHUNKS_MAGIC, "it is no file of chunks");
    Ok(file)
}

/// Prometheus' own chunks are smaller, so that one reading is mostly enough.
const USUAL_BYTES: u64 = 1024;

fn read_at(file: &mut File, offset: u64, buffer: &mut Vec<u8>) -> anyhow::Result<ChunkData> {
    file.seek(SeekFrom::Start(offset))?;
    buffer.clear();
    file.by_ref().take(USUAL_BYTES).read_to_end(buffer)?;
    let length = chunk_length(buffer)?;
    if length > buffer.len() {
        debug_assert!(length <= MAX_CHUNK_BYTES + 16, "chunk_length() bounds it");
        let rest = (length - buffer.len()) as u64;
        file.by_ref().take(rest).read_to_end(buffer)?;
    }
    Ok(read_chunk(buffer.get(..length).unwrap_or(buffer))?)
}

fn push(
    samples: &[(i64, f64)],
    (from, to): (i64, i64),
    deleted: &[(i64, i64)],
    labels: &Labels,
    target: &mut Target,
) -> anyhow::Result<()> {
    for (time_ms, value) in samples {
        let is_deleted = deleted.iter().any(|(first, last)| (first..=last).contains(&time_ms));
        if (from..=to).contains(time_ms) && !is_deleted {
            target.push(*time_ms, labels, *value)?;
        }
    }
    Ok(())
}
