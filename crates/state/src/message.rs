//! Messages that wait until they are delivered: what notifications and commands are sent from.
//!
//! Written in the transaction that makes them necessary, so that neither is there without the
//! other. Within a lane one message at a time is due, so the lane keeps its order. A message that
//! was delivered but not marked before a crash is delivered again, with the same id.

use rusqlite::{OptionalExtension as _, Row, params};

use crate::document::{check_name, limit};
use crate::error::StateError;
use crate::seal::Sealer;
use crate::state::{Change, Listing, View};

const MAX_ID_CHARS: usize = 200;
const MAX_BODY_BYTES: usize = 1024 * 1024;
const MAX_PROBLEM_CHARS: usize = 1000;
const COLUMNS: &str = "seq, id, lane, body, created_ms, expires_ms, seal, status, attempts, due_ms,
    changed_ms, problem";

/// What is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct NewMessage<'a> {
    /// The same for the same cause, so that no cause is sent twice.
    pub id: &'a str,
    /// Messages of a lane are delivered one after the other.
    pub lane: &'a str,
    pub body: &'a [u8],
    pub due_ms: i64,
    /// After this it is given up.
    pub expires_ms: i64,
}

/// A message and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub seq: u64,
    pub id: String,
    pub lane: String,
    pub body: Vec<u8>,
    pub created_ms: i64,
    pub expires_ms: i64,
    pub status: Status,
    /// How often it was tried.
    pub attempts: u32,
    pub due_ms: i64,
    pub changed_ms: i64,
    /// Why the last attempt failed; empty when none did.
    pub problem: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Waiting,
    Delivered,
    /// Given up.
    Dead,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// To be tried again; the lane waits until then.
    Retry {
        due_ms: i64,
        problem: String,
    },
    Dead {
        problem: String,
    },
}

/// Whether a message is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    New,
    /// A message of this id was there, whatever became of it.
    Known,
}

impl Status {
    const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Delivered => 1,
            Self::Dead => 2,
        }
    }
}

impl View<'_> {
    /// The messages that are to be tried now: of each lane the first that waits, if it is due. One
    /// that seems to be due only after `horizon_ms` is due now: nobody waits that long, so the clock
    /// was put back.
    ///
    /// # Errors
    /// The database cannot be read; damaged messages are in the listing.
    pub fn due_messages(
        &self,
        max: usize,
        horizon_ms: i64,
    ) -> Result<Listing<Message>, StateError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM message
             WHERE seq IN (SELECT min(seq) FROM message WHERE status = 0 GROUP BY lane)
             AND (due_ms <= ?1 OR due_ms > ?3) ORDER BY due_ms, seq LIMIT ?2"
        ))?;
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![self.now_ms, max, horizon_ms], |row| Ok(self.message_in(row)))?;
        let mut outcomes = Vec::new();
        for row in rows {
            outcomes.push(row??);
        }
        Listing::from_outcomes(outcomes)
    }

    /// When the next message is due, if any waits.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn next_message_ms(&self) -> Result<Option<i64>, StateError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT min(due_ms) FROM message
             WHERE seq IN (SELECT min(seq) FROM message WHERE status = 0 GROUP BY lane)",
        )?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The newest messages of a status, the newest first.
    ///
    /// # Errors
    /// As [`View::due_messages`].
    pub fn messages(&self, status: Status, max: usize) -> Result<Listing<Message>, StateError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM message WHERE status = ?1 ORDER BY seq DESC LIMIT ?2"
        ))?;
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let rows =
            statement.query_map(params![status.number(), max], |row| Ok(self.message_in(row)))?;
        let mut outcomes = Vec::new();
        for row in rows {
            outcomes.push(row??);
        }
        Listing::from_outcomes(outcomes)
    }

    /// A message by its id.
    ///
    /// # Errors
    /// The message is damaged.
    pub fn message(&self, id: &str) -> Result<Option<Message>, StateError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM message WHERE id = ?1"))?;
        let found = statement.query_row([id], |row| Ok(self.message_in(row))).optional()?;
        found.map(|outcome| outcome?).transpose()
    }

    /// How many messages have this status, and when the oldest of them was made.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn count_messages(&self, status: Status) -> Result<(u64, Option<i64>), StateError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*), min(created_ms) FROM message WHERE status = ?1")?;
        let counted = statement.query_row([status.number()], |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
        })?;
        Ok(counted)
    }

    fn message_in(&self, row: &Row<'_>) -> Result<Result<Message, StateError>, rusqlite::Error> {
        let seal: Vec<u8> = row.get(6)?;
        let status: i64 = row.get(7)?;
        let message = Message {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            id: row.get(1)?,
            lane: row.get(2)?,
            body: row.get(3)?,
            created_ms: row.get(4)?,
            expires_ms: row.get(5)?,
            status: Status::Waiting,
            attempts: row.get(8)?,
            due_ms: row.get(9)?,
            changed_ms: row.get(10)?,
            problem: row.get(11)?,
        };
        let times = (message.created_ms, message.expires_ms);
        let what = || format!("message `{}`", message.id);
        let sealed = self.message_seal((&message.id, &message.lane), &message.body, times);
        let checked = sealed.check(&seal, what).and_then(|()| {
            let known = Status::ALL.into_iter().find(|it| it.number() == status);
            known.ok_or_else(|| StateError::Damaged { what: what() })
        });
        Ok(checked.map(|status| Message { status, ..message }))
    }

    fn message_seal(&self, names: (&str, &str), body: &[u8], times: (i64, i64)) -> Sealer {
        let sealer = Sealer::new(&self.keys.rows, "message").text(names.0).text(names.1);
        sealer.bytes(body).number(times.0).number(times.1)
    }
}

impl Change<'_> {
    /// Adds a message, unless one of this id was there before.
    ///
    /// # Errors
    /// A name or a length that is not allowed.
    pub fn enqueue(&mut self, new: &NewMessage<'_>) -> Result<Enqueued, StateError> {
        check_name("the id of a message", new.id, MAX_ID_CHARS)?;
        check_name("the lane of a message", new.lane, MAX_ID_CHARS)?;
        limit("the body of a message", new.body.len(), MAX_BODY_BYTES)?;
        let times = (self.now_ms, new.expires_ms);
        let seal = self.message_seal((new.id, new.lane), new.body, times).finish();
        let added = self
            .connection
            .prepare_cached(
                "INSERT INTO message (id, lane, body, created_ms, expires_ms, seal, status,
                 attempts, due_ms, changed_ms, problem)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?4, '') ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![
                new.id,
                new.lane,
                new.body,
                self.now_ms,
                new.expires_ms,
                &seal[..],
                new.due_ms
            ])?;
        Ok(if added == 1 { Enqueued::New } else { Enqueued::Known })
    }

    /// Notes how an attempt went. A message that was finished meanwhile stays as it is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn attempted(&mut self, id: &str, outcome: &Outcome) -> Result<(), StateError> {
        let (status, due_ms, problem) = match outcome {
            Outcome::Delivered => (Status::Delivered, None, ""),
            Outcome::Retry { due_ms, problem } => {
                (Status::Waiting, Some(*due_ms), problem.as_str())
            }
            Outcome::Dead { problem } => (Status::Dead, None, problem.as_str()),
        };
        let problem: String = problem.chars().take(MAX_PROBLEM_CHARS).collect();
        self.connection
            .prepare_cached(
                "UPDATE message SET status = ?2, attempts = attempts + 1, problem = ?4,
                 due_ms = coalesce(?3, due_ms), changed_ms = ?5 WHERE id = ?1 AND status = 0",
            )?
            .execute(params![id, status.number(), due_ms, problem, self.now_ms])?;
        Ok(())
    }

    /// Lets a message wait for longer, without an attempt.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn postpone(&mut self, id: &str, due_ms: i64) -> Result<(), StateError> {
        self.connection
            .prepare_cached("UPDATE message SET due_ms = ?2 WHERE id = ?1 AND status = 0")?
            .execute(params![id, due_ms])?;
        Ok(())
    }

    /// Lets all that wait be due earlier by so much: the clock was put back, and none is to wait for
    /// longer than it would have.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn bring_forward(&mut self, by_ms: i64) -> Result<(), StateError> {
        self.connection
            .prepare_cached("UPDATE message SET due_ms = due_ms - ?1 WHERE status = 0")?
            .execute([by_ms])?;
        Ok(())
    }

    /// Tries a message that was given up once more, from now on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn revive(&mut self, id: &str) -> Result<bool, StateError> {
        let revived = self
            .connection
            .prepare_cached(
                "UPDATE message SET status = 0, due_ms = ?2, changed_ms = ?2
                 WHERE id = ?1 AND status = 2",
            )?
            .execute(params![id, self.now_ms])?;
        Ok(revived == 1)
    }

    /// Removes finished messages that last changed before a time, and returns how many. Their ids
    /// are forgotten.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn prune_messages(&mut self, older_than_ms: i64) -> Result<usize, StateError> {
        let removed = self
            .connection
            .prepare_cached("DELETE FROM message WHERE status != 0 AND changed_ms < ?1")?
            .execute([older_than_ms])?;
        Ok(removed)
    }
}
