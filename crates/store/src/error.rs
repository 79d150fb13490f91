//! What can go wrong, by operation.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a store could not be opened. Nothing in the folder was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("setting `{name}` is {value}, allowed is {allowed}")]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error("cannot use the data folder {}", dir.display())]
    Folder { dir: PathBuf, source: io::Error },
    #[error("the data folder {} is in use by {}", dir.display(), holder(*pid))]
    InUse { dir: PathBuf, pid: Option<u32> },
    #[error("{} is not a store's folder: {problem}", path.display())]
    Foreign { path: PathBuf, problem: String },
    #[error(
        "{} was written by a newer version (its format is {found}, this version reads up to {known})",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error(
        "{} is left from a restore that was broken off: run `barograph restore` again",
        path.display()
    )]
    HalfRestored { path: PathBuf },
    #[error("cannot open {}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    #[error("more than {max} partitions are written to at the same time")]
    TooManyLive { max: usize },
    #[error("cannot start the thread `{name}`")]
    Thread { name: &'static str, source: io::Error },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("the process {pid}"))
}

/// Why nothing of an append was stored. Each can be tried again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    #[error("the store is busy: {reason}; try again in {} s", retry_after.as_secs())]
    Busy { reason: &'static str, retry_after: Duration },
    #[error("an append of {samples} samples is too large, at most {max} are allowed")]
    TooLarge { samples: usize, max: usize },
    #[error("the disk that holds {path} is full")]
    DiskFull { path: String },
    #[error("cannot write to {path}: {problem}")]
    Write { path: String, problem: String },
    /// A bug, counted in [`crate::Stats::panics`].
    #[error("the store's writer failed on this append")]
    Failed,
    #[error("the store is closed")]
    Closed,
}

/// Why a series got no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    #[error("there are already {max} series, and `store.max_series` allows no more")]
    TooMany { max: usize },
}

/// Why sealing did not finish. What was committed before stays readable, and sealing is tried
/// again.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("cannot seal {}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    #[error("cannot seal {}: {problem}", path.display())]
    Encode { path: PathBuf, problem: String },
    #[error("cannot open {} to seal it", path.display())]
    Open { path: PathBuf, source: Box<OpenError> },
    #[error("cannot write {}", path.display())]
    File { path: PathBuf, source: io::Error },
}
