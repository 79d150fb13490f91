//! Rewrites the files of a partition that is over into one, its final form: series in order of
//! their labels, chunks as long as they may be, at the codec's best.
//!
//! The new file is written beside the old ones and renamed when it is complete and on disk;
//! a kill before that leaves an unfinished file that the next start removes. Damaged files are
//! left as they are: what can be read of them is read, and nothing of them is thrown away.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use barograph_model::{Clock, Labels};
use rusqlite::{Connection, params};

use crate::blocks::Damage;
use crate::codec::block::Encoded;
use crate::codec::bytes::Damaged;
use crate::codec::names;
use crate::codec::values::Effort;
use crate::columns::{self, ALL_TIMES, Columns};
use crate::db::{Meta, Table, create_unshared, insert_block, write_meta};
use crate::error::SealError;
use crate::folder::FileKind;
use crate::partition::Partition;
use crate::seal::{Packer, block_info};
use crate::source::{Readers, Source};

/// Series in one row.
const SERIES_AT_ONCE: usize = 4096;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rewritten {
    Done,
    /// The store is being closed.
    Stopped,
    /// There is damage in the files.
    LeftAlone,
}

/// What a rewriting is held back by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manners<'a> {
    pub(crate) stop: &'a AtomicBool,
    pub(crate) clock: &'a dyn Clock,
}

pub(crate) fn rewrite(
    partition: &Partition,
    merged: &[FileKind],
    manners: Manners<'_>,
) -> Result<Rewritten, SealError> {
    let found = partition.sources();
    // Files closed since then are not among the merged ones, and a live one never is.
    let sources: Vec<Source> = found
        .sources
        .into_iter()
        .filter(|source| matches!(source, Source::Sealed(_)))
        .take(merged.len())
        .collect();
    let intact = sources.iter().all(|source| source.lost() == crate::load::Lost::default());
    if !found.errors.is_empty() || !intact || sources.len() != merged.len() {
        return Ok(Rewritten::LeftAlone);
    }
    let number = partition.next_number();
    let path = partition.path(FileKind::Unfinished(number));
    let written = Rewriting { path: path.clone(), sources: &sources, manners }.write(partition);
    drop(sources);
    if !matches!(written, Ok(Rewritten::Done)) {
        remove(&path)?;
        return written;
    }
    partition
        .replace(merged, FileKind::Final(number))
        .map_err(|source| SealError::File { path, source })?;
    Ok(Rewritten::Done)
}

fn remove(path: &Path) -> Result<(), SealError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(SealError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

struct Rewriting<'a> {
    path: PathBuf,
    sources: &'a [Source],
    manners: Manners<'a>,
}

impl Rewriting<'_> {
    fn write(&self, partition: &Partition) -> Result<Rewritten, SealError> {
        remove(&self.path)?;
        let (connection, mut meta) =
            create_unshared(&self.path, partition.span).map_err(|source| self.failed(source))?;
        let mut places: BTreeMap<Labels, Vec<(usize, u32)>> = BTreeMap::new();
        for (index, source) in self.sources.iter().enumerate() {
            for (id, labels) in source.select(&[]) {
                places.entry(labels).or_default().push((index, id));
            }
        }
        let labels: Vec<Labels> = places.keys().cloned().collect();
        self.write_series(&connection, &mut meta, &labels)?;
        let mut packer = Packer::new(meta, Effort::Best);
        let mut readers = Readers::new(self.sources);
        let mut columns = Columns::default();
        let mut working_since = self.manners.clock.monotonic();
        for (series, (labels, places)) in (0..).zip(&places) {
            if self.manners.stop.load(Ordering::Relaxed) {
                return Ok(Rewritten::Stopped);
            }
            columns::clear(&mut columns);
            for place in places {
                let damage = readers.read(*place, labels, ALL_TIMES, &mut columns);
                if damage != Damage::default() {
                    return Ok(Rewritten::LeftAlone);
                }
            }
            columns::normalise(&mut columns);
            packer.push(series, labels, &columns).map_err(|damaged| self.not_encoded(&damaged))?;
            if let Some(blocks) = packer.take_full() {
                self.write_blocks(&connection, &mut meta, &blocks)?;
                working_since = self.rest(working_since);
            }
        }
        self.write_blocks(&connection, &mut meta, &packer.finish())?;
        write_meta(&connection, &meta).map_err(|source| self.failed(source))?;
        connection.close().map_err(|(_, source)| self.failed(source))?;
        let synced = File::options().write(true).open(&self.path).and_then(|file| file.sync_all());
        synced.map_err(|source| SealError::File { path: self.path.clone(), source })?;
        Ok(Rewritten::Done)
    }

    /// Works at most half of the time: nobody waits for this.
    fn rest(&self, working_since: std::time::Duration) -> std::time::Duration {
        let worked = self.manners.clock.monotonic().saturating_sub(working_since);
        std::thread::sleep(worked.min(std::time::Duration::from_millis(100)));
        self.manners.clock.monotonic()
    }

    #[expect(clippy::cast_possible_truncation, reason = "series have u32 ids")]
    fn write_series(
        &self,
        connection: &Connection,
        meta: &mut Meta,
        labels: &[Labels],
    ) -> Result<(), SealError> {
        meta.series = labels.len() as u32;
        let mut first = 0_u32;
        for group in labels.chunks(SERIES_AT_ONCE) {
            let data = names::encode(group, meta.seed(Table::Series, i64::from(first)));
            connection
                .execute("INSERT INTO series (first, data) VALUES (?1, ?2)", params![first, data])
                .map_err(|source| self.failed(source))?;
            first += group.len() as u32;
        }
        Ok(())
    }

    fn write_blocks(
        &self,
        connection: &Connection,
        meta: &mut Meta,
        blocks: &[(u32, Encoded)],
    ) -> Result<(), SealError> {
        for (id, block) in blocks {
            let info =
                block_info(*id, block, meta).map_err(|damaged| self.not_encoded(&damaged))?;
            meta.add_block(info.samples, info.range_ms);
            insert_block(connection, *id, block).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    fn failed(&self, source: rusqlite::Error) -> SealError {
        SealError::Database { path: self.path.clone(), source }
    }

    fn not_encoded(&self, damaged: &Damaged) -> SealError {
        SealError::Encode { path: self.path.clone(), problem: damaged.to_string() }
    }
}
