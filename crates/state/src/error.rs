//! What can go wrong, by operation.

use std::io;
use std::path::PathBuf;

/// Why the database could not be opened. Nothing in the folder was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot use the folder {}", dir.display())]
    Folder { dir: PathBuf, source: io::Error },
    #[error("cannot open {}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    #[error("{} is not Barograph's database of documents", path.display())]
    Foreign { path: PathBuf },
    #[error(
        "{} was written by a newer version (its format is {found}, this version reads up to {known})",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("cannot use the key file {}", path.display())]
    KeyFile { path: PathBuf, source: io::Error },
    #[error("the key file {} has {bytes} bytes, a key has {}", path.display(), crate::keys::KEY_BYTES)]
    KeyLength { path: PathBuf, bytes: usize },
    #[error(
        "{} is there, but its key file {} is not; put it back, without it nothing can be trusted",
        database.display(),
        key.display()
    )]
    KeyMissing { database: PathBuf, key: PathBuf },
    #[error("{} does not belong to the key file {}", database.display(), key.display())]
    OtherKey { database: PathBuf, key: PathBuf },
    #[error("the system gives no random numbers")]
    Random,
}

/// Why a reading or a change did not happen. A change that failed left nothing behind.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("the database of documents cannot be used")]
    Database(#[from] rusqlite::Error),
    #[error("{what} in the database is damaged; restore it from a backup, or write it anew")]
    Damaged { what: String },
    #[error("{kind} `{name}` is at version {found}, the change was made for {expected}")]
    Conflict { kind: String, name: String, expected: String, found: u64 },
    #[error("there is no {kind} `{name}`")]
    NoDocument { kind: String, name: String },
    #[error("{what} is {found} long, at most {max} is allowed")]
    TooLong { what: &'static str, found: usize, max: usize },
    #[error("{what} `{found}` is not allowed: {allowed}")]
    Name { what: &'static str, found: String, allowed: &'static str },
    #[error("`{name}` is led by another since epoch {current}, this is epoch {epoch}")]
    Fenced { name: String, epoch: u64, current: u64 },
}

/// Why a secret could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the sealed secret is damaged, or belongs to another place or key file")]
    Damaged,
    #[error("the system gives no random numbers")]
    Random,
    #[error("a secret of {bytes} bytes is too long, at most {max} are allowed")]
    TooLong { bytes: usize, max: usize },
}
