//! The tiers: what is kept of samples for longer than the samples themselves.
//!
//! A tier's file holds the buckets of one or more partitions of raw samples. Which ones it covers is
//! written in it, each with the identity of the final form that the buckets were made from: when
//! late samples make a new final form, the buckets are known to be old, until they are made again.

mod inferred;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::{Connection, OptionalExtension as _, params};
use tracing_mutex::stdsync::RwLock;

use crate::codec::bytes::{Decoded, Reader, put_checksum, put_count, put_varint, verified, zigzag};
use crate::db::{Meta, Table};
use crate::error::OpenError;
use crate::folder::{FileKind, PartitionFile, is_in_use};
use crate::partition::Partition;
use crate::retention::Retention;
use crate::sealed::Sealed;
use crate::span::Span;
use crate::sync::{read, write};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const MONTH_MS: i64 = 31 * 24 * HOUR_MS;
/// The row of a file's `meta` that lists what it covers.
const COVERS_ID: i64 = 2;
const COVERS_VERSION: u8 = 1;
/// How the names of damaged files end that were kept aside.
pub(crate) const ASIDE: &str = ".damaged.db";
const WHAT: &str = "the list of what a tier's file covers";

/// What is kept, from the finest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Each sample as it came.
    Raw,
    /// Buckets of a minute.
    Minutes,
    /// Buckets of an hour.
    Hours,
}

impl Tier {
    pub const ALL: [Self; 3] = [Self::Raw, Self::Minutes, Self::Hours];
    pub(crate) const ROLLED_UP: [Self; 2] = [Self::Minutes, Self::Hours];

    /// Its name in settings, answers and the data folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Minutes => "1m",
            Self::Hours => "1h",
        }
    }

    pub(crate) fn width_ms(self) -> i64 {
        match self {
            Self::Raw => 1,
            Self::Minutes => MINUTE_MS,
            Self::Hours => HOUR_MS,
        }
    }

    /// Hours are few: a month of them is in one file.
    pub(crate) fn partition_ms(self, raw_ms: i64) -> i64 {
        match self {
            Self::Raw | Self::Minutes => raw_ms,
            Self::Hours => (MONTH_MS / raw_ms).max(1) * raw_ms,
        }
    }
}

/// A partition of raw samples whose buckets are in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cover {
    pub(crate) span: Span,
    /// Of the final form that they were made from.
    pub(crate) uuid: u64,
}

/// A tier's file.
#[derive(Debug, Clone)]
pub(crate) struct TierFile {
    pub(crate) partition: Arc<Partition>,
    pub(crate) covers: Arc<[Cover]>,
    /// Why it cannot be read.
    pub(crate) problem: Option<Arc<str>>,
    /// What is damaged of one that can be read all the same.
    pub(crate) flaw: Option<Arc<str>>,
}

/// The files of one tier.
#[derive(Debug)]
pub(crate) struct TierFiles {
    pub(crate) tier: Tier,
    pub(crate) partition_ms: i64,
    raw_ms: i64,
    pub(crate) dir: PathBuf,
    files: RwLock<BTreeMap<Span, TierFile>>,
    /// What ends before was deleted for its size, and is not made again.
    floor_ms: AtomicI64,
}

impl TierFiles {
    pub(crate) fn new(tier: Tier, raw_ms: i64, dir: PathBuf) -> Self {
        let partition_ms = tier.partition_ms(raw_ms);
        let (files, floor_ms) = (RwLock::default(), AtomicI64::new(i64::MIN));
        Self { tier, partition_ms, raw_ms, dir, files, floor_ms }
    }

    /// Takes up the files in the folder; the owner removes what was replaced or not finished. Gives
    /// the damaged ones that were kept aside.
    pub(crate) fn take_up(&self, is_owner: bool) -> Result<Vec<PathBuf>, OpenError> {
        let failed = |source| OpenError::Folder { dir: self.dir.clone(), source };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Vec::new());
            }
            entries => entries.map_err(failed)?,
        };
        let (mut found, mut aside) = (Vec::new(), Vec::new());
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            if name.ends_with(ASIDE) {
                aside.push(entry.path());
            }
            found.extend(PartitionFile::from_name(name, self.partition_ms));
        }
        found.sort();
        let mut files = write(&self.files);
        let mut newest: BTreeMap<Span, u32> = BTreeMap::new();
        for file in &found {
            if let Some(number) = file.kind.replaces() {
                let newest = newest.entry(file.span).or_insert(number);
                *newest = number.max(*newest);
            }
        }
        for file in found {
            let partition = || Arc::new(Partition::new(file.span, self.dir.clone()));
            match file.kind {
                kind if kind.replaces().is_some()
                    && kind.replaces() == newest.get(&file.span).copied() =>
                {
                    let partition = partition();
                    partition.add_sealed(file.kind);
                    let file_of = TierFile::look(partition, file.kind, self.raw_ms);
                    files.insert(file.span, file_of);
                }
                _ if is_owner => {
                    let path = partition().path(file.kind);
                    match fs::remove_file(&path) {
                        // At the next start, then: its number tells that it does not count.
                        Err(error) if is_in_use(&error) => {}
                        removed => {
                            removed.map_err(|source| OpenError::Folder { dir: path, source })?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(aside)
    }

    /// The file that covers a partition of raw samples, and from which final form.
    pub(crate) fn covering(&self, raw: Span) -> Option<(TierFile, u64)> {
        let span = Span::holding(raw.start_ms, self.partition_ms)?;
        let files = read(&self.files);
        let file = files.get(&span)?;
        let cover = file.covers.iter().find(|cover| cover.span == raw)?;
        Some((file.clone(), cover.uuid))
    }

    pub(crate) fn file(&self, span: Span) -> Option<TierFile> {
        read(&self.files).get(&span).cloned()
    }

    /// The files that overlap a range, oldest first.
    pub(crate) fn overlapping(&self, range_ms: (i64, i64)) -> Vec<TierFile> {
        let files = read(&self.files);
        let overlapping = files.iter().filter(|(span, _)| span.overlaps(range_ms.0, range_ms.1));
        overlapping.map(|(_, file)| file.clone()).collect()
    }

    /// All files, oldest first.
    pub(crate) fn all(&self) -> Vec<(Span, TierFile)> {
        read(&self.files).iter().map(|(span, file)| (*span, file.clone())).collect()
    }

    /// Does not know of a file any more.
    pub(crate) fn remove(&self, span: Span) {
        write(&self.files).remove(&span);
    }

    /// Does not make the buckets of a span again.
    pub(crate) fn raise_floor(&self, span: Span) {
        self.floor_ms.fetch_max(span.end_ms, Ordering::Relaxed);
    }

    /// Whether the buckets of a partition of raw samples are to be kept.
    pub(crate) fn wants(&self, raw: Span, retention: &Retention, now_ms: i64) -> bool {
        self.span_of(raw).is_some_and(|span| {
            span.end_ms > self.floor_ms.load(Ordering::Relaxed)
                && retention.keeps_any(self.tier, now_ms.saturating_sub(span.end_ms))
        })
    }

    pub(crate) fn span_of(&self, raw: Span) -> Option<Span> {
        Span::holding(raw.start_ms, self.partition_ms).filter(|span| raw.end_ms <= span.end_ms)
    }

    pub(crate) fn put(&self, span: Span, file: TierFile) {
        write(&self.files).insert(span, file);
    }
}

impl TierFile {
    pub(crate) fn new(partition: Arc<Partition>, covers: Arc<[Cover]>) -> Self {
        Self { partition, covers, problem: None, flaw: None }
    }

    fn look(partition: Arc<Partition>, kind: FileKind, raw_ms: i64) -> Self {
        let error = match Sealed::covers(partition.path(kind)) {
            Ok(covers) => return Self::new(partition, covers.into()),
            Err(error) => Some(barograph_model::chain(&error).into()),
        };
        match inferred::covers(&partition, raw_ms) {
            Some(covers) => Self { flaw: error, ..Self::new(partition, covers.into()) },
            None => Self { problem: error, ..Self::new(partition, Arc::default()) },
        }
    }

    /// What is damaged of it, and where.
    pub(crate) fn damage(&self) -> Option<(PathBuf, &str)> {
        let what = self.problem.as_ref().or(self.flaw.as_ref())?;
        Some((self.partition.path(*self.partition.kinds().last()?), what))
    }
}

pub(crate) fn write_covers(
    connection: &Connection,
    meta: &Meta,
    covers: &[Cover],
) -> rusqlite::Result<()> {
    let mut data = vec![COVERS_VERSION];
    put_count(&mut data, covers.len());
    for cover in covers {
        put_varint(&mut data, zigzag(cover.span.start_ms));
        put_varint(&mut data, zigzag(cover.span.end_ms));
        data.extend_from_slice(&cover.uuid.to_le_bytes());
    }
    put_checksum(&mut data, 0, meta.seed(Table::Covers, COVERS_ID));
    connection
        .execute("INSERT INTO meta (id, data) VALUES (?1, ?2)", params![COVERS_ID, data])
        .map(|_| ())
}

pub(crate) fn read_covers(
    connection: &Connection,
    meta: &Meta,
) -> rusqlite::Result<Decoded<Vec<Cover>>> {
    let query = "SELECT data FROM meta WHERE id = ?1";
    let data: Option<Vec<u8>> =
        connection.query_row(query, [COVERS_ID], |row| row.get(0)).optional()?;
    Ok(decode_covers(&data.unwrap_or_default(), meta.seed(Table::Covers, COVERS_ID)))
}

fn decode_covers(data: &[u8], seed: u32) -> Decoded<Vec<Cover>> {
    let mut reader = Reader::new(verified(data, seed, WHAT)?, WHAT);
    if reader.byte()? != COVERS_VERSION {
        return Err(reader.damaged());
    }
    let n = reader.count()?;
    let mut covers = Vec::new();
    for _ in 0..n {
        let span = Span { start_ms: reader.signed()?, end_ms: reader.signed()? };
        covers.push(Cover { span, uuid: reader.u64()? });
    }
    reader.finish()?;
    Ok(covers)
}
