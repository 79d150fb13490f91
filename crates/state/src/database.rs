//! The SQLite file: how it is opened, and its tables.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::error::OpenError;
use crate::keys::Keys;
use crate::seal::Sealer;

/// `BaSt`, in the header of the file.
const APPLICATION_ID: i64 = 0x4261_5374;
const VERSION: i64 = 1;
const BUSY: Duration = Duration::from_secs(10);
const SCHEMA: &str = "
    CREATE TABLE key_check (id INTEGER PRIMARY KEY CHECK (id = 1), seal BLOB NOT NULL) STRICT;
    CREATE TABLE document (
        kind TEXT, name TEXT, version INTEGER, author TEXT NOT NULL, note TEXT NOT NULL,
        changed_ms INTEGER NOT NULL, text TEXT, seal BLOB NOT NULL,
        PRIMARY KEY (kind, name, version)) STRICT, WITHOUT ROWID;
    CREATE TABLE log (
        log TEXT, seq INTEGER, time_ms INTEGER NOT NULL, body BLOB NOT NULL, seal BLOB NOT NULL,
        PRIMARY KEY (log, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE log_end (
        log TEXT PRIMARY KEY, first_seq INTEGER NOT NULL, before_first BLOB NOT NULL,
        next_seq INTEGER NOT NULL, last BLOB NOT NULL, seal BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE entry (
        space TEXT, key TEXT, body BLOB NOT NULL, seal BLOB NOT NULL,
        PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID;
    CREATE TABLE message (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, lane TEXT NOT NULL,
        body BLOB NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
        seal BLOB NOT NULL, status INTEGER NOT NULL, attempts INTEGER NOT NULL,
        due_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, problem TEXT NOT NULL) STRICT;
    CREATE INDEX message_waiting ON message (lane, seq) WHERE status = 0;
    CREATE TABLE lease (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/// The files of a database.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) database: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    pub(crate) fn in_folder(dir: &Path) -> Self {
        Self { database: dir.join("state.db"), key: dir.join("state.key") }
    }

    /// Opens the database, made anew when there is none, with two connections: one that writes and
    /// one that reads.
    pub(crate) fn open(&self, dir: &Path) -> Result<(Keys, Connection, Connection), OpenError> {
        fs::create_dir_all(dir)
            .map_err(|source| OpenError::Folder { dir: dir.to_owned(), source })?;
        let keys = match (self.database.exists(), self.key.exists()) {
            (true, false) => {
                let (database, key) = (self.database.clone(), self.key.clone());
                return Err(OpenError::KeyMissing { database, key });
            }
            _ => Keys::load_or_make(&self.key)?,
        };
        let writer = self.connect()?;
        self.prepare(&writer, &keys)?;
        let reader = self.connect()?;
        reader.pragma_update(None, "query_only", true).map_err(|source| self.failed(source))?;
        Ok((keys, writer, reader))
    }

    fn failed(&self, source: rusqlite::Error) -> OpenError {
        OpenError::Database { path: self.database.clone(), source }
    }

    fn connect(&self) -> Result<Connection, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&self.database, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "trusted_schema", false)?;
            connection.set_prepared_statement_cache_capacity(64);
            Ok(connection)
        };
        open().map_err(|source| self.failed(source))
    }

    /// Checks that the file is ours and made with this key; fills one that is empty.
    fn prepare(&self, connection: &Connection, keys: &Keys) -> Result<(), OpenError> {
        let failed = |source| self.failed(source);
        let number = |name: &str| {
            connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed)
        };
        let (id, version) = (number("application_id")?, number("user_version")?);
        let is_empty = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
            .map_err(failed)?
            == 0;
        if !is_empty && id != APPLICATION_ID {
            return Err(OpenError::Foreign { path: self.database.clone() });
        }
        if version > VERSION {
            let path = self.database.clone();
            return Err(OpenError::Newer { path, found: version, known: VERSION });
        }
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        if is_empty {
            connection
                .execute_batch(&format!(
                    "BEGIN IMMEDIATE; {SCHEMA}
                     PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
                ))
                .and_then(|()| {
                    let seal = check_seal(keys);
                    connection.execute("INSERT INTO key_check VALUES (1, ?1)", [&seal[..]])
                })
                .and_then(|_| connection.execute_batch("COMMIT"))
                .map_err(failed)?;
        }
        let seal: Option<Vec<u8>> = connection
            .query_row("SELECT seal FROM key_check", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if seal.as_deref() == Some(&check_seal(keys)[..]) {
            return Ok(());
        }
        let (database, key) = (self.database.clone(), self.key.clone());
        Err(OpenError::OtherKey { database, key })
    }
}

/// Tells whether a key file belongs to a database.
fn check_seal(keys: &Keys) -> [u8; 16] {
    Sealer::new(&keys.rows, "key").finish()
}
