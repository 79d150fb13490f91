//! One file into a backup, onto the disk.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use super::BackupError;
use super::manifest::hex;
use super::tree::Kind;
use crate::db::is_corruption;

#[derive(Debug)]
pub(super) struct Copied {
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) note: Option<String>,
}

/// When it returns, the copy survives a power cut.
pub(super) fn copy(from: &Path, to: &Path, kind: Kind) -> Result<Copied, BackupError> {
    // Left over from a backup that was broken off.
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(BackupError::File { path: to.to_owned(), source: error });
        }
        _ => {}
    }
    let mut note = None;
    if kind == Kind::Live {
        match copy_database(from, to) {
            Ok(()) => {
                let (sha256, bytes) = hash(to).map_err(BackupError::file(to))?;
                sync(to).map_err(BackupError::file(to))?;
                return Ok(Copied { sha256, bytes, note });
            }
            Err(error) if !is_corruption(&error) => {
                return Err(BackupError::Database { path: from.to_owned(), source: error });
            }
            Err(error) => note = Some(format!("damaged ({error}), copied as it is")),
        }
        drop(fs::remove_file(to));
    }
    let (sha256, bytes) = copy_bytes(from, to).map_err(BackupError::file(from))?;
    Ok(Copied { sha256, bytes, note })
}

/// All rows as they are at one moment, in a file of its own without a journal. Readers and the
/// writer of the original go on.
fn copy_database(from: &Path, to: &Path) -> rusqlite::Result<()> {
    // SQLite goes on with an empty file that it is given.
    if let (Ok(target), Ok(source)) = (File::create(to), fs::metadata(from)) {
        drop(target.set_permissions(source.permissions()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    Ok(())
}

/// Copies and hashes; also what [`super::restore()`] does.
pub(super) fn copy_bytes(from: &Path, to: &Path) -> io::Result<(String, u64)> {
    let source = File::open(from)?;
    let mut target = File::create(to)?;
    // Before anything is in it: a copy of a key is as secret as the key.
    target.set_permissions(source.metadata()?.permissions())?;
    let result = pass_through(source, |bytes| target.write_all(bytes))?;
    target.sync_all()?;
    Ok(result)
}

pub(super) fn hash(path: &Path) -> io::Result<(String, u64)> {
    pass_through(File::open(path)?, |_| Ok(()))
}

fn pass_through(
    mut from: File,
    mut act: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(String, u64)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        let length = from.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
            return Ok((hex(&hasher.finalize()), total));
        };
        hasher.update(bytes);
        act(bytes)?;
        total += length as u64;
    }
}

fn sync(path: &Path) -> io::Result<()> {
    File::options().write(true).open(path)?.sync_all()
}
