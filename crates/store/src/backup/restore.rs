//! Brings a backup back.

use std::fs;
use std::io;
use std::path::Path;

use super::copy::copy_bytes;
use super::manifest::{Manifest, stored_name};
use super::{BackupError, FILES, Progress};
use crate::folder::{MARKER, sync_dir};

/// Where files are while not all of them are there.
const STAGING: &str = "restore.unfinished";

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
    check_empty(data)?;
    let staging = data.join(STAGING);
    match fs::remove_dir_all(&staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(BackupError::File { path: staging, source: error });
        }
        _ => {}
    }
    fs::create_dir_all(&staging).map_err(BackupError::file(&staging))?;
    let bytes = copy_all(&manifest, source, &staging, progress)?;
    move_up(&staging, data)?;
    Ok(Restored { files: manifest.entries.len() as u64, bytes, time_ms: manifest.time_ms })
}

fn check_empty(data: &Path) -> Result<(), BackupError> {
    let entries = match fs::read_dir(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(BackupError::file(data))?,
    };
    for entry in entries {
        if entry.map_err(BackupError::file(data))?.file_name() != STAGING {
            return Err(BackupError::NotEmpty { dir: data.to_owned() });
        }
    }
    Ok(())
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
    for (path, entry) in &manifest.entries {
        let from = source.join(FILES).join(stored_name(path, entry.version));
        let to = staging.join(path);
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
    Ok(done)
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
