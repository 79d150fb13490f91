//! Brings a backup back.

use std::fs;
use std::io;
use std::path::Path;

use super::copy::{copy_bytes, hash};
use super::manifest::{Manifest, stored_name};
use super::{BackupError, FILES, Progress};
use crate::folder::{MARKER, RESTORING, sync_dir};

/// The marker while it is copied: by its own name it says that all else is there and was checked.
const HALF_MARKER: &str = "FORMAT.unfinished";

/// What was brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    pub files: u64,
    pub bytes: u64,
    /// When the backup was made, milliseconds since 1970 UTC.
    pub time_ms: i64,
}

/// Copies the backup `source` into `data`, which must be empty or absent, and checks every file.
/// Broken off, it leaves nothing that a server would take for a data folder; it can be run again.
///
/// # Errors
/// There is no backup, it is damaged, or the folder is not empty.
pub fn restore(
    source: &Path,
    data: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, BackupError> {
    let manifest =
        Manifest::read(source)?.ok_or_else(|| BackupError::NoBackup { dir: source.to_owned() })?;
    let staging = data.join(RESTORING);
    let bytes = if is_moving_up(data, &staging)? {
        check_all(&manifest, &staging, data, progress)?
    } else {
        match fs::remove_dir_all(&staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupError::File { path: staging, source: error });
            }
            _ => {}
        }
        fs::create_dir_all(&staging).map_err(BackupError::file(&staging))?;
        copy_all(&manifest, source, &staging, progress)?
    };
    move_up(&staging, data)?;
    Ok(Restored { files: manifest.entries.len() as u64, bytes, time_ms: manifest.time_ms })
}

/// Whether an earlier restore was broken off while it moved up what it had copied: then all of it is
/// in one place or the other. Otherwise the folder has to be empty.
fn is_moving_up(data: &Path, staging: &Path) -> Result<bool, BackupError> {
    let entries = match fs::read_dir(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries.map_err(BackupError::file(data))?,
    };
    let mut has_others = false;
    for entry in entries {
        has_others |= entry.map_err(BackupError::file(data))?.file_name() != RESTORING;
    }
    let is_moving = has_others && staging.is_dir() && {
        // The marker goes last; without it in either place nothing had been moved yet.
        let mut left = fs::read_dir(staging).map_err(BackupError::file(staging))?;
        staging.join(MARKER).exists() || data.join(MARKER).exists() && left.next().is_none()
    };
    if has_others && !is_moving {
        return Err(BackupError::NotEmpty { dir: data.to_owned() });
    }
    Ok(is_moving)
}

/// Whether what was copied earlier is this backup, wherever it is by now; its size.
fn check_all(
    manifest: &Manifest,
    staging: &Path,
    data: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, BackupError> {
    let total = manifest.entries.values().map(|entry| entry.bytes).sum();
    let mut done = 0;
    progress(Progress { done, total });
    for (path, entry) in &manifest.entries {
        let places = [staging.join(path), data.join(path)];
        let place = places.iter().find(|place| place.is_file());
        let found = place.and_then(|place| hash(place).ok());
        if found.is_none_or(|(sha256, bytes)| sha256 != entry.sha256 || bytes != entry.bytes) {
            return Err(BackupError::OtherRestore { dir: data.to_owned() });
        }
        done += entry.bytes;
        progress(Progress { done, total });
    }
    Ok(done)
}

fn copy_all(
    manifest: &Manifest,
    source: &Path,
    staging: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, BackupError> {
    let total = manifest.entries.values().map(|entry| entry.bytes).sum();
    let mut done = 0;
    progress(Progress { done, total });
    // The marker last: it says that all others are there.
    let (markers, others): (Vec<_>, Vec<_>) =
        manifest.entries.iter().partition(|(path, _)| path.as_str() == MARKER);
    for (path, entry) in others.into_iter().chain(markers) {
        let from = source.join(FILES).join(stored_name(path, entry.version));
        let to = staging.join(if path == MARKER { HALF_MARKER } else { path });
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(BackupError::file(folder))?;
        }
        let (sha256, bytes) = copy_bytes(&from, &to).map_err(BackupError::file(&from))?;
        if sha256 != entry.sha256 || bytes != entry.bytes {
            let problem = "its checksum is not the one in the manifest".to_owned();
            return Err(BackupError::Damaged { path: from, problem });
        }
        done += bytes;
        progress(Progress { done, total });
    }
    sync_dir(staging).map_err(BackupError::file(staging))?;
    let marker = staging.join(MARKER);
    match fs::rename(staging.join(HALF_MARKER), &marker) {
        // A backup without one is no data folder; the server says so.
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(BackupError::File { path: marker, source: error })
        }
        _ => Ok(done),
    }
}

/// The marker last: without it the folder is none of ours.
fn move_up(staging: &Path, data: &Path) -> Result<(), BackupError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(staging).map_err(BackupError::file(staging))? {
        names.push(entry.map_err(BackupError::file(staging))?.file_name());
    }
    names.sort_by_key(|name| name == MARKER);
    for name in names {
        let to = data.join(&name);
        fs::rename(staging.join(&name), &to).map_err(BackupError::file(&to))?;
    }
    fs::remove_dir(staging).map_err(BackupError::file(staging))?;
    sync_dir(data).map_err(BackupError::file(data))
}
