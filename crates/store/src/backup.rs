//! Copies a data folder while a server works in it, and brings a copy back.
//!
//! The backup is taken on the folder itself, so it does not matter whether a server runs. What never
//! changes any more (closed and final files) is copied once; what is written to is copied by SQLite,
//! as it is at one moment. `docs/format/backup.md` describes what comes out.

mod copy;
mod covered;
mod manifest;
mod restore;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::OpenError;
use crate::folder::{Marker, read_marker, sync_dir};
use copy::Copied;
use manifest::{Entry, Manifest};
use tree::{Found, Kind};

pub use restore::{Restored, restore};

/// Where the copies are in a backup.
const FILES: &str = "files";
/// There from a backup's first moment until it has a manifest: the folder is ours, and what is in it
/// may be half.
const BEGUN: &str = "BACKUP.unfinished";
/// A folder whose files change faster than they are listed is given up.
const PASSES: usize = 10;

/// How far a long work is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
}

/// Which earlier backup a new one may take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// Only one of the same data folder, or of what it was brought back from.
    Same,
    /// Also one of another data folder, which is lost.
    Any,
}

/// What a backup did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// In the backup now.
    pub files: u64,
    pub bytes: u64,
    /// Of them copied this time; the others were there already.
    pub copied_files: u64,
    pub copied_bytes: u64,
    /// Copies of files that are no longer in the folder.
    pub removed_files: u64,
    /// What was left out or could only be copied as it is.
    pub notes: Vec<String>,
}

/// Why there is no backup, or no folder brought back. An earlier backup is still as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} is no data folder of Barograph: it has no file FORMAT", dir.display())]
    NoStore { dir: PathBuf },
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("the backup {} cannot be in the data folder itself", dir.display())]
    Inside { dir: PathBuf },
    #[error("{} is neither empty nor a backup", dir.display())]
    NotOurs { dir: PathBuf },
    #[error(
        "{} is a backup of another data folder than {}, which it would take the place of",
        dir.display(),
        data.display()
    )]
    OtherFolder { dir: PathBuf, data: PathBuf },
    #[error("another backup into {} is going on", dir.display())]
    InUse { dir: PathBuf },
    #[error("{} is no backup: it has no file {}", dir.display(), Manifest::NAME)]
    NoBackup { dir: PathBuf },
    #[error("{} is damaged: {problem}", path.display())]
    Damaged { path: PathBuf, problem: String },
    #[error(
        "{} is not empty; a backup is brought back into an empty or a new folder only",
        dir.display()
    )]
    NotEmpty { dir: PathBuf },
    #[error(
        "{} is left from a restore of another backup that was broken off; go on with that one, or \
         empty the folder",
        dir.display()
    )]
    OtherRestore { dir: PathBuf },
    #[error("{} changes faster than it can be copied", dir.display())]
    Restless { dir: PathBuf },
    #[error("cannot read or write {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot copy {}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
}

impl BackupError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

/// Copies the data folder `data` into `target`, which is empty, absent, or an earlier backup that
/// may be replaced.
/// Everything that was acknowledged before this began is in it.
///
/// # Errors
/// One of the folders cannot be used, or the disk is full.
pub fn backup(
    data: &Path,
    target: &Path,
    replace: Replace,
    now_ms: i64,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackedUp, BackupError> {
    let Some(Marker { id: folder, .. }) = read_marker(data)? else {
        return Err(BackupError::NoStore { dir: data.to_owned() });
    };
    prepare(data, target)?;
    let _lock = lock_target(target)?;
    // One that was broken off before its end has copies, but no manifest.
    let mut earlier = Manifest::read(target)?.unwrap_or_default();
    if earlier.folder.is_some() && earlier.folder != folder {
        if replace == Replace::Same {
            return Err(BackupError::OtherFolder { dir: target.to_owned(), data: data.to_owned() });
        }
        // Nothing of it is a copy of anything here; the versions of its copies are still taken.
        let no_copy = |entry: &mut Entry| "-".clone_into(&mut entry.stamp);
        earlier.entries.values_mut().for_each(no_copy);
    }
    let mut run = Run {
        data,
        files: target.join(FILES),
        now_ms,
        next_version: earlier.entries.values().map(|entry| entry.version).max().unwrap_or(0) + 1,
        entries: earlier.entries,
        report: BackedUp::default(),
    };
    let found = run.copy_until_still(progress)?;
    let names: BTreeSet<&String> = found.iter().map(|file| &file.path).collect();
    run.entries.retain(|path, _| names.contains(path));
    let manifest = Manifest { time_ms: now_ms, folder, entries: run.entries };
    manifest.write(target)?;
    // A manifest says as much; there is no mark beside one that was there before.
    drop(fs::remove_file(target.join(BEGUN)));
    let mut report = run.report;
    report.removed_files = remove_others(&target.join(FILES), &manifest)?;
    report.files = manifest.entries.len() as u64;
    report.bytes = manifest.entries.values().map(|entry| entry.bytes).sum();
    Ok(report)
}

/// Makes the target's folder, unless it is somebody else's.
fn prepare(data: &Path, target: &Path) -> Result<(), BackupError> {
    let is_new = match fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(source) => return Err(BackupError::File { path: target.to_owned(), source }),
    };
    let marks = [Manifest::NAME, BEGUN];
    if !is_new && !marks.iter().any(|name| target.join(name).is_file()) {
        return Err(BackupError::NotOurs { dir: target.to_owned() });
    }
    fs::create_dir_all(target).map_err(BackupError::file(target))?;
    let canonical = |path: &Path| fs::canonicalize(path).map_err(BackupError::file(path));
    if canonical(target)?.starts_with(canonical(data)?) {
        // Only when it is empty.
        drop(fs::remove_dir(target));
        return Err(BackupError::Inside { dir: target.to_owned() });
    }
    if is_new {
        let mark = target.join(BEGUN);
        File::create(&mark).map_err(BackupError::file(&mark))?;
    }
    let files = target.join(FILES);
    fs::create_dir_all(&files).map_err(BackupError::file(&files))
}

/// Unlocked by the system when it is closed.
fn lock_target(target: &Path) -> Result<File, BackupError> {
    let path = target.join("LOCK");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(BackupError::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse { dir: target.to_owned() }),
        Err(TryLockError::Error(source)) => Err(BackupError::File { path, source }),
    }
}

struct Run<'a> {
    data: &'a Path,
    files: PathBuf,
    now_ms: i64,
    next_version: u64,
    entries: BTreeMap<String, Entry>,
    report: BackedUp,
}

impl Run<'_> {
    /// Copies until each partition has the same files before and after: a live file that is closed
    /// meanwhile, or files that are merged, are found in the next pass. Partitions that begin
    /// meanwhile hold nothing that was acknowledged before, and are left out, unless a month's hours
    /// are copied that cover them already: without their samples they would count as expired.
    fn copy_until_still(
        &mut self,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Found>, BackupError> {
        let mut found = tree::list(self.data, &mut self.report.notes)?;
        let mut partitions: BTreeSet<String> =
            found.iter().map(|file| file.partition().to_owned()).collect();
        for _ in 0..PASSES {
            self.copy_all(&found, progress)?;
            let now = tree::list(self.data, &mut Vec::new())?;
            let covered = self.covered(&found);
            let is_there = |file: &&Found| covered.contains(file.partition());
            partitions.extend(now.iter().filter(is_there).map(|file| file.partition().to_owned()));
            let again: Vec<Found> =
                now.into_iter().filter(|file| partitions.contains(file.partition())).collect();
            let still = |a: &Found, b: &Found| a.path == b.path && a.kind == b.kind;
            let is_still =
                found.len() == again.len() && found.iter().zip(&again).all(|(a, b)| still(a, b));
            if is_still {
                return Ok(found);
            }
            found = again;
        }
        Err(BackupError::Restless { dir: self.data.to_owned() })
    }

    fn covered(&self, found: &[Found]) -> BTreeSet<String> {
        let copies = found.iter().filter_map(|file| {
            let entry = self.entries.get(&file.path)?;
            let copy = self.files.join(manifest::stored_name(&file.path, entry.version));
            Some(covered::covered(&file.path, &copy))
        });
        copies.flatten().collect()
    }

    fn copy_all(
        &mut self,
        found: &[Found],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), BackupError> {
        let total = found.iter().map(|file| file.bytes).sum();
        let mut done = 0;
        progress(Progress { done, total });
        // Live files last: what was closed while others were copied is in both, and harmless.
        let (lasting, live): (Vec<_>, Vec<_>) =
            found.iter().partition(|file| file.kind == Kind::Lasting);
        for file in lasting.into_iter().chain(live) {
            if self.entries.get(&file.path).is_none_or(|entry| !entry.is_of(file, self.now_ms)) {
                self.copy(file)?;
            }
            done += file.bytes;
            progress(Progress { done, total });
        }
        Ok(())
    }

    fn copy(&mut self, file: &Found) -> Result<(), BackupError> {
        let version = self.next_version;
        self.next_version += 1;
        let from = self.data.join(&file.path);
        let to = self.files.join(manifest::stored_name(&file.path, version));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(BackupError::file(folder))?;
        }
        let copied = match copy::copy(&from, &to, file.kind) {
            // It was closed or merged since it was listed; the next pass sees to it.
            Err(_) if !from.exists() => {
                drop(fs::remove_file(&to));
                return Ok(());
            }
            copied => copied?,
        };
        let Copied { sha256, bytes, note } = copied;
        self.report.notes.extend(note.map(|note| format!("{}: {note}", file.path)));
        self.report.copied_files += 1;
        self.report.copied_bytes += bytes;
        let stamp = file.stamp(self.now_ms);
        self.entries.insert(file.path.clone(), Entry { sha256, bytes, stamp, version });
        Ok(())
    }
}

/// Removes copies that the manifest does not name. What has no name of a copy is somebody else's.
fn remove_others(files: &Path, manifest: &Manifest) -> Result<u64, BackupError> {
    let wanted: BTreeSet<PathBuf> = manifest
        .entries
        .iter()
        .map(|(path, entry)| files.join(manifest::stored_name(path, entry.version)))
        .collect();
    let mut removed = 0;
    for path in tree::all_files(files)? {
        if is_copy(&path) && !wanted.contains(&path) {
            fs::remove_file(&path).map_err(BackupError::file(&path))?;
            removed += 1;
        }
    }
    sync_dir(files).map_err(BackupError::file(files))?;
    Ok(removed)
}

/// Whether a file has a name that only backups give.
fn is_copy(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let version = name.rsplit_once('~').map(|(_, version)| version);
    version.is_some_and(|version| version.parse::<u64>().is_ok())
}
