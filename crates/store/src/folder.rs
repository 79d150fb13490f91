//! The data folder: its marker, its lock, and the names of the files in it.
//!
//! ```text
//! DIR/FORMAT                  marker: format version, partition length, identity
//! DIR/LOCK                    held while a process uses the folder
//! DIR/LOCK.pid                that process, for the error message
//! DIR/raw/2026-11-22.db       the live file of a partition
//! DIR/raw/2026-11-22.1.closed.db   a live file that is over, waiting to be rewritten
//! DIR/raw/2026-11-22.2.final.db    the final form; replaces all files of smaller numbers
//! DIR/raw/2026-11-22.3.reduced.db  the final form without the series that have expired
//! DIR/import/NAME.ready/      a complete import, to be taken into the store's own files
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::db::unique;
use crate::error::OpenError;
use crate::import::IMPORTS;
use crate::sequence;
use crate::span::Span;
use crate::tiers::Tier;

/// The version of the folder's layout.
const FORMAT: i64 = 1;
pub(crate) const MARKER: &str = "FORMAT";
/// Where the files of a backup are while not all of them are back.
pub(crate) const RESTORING: &str = "restore.unfinished";
const HEADING: &str = "barograph-store";
/// More is not a marker.
const MAX_MARKER_BYTES: u64 = 4096;
/// So often a folder that is in use is tried, within a second.
const LOCK_ATTEMPTS: u32 = 50;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// A folder that this process owns, or only looks at.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
    pub(crate) partition_ms: i64,
    /// Unlocked by the system when it is closed, also after a kill. Who only looks has none.
    _lock: Option<File>,
}

impl Folder {
    pub(crate) fn open(dir: &Path, partition_ms: i64) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Folder { dir: dir.to_owned(), source };
        // Before anything is made in it: a foreign or newer folder is left as it is.
        read_marker(dir)?;
        refuse_half_restored(dir)?;
        for tier in Tier::ALL {
            fs::create_dir_all(dir.join(tier.name())).map_err(failed)?;
        }
        let lock = take_lock(dir)?;
        // Again, as the owner: another process could have made the folder meanwhile.
        let known = read_marker(dir)?;
        let partition_ms = known.map_or(partition_ms, |marker| marker.partition_ms);
        // Earlier versions gave folders no identity.
        if known.is_none_or(|marker| marker.id.is_none()) {
            write_marker(dir, Marker { partition_ms, id: Some(unique()) }).map_err(failed)?;
        }
        Ok(Self { dir: dir.to_owned(), partition_ms, _lock: Some(lock) })
    }

    /// A folder that another process may own, to read from.
    pub(crate) fn look(dir: &Path) -> Result<Self, OpenError> {
        let Marker { partition_ms, .. } = read_marker(dir)?.ok_or_else(|| OpenError::Foreign {
            path: dir.to_owned(),
            problem: format!("it has no file {MARKER}"),
        })?;
        Ok(Self { dir: dir.to_owned(), partition_ms, _lock: None })
    }

    /// Where raw samples are.
    pub(crate) fn raw(&self) -> PathBuf {
        self.tier(Tier::Raw)
    }

    /// Where a tier's files are.
    pub(crate) fn tier(&self, tier: Tier) -> PathBuf {
        self.dir.join(tier.name())
    }

    /// What all files take.
    pub(crate) fn bytes(&self) -> u64 {
        let tiers = Tier::ALL.map(|tier| self.tier(tier));
        std::iter::once(&self.dir)
            .chain(&tiers)
            .filter_map(|dir| fs::read_dir(dir).ok())
            .flatten()
            .filter_map(|entry| entry.ok()?.metadata().ok())
            .filter(fs::Metadata::is_file)
            .map(|metadata| metadata.len())
            .sum::<u64>()
            + bytes_below(&self.dir.join(IMPORTS), 3)
    }

    /// The files of all partitions, and files whose names are not ours.
    pub(crate) fn files(&self) -> Result<(Vec<PartitionFile>, Vec<PathBuf>), OpenError> {
        let failed = |source| OpenError::Folder { dir: self.raw(), source };
        let (mut files, mut foreign) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(self.raw()).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match PartitionFile::from_name(name, self.partition_ms) {
                Some(file) => files.push(file),
                None if is_sidecar(name) => {}
                None => foreign.push(path),
            }
        }
        files.sort();
        Ok((files, foreign))
    }
}

/// What the files in a folder take, and those in so many levels of folders in it.
fn bytes_below(dir: &Path, levels: usize) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(metadata) if metadata.is_dir() && levels > 0 => bytes_below(&entry.path(), levels - 1),
        _ => 0,
    };
    entries.map(bytes).sum()
}

/// What SQLite keeps beside a file.
fn is_sidecar(name: &str) -> bool {
    ["-wal", "-shm", "-journal", sequence::SUFFIX].iter().any(|suffix| name.ends_with(suffix))
}

/// What a file of a partition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    /// Half of a final form, worth nothing.
    Unfinished(u32),
    Closed(u32),
    Final(u32),
    /// A final form without the series whose time is over.
    Reduced(u32),
    Live,
}

impl FileKind {
    /// What all files of smaller numbers are replaced by.
    pub(crate) fn replaces(self) -> Option<u32> {
        match self {
            Self::Final(number) | Self::Reduced(number) => Some(number),
            Self::Unfinished(_) | Self::Closed(_) | Self::Live => None,
        }
    }
}

/// A partition's file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PartitionFile {
    pub(crate) span: Span,
    pub(crate) kind: FileKind,
}

impl PartitionFile {
    pub(crate) fn name(&self) -> String {
        let date = self.span.name();
        match self.kind {
            FileKind::Unfinished(number) => format!("{date}.{number}.unfinished"),
            FileKind::Closed(number) => format!("{date}.{number}.closed.db"),
            FileKind::Final(number) => format!("{date}.{number}.final.db"),
            FileKind::Reduced(number) => format!("{date}.{number}.reduced.db"),
            FileKind::Live => format!("{date}.db"),
        }
    }

    pub(crate) fn from_name(name: &str, partition_ms: i64) -> Option<Self> {
        let mut parts = name.split('.');
        let span = Span::from_name(parts.next()?, partition_ms)?;
        let kind = match (parts.next()?, parts.next()) {
            ("db", None) => FileKind::Live,
            (number, Some("unfinished")) => FileKind::Unfinished(number.parse().ok()?),
            (number, Some("closed")) => FileKind::Closed(number.parse().ok()?),
            (number, Some("final")) => FileKind::Final(number.parse().ok()?),
            (number, Some("reduced")) => FileKind::Reduced(number.parse().ok()?),
            _ => return None,
        };
        let file = Self { span, kind };
        (file.name() == name).then_some(file)
    }
}

/// Takes the folder for this process. Whoever was ended a moment ago may hold it a little longer:
/// a program that it was just starting has its open files until it runs.
fn take_lock(dir: &Path) -> Result<File, OpenError> {
    for _ in 1..LOCK_ATTEMPTS {
        match try_lock(dir) {
            Err(OpenError::InUse { .. }) => thread::sleep(BETWEEN_ATTEMPTS),
            taken => return taken,
        }
    }
    try_lock(dir)
}

fn try_lock(dir: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::Folder { dir: dir.to_owned(), source };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("LOCK"))
        .map_err(failed)?;
    // The process id is in a file of its own: on Windows a locked file cannot be read.
    let pid_file = dir.join("LOCK.pid");
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(pid_file).ok().and_then(|text| text.trim().parse().ok());
            return Err(OpenError::InUse { dir: dir.to_owned(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    fs::write(pid_file, format!("{}\n", std::process::id())).map_err(failed)?;
    Ok(file)
}

/// A restore that was broken off moved some files up and not all of them.
fn refuse_half_restored(dir: &Path) -> Result<(), OpenError> {
    let path = dir.join(RESTORING);
    // Empty: only its removal was broken off.
    let is_half = fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some());
    if is_half { Err(OpenError::HalfRestored { path }) } else { Ok(()) }
}

/// What the marker of a folder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) partition_ms: i64,
    /// Tells this folder and its copies from others; an earlier version wrote none.
    pub(crate) id: Option<u64>,
}

/// The marker of an existing folder.
pub(crate) fn read_marker(dir: &Path) -> Result<Option<Marker>, OpenError> {
    let path = dir.join(MARKER);
    let failed = |source| OpenError::Folder { dir: dir.to_owned(), source };
    let foreign = |problem: String| OpenError::Foreign { path: path.clone(), problem };
    match fs::metadata(&path) {
        Ok(metadata) if metadata.len() <= MAX_MARKER_BYTES => {}
        Ok(_) => return Err(foreign("the marker is too long".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let text = fs::read_to_string(&path).map_err(failed)?;
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    let found = heading
        .strip_prefix(HEADING)
        .and_then(|rest| rest.trim().parse::<i64>().ok())
        .ok_or_else(|| foreign(format!("the marker starts with `{}`", heading.escape_debug())))?;
    if found > FORMAT {
        return Err(OpenError::Newer { path, found, known: FORMAT });
    }
    let partition_ms = lines
        .next()
        .and_then(|line| line.strip_prefix("partition_ms "))
        .and_then(|value| value.parse().ok())
        .filter(|partition_ms| Span::allows(*partition_ms))
        .ok_or_else(|| foreign("the marker does not tell the partition length".to_owned()))?;
    let id = lines.next().and_then(|line| u64::from_str_radix(line.strip_prefix("id ")?, 16).ok());
    Ok(Some(Marker { partition_ms, id }))
}

fn write_marker(dir: &Path, Marker { partition_ms, id }: Marker) -> io::Result<()> {
    let new = dir.join("FORMAT.new");
    let mut file = File::create(&new)?;
    write!(file, "{HEADING} {FORMAT}\npartition_ms {partition_ms}\n")?;
    if let Some(id) = id {
        writeln!(file, "id {id:016x}")?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(new, dir.join(MARKER))?;
    sync_dir(dir)?;
    dir.parent().map_or(Ok(()), sync_dir)
}

/// Whether another process has the file open: Windows moves and removes no file while SQLite reads
/// it, as it does for a backup. A moment later it may.
pub(crate) fn is_in_use(error: &io::Error) -> bool {
    /// `ERROR_SHARING_VIOLATION` and `ERROR_LOCK_VIOLATION`
    const CODES: [Option<i32>; 2] = [Some(32), Some(33)];
    std::env::consts::OS == "windows" && CODES.contains(&error.raw_os_error())
}

/// Makes renames in a folder durable. Windows cannot open a folder as a file, and does not need
/// it.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    match File::open(dir) {
        Ok(dir) => dir.sync_all(),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_come_back_and_others_are_foreign() {
        let day_ms = 86_400_000;
        let span = Span::holding(1_795_348_819_000, day_ms).unwrap();
        let kinds = [
            FileKind::Live,
            FileKind::Closed(3),
            FileKind::Final(4),
            FileKind::Reduced(6),
            FileKind::Unfinished(5),
        ];
        for kind in kinds {
            let file = PartitionFile { span, kind };
            assert_eq!(PartitionFile::from_name(&file.name(), day_ms), Some(file));
        }
        for name in ["2026-11-22", "2026-11-22.x.db", "2026-11-22.03.final.db", "notes.txt", ""] {
            assert_eq!(PartitionFile::from_name(name, day_ms), None, "{name}");
        }
    }
}
