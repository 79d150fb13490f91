//! One day of records: an SQLite file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Rows, params};

use super::{Record, RecordAnswer, RecordError};

/// `BarL`, in the header of every file.
const APPLICATION_ID: i64 = 0x4261_724c;
const VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE record (
        id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE INDEX record_time ON record (time_ms, id);";

#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

#[derive(Debug)]
pub(super) struct DayFile {
    path: PathBuf,
    connection: Connection,
}

impl DayFile {
    pub(super) fn writer(path: PathBuf) -> Result<Self, RecordError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let file = Self { connection: connect(&path, flags)?, path };
        if file.identity()? == (0, 0) {
            file.run(|connection| {
                connection.pragma_update(None, "journal_mode", "WAL")?;
                let transaction = connection.unchecked_transaction()?;
                transaction.execute_batch(SCHEMA)?;
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()
            })?;
        }
        file.check_identity()?;
        file.run(|connection| {
            connection.pragma_update(None, "journal_size_limit", 4 * 1024 * 1024)?;
            connection.pragma_update(None, "synchronous", "FULL")
        })?;
        Ok(file)
    }

    pub(super) fn reader(path: &Path) -> Result<Self, RecordError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let file = Self { path: path.to_owned(), connection };
        file.check_identity()?;
        Ok(file)
    }

    fn run<T>(
        &self,
        action: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, RecordError> {
        action(&self.connection)
            .map_err(|source| RecordError::Database { path: self.path.clone(), source })
    }

    fn identity(&self) -> Result<(i64, i64), RecordError> {
        let pragma = |name: &str| {
            let query = format!("PRAGMA {name}");
            self.run(|connection| connection.query_row(&query, [], |row| row.get::<_, i64>(0)))
        };
        Ok((pragma("application_id")?, pragma("user_version")?))
    }

    fn check_identity(&self) -> Result<(), RecordError> {
        match self.identity()? {
            (APPLICATION_ID, VERSION) => Ok(()),
            (APPLICATION_ID, found) if found > VERSION => {
                Err(RecordError::Newer { path: self.path.clone(), found })
            }
            _ => Err(RecordError::Foreign { path: self.path.clone() }),
        }
    }

    pub(super) fn append(&mut self, records: &[&Record]) -> Result<(), RecordError> {
        self.run(|connection| {
            let transaction = connection.unchecked_transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO record (time_ms, crc, data) VALUES (?1, ?2, ?3)",
                )?;
                for record in records {
                    let crc = checksum(record.time_ms, &record.data);
                    insert.execute(params![record.time_ms, crc, record.data])?;
                }
            }
            transaction.commit()
        })
    }

    pub(super) fn read(
        &self,
        order: Order,
        (from_ms, to_ms): (i64, i64),
        wanted: usize,
        answer: &mut RecordAnswer,
    ) -> Result<(), RecordError> {
        let order = match order {
            Order::OldestFirst => "time_ms, id",
            Order::NewestFirst => "time_ms DESC, id DESC",
        };
        let query = format!(
            "SELECT time_ms, crc, data FROM record WHERE time_ms BETWEEN ?1 AND ?2 ORDER BY {order}"
        );
        self.run(|connection| {
            let mut statement = connection.prepare(&query)?;
            let rows = statement.query(params![from_ms, to_ms])?;
            collect(rows, wanted, answer)
        })
    }
}

fn collect(mut rows: Rows<'_>, wanted: usize, answer: &mut RecordAnswer) -> rusqlite::Result<()> {
    let mut taken = 0;
    while let Some(row) = rows.next()? {
        let record = Record { time_ms: row.get(0)?, data: row.get(2)? };
        if row.get::<_, i64>(1)? != checksum(record.time_ms, &record.data) {
            answer.damaged += 1;
            continue;
        }
        if taken == wanted {
            answer.more = true;
            return Ok(());
        }
        taken += 1;
        answer.records.push(record);
    }
    Ok(())
}

fn checksum(time_ms: i64, data: &[u8]) -> i64 {
    i64::from(crc32c::crc32c_append(crc32c::crc32c(&time_ms.to_le_bytes()), data))
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, RecordError> {
    let open = || {
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        Ok(connection)
    };
    open().map_err(|source| RecordError::Database { path: path.to_owned(), source })
}
