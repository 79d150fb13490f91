//! One partition's SQLite file: how it is opened, and its tables.
//!
//! `docs/format/store.md` draws the rows. The file has two places for its version: SQLite's own
//! `user_version`, read before anything else, and the record in `meta`.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};
use tracing_mutex::stdsync::Mutex;

use crate::block_cache::BlockCache;
use crate::codec::bytes::{Decoded, Reader, put_checksum, put_varint, verified, zigzag};
use crate::error::OpenError;
use crate::sequence;
use crate::span::Span;
use crate::sync::lock;

/// "Baro", in the header of every file.
const APPLICATION_ID: i64 = 0x4261_726f;
/// The version of the tables and rows. Version 1 had batches that each stood for itself, version 2
/// nothing that was packed.
pub(crate) const VERSION: i64 = 3;
const SCHEMA: &str = "
    CREATE TABLE meta (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE series (first INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE batch (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE block (id INTEGER PRIMARY KEY, head BLOB NOT NULL, data BLOB NOT NULL);";
/// Connections kept for the next reader of a partition.
const IDLE_READERS: usize = 4;
const META_VERSION: u8 = 1;
const PAGE_BYTES: u64 = 4096;
/// The journal is taken into the file when it has so many pages: a minute or two of one batch per
/// second, so that it is small beside what it protects.
const JOURNAL_PAGES: i64 = 200;
/// What is left of a journal that had to grow beyond that.
const JOURNAL_BYTES: i64 = 2 * 1024 * 1024;

/// What a partition's file says of itself; rewritten by every sealing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Made up when the file was; all checksums in the file are tied to it.
    pub(crate) uuid: u64,
    pub(crate) span: Span,
    /// Blocks below this are valid; others are leftovers of an interrupted sealing.
    pub(crate) blocks: u32,
    /// Batches below this are in blocks.
    pub(crate) sealed_seq: i64,
    /// Series that there were at least.
    pub(crate) series: u32,
    /// Batches that were damaged before they could be sealed.
    pub(crate) lost_batches: u64,
    /// Samples in the valid blocks.
    pub(crate) samples: u64,
    /// Their first and last time; meaningless without samples.
    pub(crate) range_ms: (i64, i64),
}

impl Meta {
    pub(crate) fn new(span: Span) -> Self {
        Self {
            uuid: unique(),
            span,
            blocks: 0,
            sealed_seq: 0,
            series: 0,
            lost_batches: 0,
            samples: 0,
            range_ms: (0, 0),
        }
    }

    /// Counts one more block, with its samples and their first and last time.
    pub(crate) fn add_block(&mut self, samples: u64, range_ms: (i64, i64)) {
        self.range_ms = match self.samples {
            0 => range_ms,
            _ => (self.range_ms.0.min(range_ms.0), self.range_ms.1.max(range_ms.1)),
        };
        self.samples += samples;
        self.blocks += 1;
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![META_VERSION];
        out.extend_from_slice(&self.uuid.to_le_bytes());
        put_varint(&mut out, zigzag(self.span.start_ms));
        put_varint(&mut out, zigzag(self.span.end_ms));
        put_varint(&mut out, u64::from(self.blocks));
        put_varint(&mut out, zigzag(self.sealed_seq));
        put_varint(&mut out, u64::from(self.series));
        put_varint(&mut out, self.lost_batches);
        put_varint(&mut out, self.samples);
        put_varint(&mut out, zigzag(self.range_ms.0));
        put_varint(&mut out, zigzag(self.range_ms.1));
        put_checksum(&mut out, 0, 0);
        out
    }

    fn decode(bytes: &[u8]) -> Decoded<Self> {
        let mut reader = Reader::new(verified(bytes, 0, WHAT)?, WHAT);
        if reader.byte()? != META_VERSION {
            return Err(reader.damaged());
        }
        let uuid = reader.u64()?;
        let span = Span { start_ms: reader.signed()?, end_ms: reader.signed()? };
        let blocks = reader.u32()?;
        let sealed_seq = reader.signed()?;
        let series = reader.u32()?;
        let lost_batches = reader.varint()?;
        let samples = reader.varint()?;
        let range_ms = (reader.signed()?, reader.signed()?);
        reader.finish()?;
        Ok(Self { uuid, span, blocks, sealed_seq, series, lost_batches, samples, range_ms })
    }

    /// What the checksum of a row starts from: its file, its table and its key.
    pub(crate) fn seed(&self, table: Table, key: i64) -> u32 {
        let seed = crc32c::crc32c(&self.uuid.to_le_bytes());
        let seed = crc32c::crc32c_append(seed, &[table as u8]);
        crc32c::crc32c_append(seed, &key.to_le_bytes())
    }
}

const WHAT: &str = "the record about the partition";

#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    Series = 1,
    Batch = 2,
    Block = 3,
    Covers = 4,
}

/// A number that no other file has: the hasher's keys come from the system's randomness.
pub(crate) fn unique() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A partition's file and the connections to it.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    pub(crate) blocks: BlockCache,
}

impl Database {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()), blocks: BlockCache::default() }
    }

    fn failed(&self, source: rusqlite::Error) -> OpenError {
        OpenError::Database { path: self.path.clone(), source }
    }

    fn foreign(&self, problem: impl Into<String>) -> OpenError {
        OpenError::Foreign { path: self.path.clone(), problem: problem.into() }
    }

    /// Opens the file to write to it, and makes it when it does not exist.
    pub(crate) fn writer(
        &self,
        span: Span,
        max_bytes: Option<u64>,
    ) -> Result<(Connection, Meta), OpenError> {
        self.check_header()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let failed = |source| self.failed(source);
        let mut connection = connect(&self.path, flags).map_err(failed)?;
        self.check_identity(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        connection.pragma_update(None, "wal_autocheckpoint", JOURNAL_PAGES).map_err(failed)?;
        connection.pragma_update(None, "journal_size_limit", JOURNAL_BYTES).map_err(failed)?;
        if let Some(max_bytes) = max_bytes {
            let pages = i64::try_from(max_bytes / PAGE_BYTES).unwrap_or(i64::MAX);
            connection.pragma_update(None, "max_page_count", pages).map_err(failed)?;
        }
        let meta = match self.meta(&connection)? {
            Some(meta) => {
                raise_version(&connection).map_err(failed)?;
                meta
            }
            None if sequence::is_noted(&self.path) => {
                return Err(self.foreign("everything that was committed to it is gone"));
            }
            None => create(&mut connection, Meta::new(span)).map_err(failed)?,
        };
        if meta.span != span {
            return Err(self.foreign("its name and its record name different times"));
        }
        Ok((connection, meta))
    }

    /// A read-only connection: one that was given back, or a new one.
    pub(crate) fn reader(&self) -> Result<Connection, OpenError> {
        if let Some(connection) = lock(&self.idle).pop() {
            return Ok(connection);
        }
        let open = |path: &Path, flags| {
            let connection = connect(path, flags).map_err(|source| self.failed(source))?;
            self.check_identity(&connection).map(|()| connection)
        };
        match open(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY) {
            // Even to read a live file, SQLite makes files beside it. Where nobody may, nobody
            // writes either, so without a journal the file is all there is.
            Err(OpenError::Database { source, .. }) if self.cannot_make_journal(&source) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                open(Path::new(&immutable_uri(&self.path)), flags)
            }
            opened => opened,
        }
    }

    /// What the file and its journal take.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        bytes(&self.path) + bytes(&self.journal())
    }

    fn journal(&self) -> PathBuf {
        let mut journal = self.path.clone().into_os_string();
        journal.push("-wal");
        journal.into()
    }

    fn cannot_make_journal(&self, error: &rusqlite::Error) -> bool {
        let journal = std::fs::metadata(self.journal()).map_or(0, |metadata| metadata.len());
        error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && journal == 0
    }

    pub(crate) fn give_back(&self, connection: Connection) {
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
    }

    /// Closes the connections that no reader has.
    pub(crate) fn close_idle(&self) {
        lock(&self.idle).clear();
    }

    /// Looks at the file's first bytes before SQLite does: a newer version's file, or another
    /// program's, is not even opened.
    fn check_header(&self) -> Result<(), OpenError> {
        let failed = |source| OpenError::Folder { dir: self.path.clone(), source };
        let mut header = Vec::new();
        match File::open(&self.path) {
            Ok(file) => file.take(100).read_to_end(&mut header).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        let number = |at: usize| {
            let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            i64::from(i32::from_be_bytes(bytes.unwrap_or_default()))
        };
        self.check_numbers(number(68), number(60))
    }

    fn check_identity(&self, connection: &Connection) -> Result<(), OpenError> {
        let pragma = |name: &str| {
            let query = format!("PRAGMA {name}");
            let value = connection.query_row(&query, [], |row| row.get::<_, i64>(0));
            value.map_err(|source| self.failed(source))
        };
        self.check_numbers(pragma("application_id")?, pragma("user_version")?)
    }

    fn check_numbers(&self, application: i64, version: i64) -> Result<(), OpenError> {
        // Both are zero as long as nothing is in the file.
        if application != APPLICATION_ID && (application, version) != (0, 0) {
            return Err(self.foreign("it is another program's database"));
        }
        if version > VERSION {
            let path = self.path.clone();
            return Err(OpenError::Newer { path, found: version, known: VERSION });
        }
        Ok(())
    }

    /// The partition's record, or nothing when the file is still empty: its making was
    /// interrupted.
    pub(crate) fn meta(&self, connection: &Connection) -> Result<Option<Meta>, OpenError> {
        let failed = |source| self.failed(source);
        let objects: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(failed)?;
        if objects == 0 {
            return Ok(None);
        }
        let data: Option<Vec<u8>> = connection
            .query_row("SELECT data FROM meta WHERE id = 1", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let data = data.ok_or_else(|| self.foreign("the record about the partition is missing"))?;
        Meta::decode(&data).map(Some).map_err(|damaged| self.foreign(damaged.to_string()))
    }
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// The file's name in the form that tells SQLite that nobody changes it.
fn immutable_uri(path: &Path) -> String {
    let path = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    // `C:/x` becomes `/C:/x`.
    let has_drive = path.get(1..2) == Some(":");
    let mut uri = String::from(if has_drive { "file:/" } else { "file:" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b':' | b'.' | b'-' | b'_' => {
                uri.push(char::from(byte));
            }
            byte => {
                let digits = [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16));
                uri.push('%');
                uri.extend(digits.into_iter().flatten());
            }
        }
    }
    uri + "?immutable=1"
}

fn create(connection: &mut Connection, meta: Meta) -> rusqlite::Result<Meta> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    write_meta(&transaction, &meta)?;
    transaction.commit()?;
    Ok(meta)
}

/// What is written from now on, earlier versions do not understand.
fn raise_version(connection: &Connection) -> rusqlite::Result<()> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found < VERSION {
        connection.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}

/// Makes a new file that nobody else knows yet, so without a journal: an interrupted one is
/// thrown away.
pub(crate) fn create_unshared(
    path: &Path,
    span: Span,
    uuid: Option<u64>,
) -> rusqlite::Result<(Connection, Meta)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(path, flags)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    let new = Meta::new(span);
    let meta = create(&mut connection, Meta { uuid: uuid.unwrap_or(new.uuid), ..new })?;
    Ok((connection, meta))
}

/// Whether the error says that the file is not what was written, rather than that the system
/// refuses something just now.
pub(crate) fn is_corruption(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    !matches!(
        code,
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::OperationInterrupted
        )
    )
}

pub(crate) fn write_meta(connection: &Connection, meta: &Meta) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (id, data) VALUES (1, ?1)")?
        .execute(params![meta.encode()])
        .map(|_| ())
}

pub(crate) fn insert_block(
    connection: &Connection,
    id: u32,
    block: &crate::codec::block::Encoded,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO block (id, head, data) VALUES (?1, ?2, ?3)")?
        .execute(params![id, block.head, block.data])
        .map(|_| ())
}
