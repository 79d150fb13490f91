//! Append-only logs. Each entry's seal covers the seal before it, and the log's end is sealed too,
//! so a changed, removed or exchanged entry shows when the log is checked.
//!
//! Whoever has the key file can forge all of it; only an anchor outside of this machine (the last
//! seal, sent away from time to time) shows that.

use rusqlite::{OptionalExtension as _, params};

use crate::document::{check_name, limit};
use crate::error::StateError;
use crate::seal::Sealer;
use crate::state::{Change, Listing, View};

const MAX_NAME_CHARS: usize = 40;
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts from 1, without holes.
    pub seq: u64,
    pub time_ms: i64,
    pub body: Vec<u8>,
}

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogProblem {
    /// This entry is not what was written, or not where it was written.
    Changed { seq: u64 },
    /// This entry is not there.
    Missing { seq: u64 },
    /// The record of the log's beginning and end is not what was written.
    End,
}

/// Where a log begins and ends. `before_first` is the seal that the first entry builds on.
struct Ends {
    first_seq: i64,
    before_first: Vec<u8>,
    next_seq: i64,
    last: Vec<u8>,
}

/// An entry as it is stored.
struct Row {
    seq: i64,
    time_ms: i64,
    body: Vec<u8>,
    seal: Vec<u8>,
}

impl View<'_> {
    /// Up to `max` entries after number `after`, the oldest first.
    ///
    /// # Errors
    /// The database cannot be read; damaged entries are in the listing.
    pub fn log(&self, log: &str, after: u64, max: usize) -> Result<Listing<LogEntry>, StateError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        // The entry before vouches for the first one that is wanted.
        let rows = self.log_rows(log, after, max.saturating_add(1))?;
        let mut before = match self.ends(log)? {
            Ok(Some(ends)) if after < ends.first_seq => Some(ends.before_first),
            _ => None,
        };
        let mut outcomes = Vec::new();
        for row in rows {
            let good = before.as_deref().is_none_or(|before| self.vouches(log, before, &row));
            if row.seq > after {
                let Row { seq, time_ms, body, .. } = &row;
                outcomes.push(if good {
                    let seq = seq.unsigned_abs();
                    Ok(LogEntry { seq, time_ms: *time_ms, body: body.clone() })
                } else {
                    Err(StateError::Damaged { what: format!("entry {seq} of the log {log}") })
                });
            }
            before = Some(row.seal);
        }
        outcomes.truncate(max);
        Listing::from_outcomes(outcomes)
    }

    /// The number of the newest entry; 0 when there is none.
    ///
    /// # Errors
    /// The record of the log's end is damaged.
    pub fn log_end(&self, log: &str) -> Result<u64, StateError> {
        let ends = self.ends(log)?.map_err(|()| damaged_end(log))?;
        Ok(ends.map_or(0, |ends| ends.next_seq.unsigned_abs() - 1))
    }

    /// Checks a whole log; an empty list says that it is as it was written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn verify_log(&self, log: &str) -> Result<Vec<LogProblem>, StateError> {
        const MAX_PROBLEMS: usize = 1000;
        let ends = match self.ends(log)? {
            Ok(Some(ends)) => ends,
            Ok(None) => return Ok(Vec::new()),
            Err(()) => return Ok(vec![LogProblem::End]),
        };
        let mut problems = Vec::new();
        let mut before = Some(ends.before_first);
        let mut next_seq = ends.first_seq;
        loop {
            let rows = self.log_rows(log, next_seq, 1000)?;
            if rows.is_empty() || problems.len() > MAX_PROBLEMS {
                break;
            }
            for row in rows {
                while next_seq < row.seq && problems.len() <= MAX_PROBLEMS {
                    problems.push(LogProblem::Missing { seq: next_seq.unsigned_abs() });
                    next_seq += 1;
                    before = None;
                }
                let good = before.as_deref().is_none_or(|before| self.vouches(log, before, &row));
                if !good {
                    problems.push(LogProblem::Changed { seq: row.seq.unsigned_abs() });
                }
                next_seq = row.seq + 1;
                before = Some(row.seal);
            }
        }
        while next_seq < ends.next_seq && problems.len() <= MAX_PROBLEMS {
            problems.push(LogProblem::Missing { seq: next_seq.unsigned_abs() });
            next_seq += 1;
            before = None;
        }
        if before.is_some_and(|last| last != ends.last) {
            problems.push(LogProblem::End);
        }
        Ok(problems)
    }

    fn log_rows(&self, log: &str, from: i64, max: usize) -> Result<Vec<Row>, StateError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, time_ms, body, seal FROM log WHERE log = ?1 AND seq >= ?2
             ORDER BY seq LIMIT ?3",
        )?;
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![log, from, max], |row| {
            let (seq, time_ms, body, seal) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Row { seq, time_ms, body, seal })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn vouches(&self, log: &str, before: &[u8], row: &Row) -> bool {
        self.log_seal(log, before, (row.seq, row.time_ms), &row.body)[..] == row.seal
    }

    fn log_seal(&self, log: &str, before: &[u8], at: (i64, i64), body: &[u8]) -> [u8; 16] {
        let sealer = Sealer::new(&self.keys.rows, "log").text(log).bytes(before);
        sealer.number(at.0).number(at.1).bytes(body).finish()
    }

    /// The inner error: the record is damaged.
    fn ends(&self, log: &str) -> Result<Result<Option<Ends>, ()>, StateError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT first_seq, before_first, next_seq, last, seal FROM log_end WHERE log = ?1",
        )?;
        let found = statement
            .query_row([log], |row| {
                let (first_seq, before_first) = (row.get(0)?, row.get(1)?);
                let (next_seq, last) = (row.get(2)?, row.get(3)?);
                Ok((Ends { first_seq, before_first, next_seq, last }, row.get::<_, Vec<u8>>(4)?))
            })
            .optional()?;
        Ok(match found {
            None => Ok(None),
            Some((ends, seal)) if self.ends_seal(log, &ends)[..] == seal => Ok(Some(ends)),
            Some(_) => Err(()),
        })
    }

    fn ends_seal(&self, log: &str, ends: &Ends) -> [u8; 16] {
        Sealer::new(&self.keys.rows, "log_end")
            .text(log)
            .number(ends.first_seq)
            .bytes(&ends.before_first)
            .number(ends.next_seq)
            .bytes(&ends.last)
            .finish()
    }
}

impl Change<'_> {
    /// Adds an entry to a log and returns its number.
    ///
    /// # Errors
    /// A name or a length that is not allowed, or a damaged end: nothing is built on that.
    pub fn append(&mut self, log: &str, body: &[u8]) -> Result<u64, StateError> {
        check_name("the name of a log", log, MAX_NAME_CHARS)?;
        limit("an entry of a log", body.len(), MAX_BODY_BYTES)?;
        let mut ends = self.ends(log)?.map_err(|()| damaged_end(log))?.unwrap_or_else(|| Ends {
            first_seq: 1,
            before_first: Vec::new(),
            next_seq: 1,
            last: Vec::new(),
        });
        let seq = ends.next_seq;
        let seal = self.log_seal(log, &ends.last, (seq, self.now_ms), body);
        self.connection
            .prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![log, seq, self.now_ms, body, &seal[..]])?;
        ends.next_seq += 1;
        ends.last = seal.to_vec();
        self.set_ends(log, &ends)?;
        Ok(seq.unsigned_abs())
    }

    /// Removes the entries older than a time, but never the newest one, and returns how many.
    ///
    /// # Errors
    /// A damaged end.
    pub fn prune_log(&mut self, log: &str, older_than_ms: i64) -> Result<usize, StateError> {
        let Some(mut ends) = self.ends(log)?.map_err(|()| damaged_end(log))? else {
            return Ok(0);
        };
        // The first entry that stays: times may go back, so everything from it on stays.
        let first: Option<i64> = self
            .connection
            .prepare_cached("SELECT min(seq) FROM log WHERE log = ?1 AND time_ms >= ?2")?
            .query_row(params![log, older_than_ms], |row| row.get(0))?;
        let first = first.unwrap_or(i64::MAX).min(ends.next_seq - 1);
        let before: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT seal FROM log WHERE log = ?1 AND seq = ?2")?
            .query_row(params![log, first - 1], |row| row.get(0))
            .optional()?;
        let Some(before) = before else { return Ok(0) };
        let removed = self
            .connection
            .prepare_cached("DELETE FROM log WHERE log = ?1 AND seq < ?2")?
            .execute(params![log, first])?;
        ends.first_seq = first;
        ends.before_first = before;
        self.set_ends(log, &ends)?;
        Ok(removed)
    }

    fn set_ends(&self, log: &str, ends: &Ends) -> Result<(), StateError> {
        let seal = self.ends_seal(log, ends);
        let Ends { first_seq, before_first, next_seq, last } = ends;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO log_end VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![log, first_seq, before_first, next_seq, last, &seal[..]])?;
        Ok(())
    }
}

fn damaged_end(log: &str) -> StateError {
    StateError::Damaged { what: format!("the end of the log {log}") }
}
