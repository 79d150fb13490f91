//! One file of a partition as a reader sees it, live or not.

use std::sync::Arc;

use barograph_model::{Labels, Matcher};

use crate::blocks::{BlockReader, Damage};
use crate::columns::Columns;
use crate::db::Database;
use crate::error::OpenError;
use crate::index::Index;
use crate::live::{Live, SeriesParts};
use crate::load::Lost;
use crate::sealed::Sealed;
use crate::sync::read;

#[derive(Debug, Clone)]
pub(crate) enum Source {
    Live(Arc<Live>),
    Sealed(Arc<Sealed>),
}

impl Source {
    /// The series that all matchers want.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<(u32, Labels)> {
        self.with_index(|index| {
            let ids = index.select(matchers).into_iter();
            ids.filter_map(|id| Some((id, index.labels(id)?.clone()))).collect()
        })
    }

    pub(crate) fn with_index<T>(&self, act: impl FnOnce(&Index) -> T) -> T {
        match self {
            Self::Live(live) => act(&read(&live.index)),
            Self::Sealed(sealed) => act(&sealed.index),
        }
    }

    pub(crate) fn parts(&self, series: u32) -> SeriesParts {
        match self {
            Self::Live(live) => live.parts(series),
            Self::Sealed(sealed) => SeriesParts {
                blocks: Arc::clone(&sealed.blocks),
                frozen: None,
                head: sealed.head.series(series).cloned(),
            },
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

    pub(crate) fn reader(&self) -> Result<BlockReader, OpenError> {
        let meta = match self {
            Self::Live(live) => read(&live.state).meta,
            Self::Sealed(sealed) => sealed.meta,
        };
        Ok(BlockReader::new(self.database().reader()?, meta))
    }

    pub(crate) fn give_back(&self, reader: BlockReader) {
        self.database().give_back(reader.connection);
    }
}

/// The readers of a partition's files.
#[derive(Debug)]
pub(crate) struct Readers<'a> {
    sources: &'a [Source],
    readers: Vec<Option<BlockReader>>,
}

impl<'a> Readers<'a> {
    pub(crate) fn open(sources: &'a [Source]) -> Self {
        let readers = sources.iter().map(|source| source.reader().ok()).collect();
        Self { sources, readers }
    }

    /// Reads one series of all files; later writes win.
    pub(crate) fn read(
        &mut self,
        labels: &Labels,
        places: &[(usize, u32)],
        range_ms: (i64, i64),
        columns: &mut Columns,
    ) -> Damage {
        columns.clear();
        let mut damage = Damage::default();
        for (index, id) in places {
            let parts = self.sources[*index].parts(*id);
            match &mut self.readers[*index] {
                Some(reader) => {
                    damage += reader.read(&parts.blocks, (*id, labels), range_ms, columns);
                }
                None => damage.blocks += parts.blocks.iter().count() as u64,
            }
            for head in [parts.frozen, parts.head].into_iter().flatten() {
                let len = columns.times.len();
                if head.read(columns).is_err() {
                    columns.times.truncate(len);
                    columns.values.truncate(len);
                    damage.chunks += 1;
                }
            }
        }
        columns.normalise();
        columns.clip(range_ms.0, range_ms.1);
        damage
    }

    pub(crate) fn close(self) {
        for (source, reader) in self.sources.iter().zip(self.readers) {
            if let Some(reader) = reader {
                source.give_back(reader);
            }
        }
    }
}
