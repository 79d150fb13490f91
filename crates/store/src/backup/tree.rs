//! What is in a data folder, as far as a backup goes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::BackupError;
use crate::folder::RESTORING;
use crate::import::IMPORTS;

/// How a file is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Never changes, or is replaced as a whole: byte by byte.
    Lasting,
    /// An SQLite file that is written to: by SQLite.
    Live,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// In the data folder, with `/` on every system.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) bytes: u64,
    /// Size and time of the last change, of the file and of its journal.
    looks: [Option<(u64, u128)>; 2],
}

impl Found {
    /// A clock of files is coarse: a file that changed just now may change again and look the
    /// same.
    const RECENT_NANOS: u128 = 3_000_000_000;

    /// What the files of one partition have in common: the path up to the name's first dot.
    pub(super) fn partition(&self) -> &str {
        let name = self.path.rfind('/').map_or(0, |slash| slash + 1);
        let dot = self.path.get(name..).and_then(|name| name.find('.'));
        dot.and_then(|dot| self.path.get(..name + dot)).unwrap_or(&self.path)
    }

    /// How it looks, or `-` if that says nothing yet.
    pub(super) fn stamp(&self, now_ms: i64) -> String {
        let now = u128::try_from(now_ms).unwrap_or(0) * 1_000_000;
        let mut parts = Vec::new();
        for (size, changed) in self.looks.into_iter().flatten() {
            if self.kind == Kind::Live && changed + Self::RECENT_NANOS > now {
                return "-".to_owned();
            }
            parts.push(format!("{size}.{changed}"));
        }
        parts.join("+")
    }
}

/// Deeper folders are not the store's.
const MAX_DEPTH: usize = 8;
/// What SQLite keeps beside a file, and what is worth nothing without its process.
const PASSING: &[&str] = &["-wal", "-shm", "-journal", "-seq", ".unfinished", ".new", ".tmp"];
/// Files of the store that never change.
const SEALED: &[&str] = &[".closed.db", ".final.db", ".reduced.db"];
const NOT_COPIED: &[&str] = &["LOCK", "LOCK.pid", IMPORTS, RESTORING];

/// The files to be copied, in order of their paths.
pub(super) fn list(data: &Path, notes: &mut Vec<String>) -> Result<Vec<Found>, BackupError> {
    let mut found = Vec::new();
    walk(data, "", 0, &mut |entry| match entry {
        Entry::File { path, name, metadata } => {
            let ends = |suffix: &&str| name.ends_with(*suffix);
            if PASSING.iter().any(ends) || NOT_COPIED.contains(&path) {
                return;
            }
            let journal = fs::metadata(data.join(format!("{path}-wal"))).ok();
            let journal = journal.filter(|journal| journal.len() > 0);
            let is_sealed = SEALED.iter().any(|ending| name.ends_with(ending));
            let is_database = path.rsplit('.').next() == Some("db") || has_magic(&data.join(path));
            let is_live = is_database && (!is_sealed || journal.is_some());
            found.push(Found {
                path: path.to_owned(),
                kind: if is_live { Kind::Live } else { Kind::Lasting },
                bytes: metadata.len() + journal.as_ref().map_or(0, fs::Metadata::len),
                looks: [Some(look(metadata)), journal.as_ref().map(look)],
            });
        }
        Entry::Other { path } => {
            notes.push(format!("{path} is neither a file nor a folder, so it was left out"));
        }
    })?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// What every SQLite file begins with; databases of other parts have other names.
fn has_magic(path: &Path) -> bool {
    let mut start = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"SQLite format 3\0"
}

/// Every file below a folder.
pub(super) fn all_files(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    walk(folder, "", 0, &mut |entry| {
        if let Entry::File { path, .. } = entry {
            found.push(folder.join(path));
        }
    })?;
    Ok(found)
}

fn look(metadata: &fs::Metadata) -> (u64, u128) {
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    (metadata.len(), changed.map_or(0, |since| since.as_nanos()))
}

enum Entry<'a> {
    File { path: &'a str, name: &'a str, metadata: &'a fs::Metadata },
    Other { path: &'a str },
}

fn walk(
    top: &Path,
    below: &str,
    depth: usize,
    act: &mut dyn FnMut(Entry<'_>),
) -> Result<(), BackupError> {
    let folder = if below.is_empty() { top.to_owned() } else { top.join(below) };
    for entry in fs::read_dir(&folder).map_err(BackupError::file(&folder))? {
        let entry = entry.map_err(BackupError::file(&folder))?;
        let name = entry.file_name();
        let readable = name.to_str().filter(|name| !name.contains(['\n', '\r']));
        let shown = name.to_string_lossy();
        let path = if below.is_empty() { shown.to_string() } else { format!("{below}/{shown}") };
        // Links are followed to a file, and in the folder itself to a folder, as an administrator
        // makes them to move `raw` to another disk. Deeper ones to folders could lead anywhere.
        let metadata = match entry.metadata() {
            Ok(own) if own.is_symlink() => {
                fs::metadata(entry.path()).map(|to| if to.is_dir() && depth > 0 { own } else { to })
            }
            metadata => metadata,
        };
        let metadata = match metadata {
            // A file that was just removed, or a link to nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                    act(Entry::Other { path: &path });
                }
                continue;
            }
            metadata => metadata.map_err(BackupError::file(&entry.path()))?,
        };
        match readable {
            Some(_) if NOT_COPIED.contains(&&*path) => {}
            Some(name) if metadata.is_file() => {
                act(Entry::File { path: &path, name, metadata: &metadata });
            }
            Some(_) if metadata.is_dir() && depth < MAX_DEPTH => walk(top, &path, depth + 1, act)?,
            _ => act(Entry::Other { path: &path }),
        }
    }
    Ok(())
}
