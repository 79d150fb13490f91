//! A partition as readers and the writer find it: live while it is written to, sealed and
//! read-only after that.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};

use barograph_model::{Labels, Matcher};

use crate::blocks::{BlockReader, Blocks, Damage};
use crate::db::{Database, Meta};
use crate::error::OpenError;
use crate::index::Index;
use crate::live::{Live, Lost, SeriesParts};
use crate::load::{Loaded, read_blocks, read_series};
use crate::registry::Registry;
use crate::span::Span;
use crate::sync::{lock, read, write};

#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) span: Span,
    path: PathBuf,
    slot: Mutex<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    live: Option<Arc<Live>>,
    sealed: Option<Arc<Sealed>>,
    /// As of the last closing.
    facts: Option<Facts>,
}

/// How much is in a partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) samples: u64,
    pub(crate) head_samples: u64,
    pub(crate) series: u64,
    pub(crate) range_ms: Option<(i64, i64)>,
}

/// A partition without a head, opened for readers.
#[derive(Debug)]
pub(crate) struct Sealed {
    database: Database,
    meta: Meta,
    pub(crate) index: Index,
    blocks: Arc<Blocks>,
    lost: Lost,
}

impl Sealed {
    fn open(path: PathBuf) -> Result<Self, OpenError> {
        let database = Database::new(path);
        let connection = database.reader()?;
        let failed = |source| OpenError::Database { path: database.path.clone(), source };
        let meta = database.meta(&connection)?.ok_or_else(|| OpenError::Foreign {
            path: database.path.clone(),
            problem: "the record about the partition is missing".to_owned(),
        })?;
        let mut index = Index::default();
        let series = read_series(&connection, &meta, &mut index).map_err(failed)?;
        let (blocks, lost_blocks) = read_blocks(&connection, &meta, index.len()).map_err(failed)?;
        let damage = Damage { blocks: lost_blocks, ..Damage::default() };
        let lost = Lost { damage, series, ..Lost::default() };
        database.give_back(connection);
        Ok(Self { database, meta, index, blocks: Arc::new(blocks), lost })
    }
}

/// Where a reader finds samples.
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
            Self::Sealed(sealed) => {
                SeriesParts { blocks: Arc::clone(&sealed.blocks), frozen: None, head: None }
            }
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

impl Partition {
    pub(crate) fn new(span: Span, path: PathBuf) -> Self {
        Self { span, path, slot: Mutex::default() }
    }

    /// The live file, opened when it is not, and made when there is none.
    pub(crate) fn live(
        &self,
        registry: &RwLock<Registry>,
        max_bytes: Option<u64>,
    ) -> Result<Arc<Live>, OpenError> {
        let mut slot = lock(&self.slot);
        if let Some(live) = &slot.live {
            return Ok(Arc::clone(live));
        }
        let path = self.path.clone();
        let loaded = Loaded::open(path, self.span, max_bytes, &mut write(registry))?;
        let live = Arc::new(Live::assemble(loaded, max_bytes));
        slot.live = Some(Arc::clone(&live));
        slot.sealed = None;
        Ok(live)
    }

    /// The live file, if it is open.
    pub(crate) fn open_live(&self) -> Option<Arc<Live>> {
        lock(&self.slot).live.clone()
    }

    /// Closes the live file when everything in it is sealed.
    pub(crate) fn close(&self) -> bool {
        let mut slot = lock(&self.slot);
        let Some(live) = slot.live.take_if(|live| live.close()) else { return false };
        live.database.close_idle();
        slot.facts = Some(live.facts());
        true
    }

    /// What is known without opening it.
    pub(crate) fn facts(&self) -> Option<Facts> {
        let slot = lock(&self.slot);
        slot.live.as_ref().map(|live| live.facts()).or(slot.facts)
    }

    pub(crate) fn source(&self) -> Result<Source, OpenError> {
        let mut slot = lock(&self.slot);
        if let Some(live) = &slot.live {
            return Ok(Source::Live(Arc::clone(live)));
        }
        if let Some(sealed) = &slot.sealed {
            return Ok(Source::Sealed(Arc::clone(sealed)));
        }
        let sealed = Arc::new(Sealed::open(self.path.clone())?);
        slot.sealed = Some(Arc::clone(&sealed));
        Ok(Source::Sealed(sealed))
    }

    /// Forgets what was read of a sealed partition.
    pub(crate) fn forget(&self) {
        lock(&self.slot).sealed = None;
    }
}
