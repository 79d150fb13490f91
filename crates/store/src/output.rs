//! A new file in its final form, as long as nobody else knows it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use barograph_model::{Buckets, Clock, Labels};
use rusqlite::{Connection, params};

use crate::codec::block::Encoded;
use crate::codec::bytes::Damaged;
use crate::codec::names;
use crate::codec::values::Effort;
use crate::columns::Columns;
use crate::db::{Meta, Table, create_unshared, insert_block, write_meta};
use crate::error::SealError;
use crate::seal::{Packer, block_info};
use crate::span::Span;
use crate::tiers::{Cover, write_covers};

/// Series in one row.
const SERIES_AT_ONCE: usize = 4096;
/// It rests at most so long at once.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// What a work in the background is held back by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manners<'a> {
    pub(crate) stop: &'a AtomicBool,
    pub(crate) clock: &'a dyn Clock,
}

impl Manners<'_> {
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Takes series in order of their labels.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    path: PathBuf,
    connection: Connection,
    meta: Meta,
    packer: Packer,
    manners: Manners<'a>,
    working_since: Duration,
}

impl<'a> Output<'a> {
    /// Makes the file. It gets the identity of another whose samples it takes over, if any.
    #[expect(clippy::cast_possible_truncation, reason = "series have u32 ids")]
    pub(crate) fn create(
        path: &Path,
        span: Span,
        uuid: Option<u64>,
        labels: &[Labels],
        manners: Manners<'a>,
    ) -> Result<Self, SealError> {
        remove(path)?;
        let failed = |source| SealError::Database { path: path.to_owned(), source };
        let (connection, mut meta) = create_unshared(path, span, uuid).map_err(failed)?;
        meta.series = labels.len() as u32;
        let mut first = 0_u32;
        for group in labels.chunks(SERIES_AT_ONCE) {
            let data = names::encode_packed(group, meta.seed(Table::Series, i64::from(first)));
            connection
                .execute("INSERT INTO series (first, data) VALUES (?1, ?2)", params![first, data])
                .map_err(failed)?;
            first += group.len() as u32;
        }
        let packer = Packer::new(meta, Effort::Best);
        let working_since = manners.clock.monotonic();
        Ok(Self { path: path.to_owned(), connection, meta, packer, manners, working_since })
    }

    pub(crate) fn push(
        &mut self,
        series: u32,
        labels: &Labels,
        columns: &Columns,
    ) -> Result<(), SealError> {
        let pushed = self.packer.push(series, labels, columns);
        pushed.map_err(|damaged| self.not_encoded(&damaged))?;
        self.write_full()
    }

    pub(crate) fn push_buckets(
        &mut self,
        series: u32,
        labels: &Labels,
        buckets: &Buckets,
    ) -> Result<(), SealError> {
        let pushed = self.packer.push_buckets(series, labels, buckets);
        pushed.map_err(|damaged| self.not_encoded(&damaged))?;
        self.write_full()
    }

    fn write_full(&mut self) -> Result<(), SealError> {
        if let Some(blocks) = self.packer.take_full() {
            self.write_blocks(&blocks)?;
            self.rest();
        }
        Ok(())
    }

    /// Works at most half of the time: nobody waits for this.
    fn rest(&mut self) {
        let worked = self.manners.clock.monotonic().saturating_sub(self.working_since);
        std::thread::sleep(worked.min(LONGEST_REST));
        self.working_since = self.manners.clock.monotonic();
    }

    fn write_blocks(&mut self, blocks: &[(u32, Encoded)]) -> Result<(), SealError> {
        for (id, block) in blocks {
            let info = block_info(*id, block, &self.meta);
            let info = info.map_err(|damaged| self.not_encoded(&damaged))?;
            self.meta.add_block(info.samples, info.range_ms);
            insert_block(&self.connection, *id, block).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// Completes the file; it is on disk then.
    pub(crate) fn finish(mut self, covers: &[Cover]) -> Result<(), SealError> {
        let packer = std::mem::replace(&mut self.packer, Packer::new(self.meta, Effort::Best));
        self.write_blocks(&packer.finish())?;
        write_meta(&self.connection, &self.meta).map_err(|source| self.failed(source))?;
        if !covers.is_empty() {
            write_covers(&self.connection, &self.meta, covers)
                .map_err(|source| self.failed(source))?;
        }
        let Self { path, connection, .. } = self;
        connection
            .close()
            .map_err(|(_, source)| SealError::Database { path: path.clone(), source })?;
        let synced = File::options().write(true).open(&path).and_then(|file| file.sync_all());
        synced.map_err(|source| SealError::File { path, source })
    }

    fn failed(&self, source: rusqlite::Error) -> SealError {
        SealError::Database { path: self.path.clone(), source }
    }

    fn not_encoded(&self, damaged: &Damaged) -> SealError {
        SealError::Encode { path: self.path.clone(), problem: damaged.to_string() }
    }
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<(), SealError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(SealError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
