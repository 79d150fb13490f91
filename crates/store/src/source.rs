//! One file of a partition as a reader sees it, live or not.

use std::sync::Arc;

use barograph_model::{Buckets, Labels, Matcher};

use crate::blocks::{BlockReader, Blocks, Damage};
use crate::codec::bytes::Decoded;
use crate::columns::{self, Columns};
use crate::db::Database;
use crate::error::OpenError;
use crate::gathered::Gathered;
use crate::index::Index;
use crate::live::Live;
use crate::load::Lost;
use crate::room::Room;
use crate::sealed::Sealed;
use crate::sync::read;

#[derive(Debug, Clone)]
pub(crate) enum Source {
    Live(Arc<Live>),
    Sealed(Arc<Sealed>),
}

impl Source {
    /// The series that all matchers want, in order of their labels.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<(u32, Labels)> {
        self.select_few(matchers, usize::MAX).unwrap_or_default()
    }

    /// The same, if they are not more than `max`.
    pub(crate) fn select_few(
        &self,
        matchers: &[Matcher],
        max: usize,
    ) -> Option<Vec<(u32, Labels)>> {
        self.with_index(|index| {
            let ids = Some(index.select(matchers)).filter(|ids| ids.len() <= max)?;
            let ids = index.in_order(ids).into_iter();
            Some(ids.filter_map(|id| Some((id, index.labels(id)?.clone()))).collect())
        })
    }

    pub(crate) fn with_index<T>(&self, act: impl FnOnce(&Index) -> T) -> T {
        match self {
            Self::Live(live) => act(&read(&live.index)),
            Self::Sealed(sealed) => act(&sealed.index),
        }
    }

    pub(crate) fn lost(&self) -> Lost {
        match self {
            Self::Live(live) => live.lost,
            Self::Sealed(sealed) => sealed.lost,
        }
    }

    fn database(&self) -> &Database {
        match self {
            Self::Live(live) => &live.database,
            Self::Sealed(sealed) => &sealed.database,
        }
    }

    /// One of so many readers.
    fn reader(&self, readers: usize) -> Result<BlockReader<'_>, OpenError> {
        let meta = match self {
            Self::Live(live) => read(&live.state).meta,
            Self::Sealed(sealed) => sealed.meta,
        };
        let database = self.database();
        Ok(BlockReader::new(database.reader()?, &database.blocks, meta, readers))
    }
}

/// Reads from several files, for one thread. A file is opened when its first block is needed.
#[derive(Debug)]
pub(crate) struct Readers<'a> {
    sources: &'a [Source],
    files: Vec<Reader<'a>>,
    /// For what is read again and again.
    room: Option<&'a Arc<Room>>,
    newest: Columns,
}

#[derive(Debug)]
enum Reader<'a> {
    Closed,
    Open(Box<BlockReader<'a>>),
    Failed,
}

impl<'a> Reader<'a> {
    fn open(&mut self, source: &'a Source, readers: usize) -> Option<&mut BlockReader<'a>> {
        if matches!(self, Self::Closed) {
            let reader = source.reader(readers);
            *self = reader.map_or(Self::Failed, |reader| Self::Open(Box::new(reader)));
        }
        match self {
            Self::Open(reader) => Some(reader),
            Self::Closed | Self::Failed => None,
        }
    }
}

impl<'a> Readers<'a> {
    pub(crate) fn new(sources: &'a [Source]) -> Self {
        let files = sources.iter().map(|_| Reader::Closed).collect();
        Self { sources, files, room: None, newest: Columns::default() }
    }

    /// Readers that keep what they decode where there is room, as others will ask for it, too.
    pub(crate) fn keeping(sources: &'a [Source], room: &'a Arc<Room>) -> Self {
        let mut readers = Self::new(sources);
        readers.room = Some(room);
        readers
    }

    /// Appends at least the samples that one file has of a series in a range, in the order in
    /// which they were written, as far as they can be told apart.
    pub(crate) fn read(
        &mut self,
        place: (usize, u32),
        labels: &Labels,
        range_ms: (i64, i64),
        out: &mut Columns,
    ) -> Damage {
        let mut gathered = Gathered::from(std::mem::take(out));
        let damage = self.gather(place, labels, range_ms, &mut gathered);
        *out = gathered.into_samples();
        damage
    }

    /// As [`Readers::read`].
    pub(crate) fn gather(
        &mut self,
        (source, id): (usize, u32),
        labels: &Labels,
        range_ms: (i64, i64),
        out: &mut Gathered,
    ) -> Damage {
        let (readers, room) = (self.sources.len(), self.room);
        let reader = &mut self.files[source];
        let newest = &mut self.newest;
        let source = &self.sources[source];
        let mut read_blocks = |blocks: &Blocks, out: &mut Gathered| {
            if !blocks.has(id, range_ms) {
                return Damage::default();
            }
            match reader.open(source, readers) {
                Some(reader) => reader.read(blocks, id, range_ms, &mut |block, chunk| {
                    block.gather(chunk, labels, range_ms, room, out)
                }),
                None => Damage { chunks: 0, blocks: blocks.iter().map(|block| block.id).collect() },
            }
        };
        match source {
            Source::Live(live) => {
                let (blocks, frozen, head) = live.read_head(id, range_ms, newest);
                let mut damage = read_blocks(&blocks, out);
                if let Some(frozen) = frozen {
                    let newest = out.samples();
                    damage.chunks += read_part(newest, |out| frozen.head.read(id, range_ms, out));
                }
                damage.chunks += u64::from(head.is_err());
                out.append(newest);
                damage
            }
            Source::Sealed(sealed) => {
                let mut damage = read_blocks(&sealed.blocks, out);
                if !sealed.head.is_empty() {
                    let older = out.samples();
                    damage.chunks += read_part(older, |out| sealed.head.read(id, range_ms, out));
                }
                damage
            }
        }
    }
}

impl Readers<'_> {
    /// Appends the buckets of a series that end in a range, from a tier's file.
    pub(crate) fn read_buckets(
        &mut self,
        (source, id): (usize, u32),
        labels: &Labels,
        range_ms: (i64, i64),
        out: &mut Buckets,
    ) -> Damage {
        let readers = self.sources.len();
        let Source::Sealed(sealed) = &self.sources[source] else { return Damage::default() };
        let blocks = &sealed.blocks;
        if !blocks.has(id, range_ms) {
            return Damage::default();
        }
        match self.files[source].open(&self.sources[source], readers) {
            Some(reader) => reader.read(blocks, id, range_ms, &mut |block, index| {
                let (chunk, bytes) = block.chunk(index)?;
                block.head.read_buckets(chunk, bytes, labels, range_ms, out)
            }),
            None => Damage { chunks: 0, blocks: blocks.iter().map(|block| block.id).collect() },
        }
    }
}

impl Drop for Readers<'_> {
    fn drop(&mut self) {
        for (source, reader) in self.sources.iter().zip(self.files.drain(..)) {
            if let Reader::Open(reader) = reader {
                source.database().give_back(reader.connection);
            }
        }
    }
}

/// Appends all of a part or nothing; the number of damaged ones.
fn read_part(out: &mut Columns, read: impl FnOnce(&mut Columns) -> Decoded<()>) -> u64 {
    let len = out.times.len();
    let damaged = read(out).is_err();
    if damaged {
        columns::truncate(out, len);
    }
    u64::from(damaged)
}
