//! A log of records: process snapshots, events, whatever is not a series.
//!
//! Each kind of record has a folder of its own, `DIR/records/KIND`, with one SQLite file per UTC
//! day. A record is a time and bytes that only their owner understands, with a checksum over
//! both. Expiry deletes files. `docs/format/records.md` describes the files.

mod file;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::Clock;
use tracing_mutex::stdsync::Mutex;

use crate::error::OpenError;
use crate::folder::is_in_use;
use crate::span::Span;
use crate::sync::lock;
use file::{DayFile, Order};

const DAY_MS: i64 = 86_400_000;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Milliseconds since 1970-01-01 UTC, up to the year 9999.
    pub time_ms: i64,
    pub data: Vec<u8>,
}

/// How long records are kept; whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSettings {
    pub keep: Duration,
    /// Of all days together; the newest day is kept in any case.
    pub max_bytes: u64,
}

/// What was asked for, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordAnswer {
    pub records: Vec<Record>,
    /// There are more in the range than were asked for.
    pub more: bool,
    /// Records that failed their checksum, and days that could not be read.
    pub damaged: u64,
}

/// How large a log is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordStats {
    pub days: usize,
    pub bytes: u64,
}

/// Why records were not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("`{kind}` is no kind of record: allowed are 1 to 32 of a-z and _")]
    Kind { kind: String },
    #[error("cannot use the folder {}", dir.display())]
    Folder { dir: PathBuf, source: io::Error },
    #[error("{} was written by a newer version (its format is {found})", path.display())]
    Newer { path: PathBuf, found: i64 },
    #[error("{} is not a log's file", path.display())]
    Foreign { path: PathBuf },
    #[error("cannot read or write {}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    #[error("the time {time_ms} ms is not in the years 1 to 9999")]
    Time { time_ms: i64 },
    #[error("a record of {bytes} bytes is too large, at most {} are allowed", RecordLog::MAX_BYTES)]
    TooLarge { bytes: usize },
}

/// The records of one kind. One process at a time: whoever has the store's folder open.
#[derive(Debug)]
pub struct RecordLog {
    dir: PathBuf,
    settings: RecordSettings,
    clock: Arc<dyn Clock>,
    /// The file that was written to last.
    current: Mutex<Option<(Span, DayFile)>>,
}

impl RecordLog {
    /// One record; a snapshot of 10,000 processes stays far below.
    pub const MAX_BYTES: usize = 4 * 1024 * 1024;

    /// Opens the log of a kind in a store's folder, and removes what is past its time.
    ///
    /// # Errors
    /// The folder cannot be made or read, or holds a newer version's file; nothing is changed then.
    pub fn open(
        store_dir: &Path,
        kind: &str,
        settings: RecordSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RecordError> {
        let sound = |c: char| c.is_ascii_lowercase() || c == '_';
        if kind.is_empty() || kind.len() > 32 || !kind.chars().all(sound) {
            return Err(RecordError::Kind { kind: kind.chars().take(64).collect() });
        }
        let dir = store_dir.join("records").join(kind);
        fs::create_dir_all(&dir)
            .map_err(|source| RecordError::Folder { dir: dir.clone(), source })?;
        let log = Self { dir, settings, clock, current: Mutex::new(None) };
        if let Some((_, newest)) = log.days()?.last_key_value() {
            DayFile::reader(newest)?;
        }
        log.expire()?;
        Ok(log)
    }

    /// Stores records. When it returns, they survive a power cut.
    ///
    /// # Errors
    /// A record out of bounds (nothing is stored), or a day's file that cannot be written
    /// (records of other days may be stored).
    pub fn append(&self, records: &[Record]) -> Result<(), RecordError> {
        let mut by_day: BTreeMap<Span, Vec<&Record>> = BTreeMap::new();
        for record in records {
            if record.data.len() > Self::MAX_BYTES {
                return Err(RecordError::TooLarge { bytes: record.data.len() });
            }
            let span = Span::holding(record.time_ms, DAY_MS)
                .ok_or(RecordError::Time { time_ms: record.time_ms })?;
            by_day.entry(span).or_default().push(record);
        }
        let mut current = lock(&self.current);
        for (span, records) in by_day {
            if current.as_ref().is_none_or(|(day, _)| *day != span) {
                let path = self.dir.join(format!("{}.db", span.name()));
                *current = Some((span, DayFile::writer(path)?));
                self.expire()?;
            }
            if let Some((_, file)) = current.as_mut() {
                file.append(&records)?;
            }
        }
        Ok(())
    }

    /// Records with times in `from_ms..=to_ms`, oldest first; at most `max_records`, the oldest of
    /// them.
    ///
    /// # Errors
    /// The folder cannot be read. Days that cannot are counted as damaged.
    pub fn read(
        &self,
        from_ms: i64,
        to_ms: i64,
        max_records: usize,
    ) -> Result<RecordAnswer, RecordError> {
        let days = self.days()?;
        Ok(gather(days.iter(), Order::OldestFirst, (from_ms, to_ms), max_records))
    }

    /// As [`RecordLog::read`], also oldest first, but of too many the newest.
    ///
    /// # Errors
    /// As [`RecordLog::read`].
    pub fn read_newest(
        &self,
        from_ms: i64,
        to_ms: i64,
        max_records: usize,
    ) -> Result<RecordAnswer, RecordError> {
        let days = self.days()?;
        let mut answer =
            gather(days.iter().rev(), Order::NewestFirst, (from_ms, to_ms), max_records);
        answer.records.reverse();
        Ok(answer)
    }

    /// The newest record at or before a moment, if it is not damaged.
    ///
    /// # Errors
    /// As [`RecordLog::read`].
    pub fn last_at(&self, time_ms: i64) -> Result<Option<Record>, RecordError> {
        Ok(self.read_newest(i64::MIN, time_ms, 1)?.records.pop())
    }

    /// Removes the days that are too old, and the oldest ones while there is too much.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn expire(&self) -> Result<(), RecordError> {
        let keep_ms = i64::try_from(self.settings.keep.as_millis()).unwrap_or(i64::MAX);
        let oldest_ms = self.clock.now_ms().saturating_sub(keep_ms);
        let days = self.days()?;
        let mut bytes: u64 = days.values().map(|path| size(path)).sum();
        let n_older = days.len().saturating_sub(1);
        for (span, path) in days.iter().take(n_older) {
            if span.end_ms > oldest_ms && bytes <= self.settings.max_bytes {
                break;
            }
            bytes -= size(path);
            for file in [path.clone(), beside(path, "-wal"), beside(path, "-shm")] {
                match remove(&file) {
                    // By a backup, say; the next time it is removed.
                    Err(error) if is_in_use(&error) => break,
                    removed => {
                        removed.map_err(|source| RecordError::Folder { dir: file, source })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// # Errors
    /// The folder cannot be read.
    pub fn stats(&self) -> Result<RecordStats, RecordError> {
        let days = self.days()?;
        Ok(RecordStats { days: days.len(), bytes: days.values().map(|path| size(path)).sum() })
    }

    fn days(&self) -> Result<BTreeMap<Span, PathBuf>, RecordError> {
        let failed = |source| RecordError::Folder { dir: self.dir.clone(), source };
        let mut days = BTreeMap::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let span = name.strip_suffix(".db").and_then(|day| Span::from_name(day, DAY_MS));
            if let Some(span) = span {
                days.insert(span, path);
            }
        }
        Ok(days)
    }
}

/// The files of all logs in a store's folder.
pub(crate) fn day_files(store_dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let mut found = Vec::new();
    let mut folders = vec![store_dir.join("records")];
    while let Some(dir) = folders.pop() {
        let failed = |source| OpenError::Folder { dir: dir.clone(), source };
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "db") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// How many records of a day's file are sound, and how many are damaged.
pub(crate) fn check_day(path: &Path) -> Result<(u64, u64), RecordError> {
    let mut answer = RecordAnswer::default();
    DayFile::reader(path)?.read(
        Order::OldestFirst,
        (i64::MIN, i64::MAX),
        usize::MAX,
        &mut answer,
    )?;
    Ok((answer.records.len() as u64, answer.damaged))
}

/// From the days in the given order, until there are enough.
fn gather<'a>(
    days: impl Iterator<Item = (&'a Span, &'a PathBuf)>,
    order: Order,
    (from_ms, to_ms): (i64, i64),
    max_records: usize,
) -> RecordAnswer {
    let mut answer = RecordAnswer::default();
    for (_, path) in days.filter(|(span, _)| span.overlaps(from_ms, to_ms)) {
        let wanted = max_records - answer.records.len();
        let read = DayFile::reader(path)
            .and_then(|file| file.read(order, (from_ms, to_ms), wanted, &mut answer));
        if read.is_err() {
            answer.damaged += 1;
        }
        if answer.more {
            break;
        }
    }
    answer
}

/// Of a day's file with its journal.
fn size(path: &Path) -> u64 {
    [path.to_owned(), beside(path, "-wal")]
        .iter()
        .map(|file| fs::metadata(file).map_or(0, |metadata| metadata.len()))
        .sum()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
