//! Reading and changing, each in one transaction.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use barograph_model::Clock;
use ring::hmac;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tracing_mutex::stdsync::{Mutex, MutexGuard};

use crate::database::Files;
use crate::error::{OpenError, SecretError, StateError};
use crate::keys::Keys;
use crate::lease::Fence;
use crate::secret::{self, Secret};

/// The database. Readers see what was committed last and never wait for a writer.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    keys: Keys,
    clock: Arc<dyn Clock>,
}

/// What is in the database at one moment.
pub struct View<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) keys: &'a Keys,
    pub(crate) now_ms: i64,
}

/// A change on its way; also reads, and sees what it changed itself.
pub struct Change<'a> {
    pub(crate) view: View<'a>,
}

/// What could be read, and what is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// Names what is damaged and so left out, for people.
    pub damaged: Vec<String>,
}

impl State {
    /// Opens `state.db` and `state.key` in a folder; both are made when neither is there.
    ///
    /// # Errors
    /// The folder, the file or its key cannot be used, or they do not belong together.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let files = Files::in_folder(dir);
        let (keys, writer, reader) = files.open(dir)?;
        let (writer, reader) = (Mutex::new(writer), Mutex::new(reader));
        Ok(Self { path: files.database, writer, reader, keys, clock })
    }

    /// Reads, all from one moment.
    ///
    /// # Errors
    /// What `act` returns, or the database's own.
    pub fn read<T, E: From<StateError>>(
        &self,
        act: impl FnOnce(&View<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = lock(&self.reader);
        let transaction = connection.transaction().map_err(StateError::from)?;
        act(&self.view(&transaction))
    }

    /// Changes: everything that `act` did, or nothing when it returns an error. On disk when this
    /// returns.
    ///
    /// # Errors
    /// What `act` returns, or the database's own.
    pub fn write<T, E: From<StateError>>(
        &self,
        act: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = lock(&self.writer);
        let transaction = begin(&mut connection)?;
        let outcome = act(&mut Change { view: self.view(&transaction) })?;
        transaction.commit().map_err(StateError::from)?;
        Ok(outcome)
    }

    /// As [`State::write`], but only while the lease is still held in the given epoch: what a
    /// leader does that was asleep meanwhile has no effect.
    ///
    /// # Errors
    /// [`StateError::Fenced`] too.
    pub fn write_as<T, E: From<StateError>>(
        &self,
        fence: &Fence,
        act: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.write(|change| {
            change.check_fence(fence)?;
            act(change)
        })
    }

    /// Encrypts a secret for the place where it belongs, such as `channel/ops-mail/password`.
    ///
    /// # Errors
    /// The secret is too long, or the system gives no random numbers.
    pub fn seal_secret(&self, place: &str, secret: &Secret) -> Result<String, SecretError> {
        secret::seal(&self.keys, place, secret)
    }

    /// Decrypts what [`State::seal_secret`] made for the same place.
    ///
    /// # Errors
    /// It is damaged, from another place, or from another key file.
    pub fn open_secret(&self, place: &str, sealed: &str) -> Result<Secret, SecretError> {
        secret::open(&self.keys, place, sealed)
    }

    /// Vouches for a text that goes out and comes back, such as a link. A signature counts for one
    /// purpose only.
    pub fn sign(&self, purpose: &str, text: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.keys.signatures, &signed(purpose, text));
        let mut signature = [0; 32];
        signature.copy_from_slice(tag.as_ref());
        signature
    }

    /// Whether [`State::sign`] made this signature. Takes as long for a wrong one as for a right
    /// one.
    pub fn is_signed(&self, purpose: &str, text: &str, signature: &[u8]) -> bool {
        hmac::verify(&self.keys.signatures, &signed(purpose, text), signature).is_ok()
    }

    /// Copies the whole database into a file, while others read and write.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn copy_to(&self, path: &Path) -> Result<(), StateError> {
        let path = path.to_string_lossy();
        Connection::open(&self.path)?.execute("VACUUM INTO ?1", [&path])?;
        Ok(())
    }

    fn view<'a>(&'a self, connection: &'a Transaction<'_>) -> View<'a> {
        View { connection, keys: &self.keys, now_ms: self.clock.now_ms() }
    }
}

impl View<'_> {
    /// The time of this reading or change, milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }
}

impl<'a> Deref for Change<'a> {
    type Target = View<'a>;

    fn deref(&self) -> &View<'a> {
        &self.view
    }
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("now_ms", &self.now_ms).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change").field("now_ms", &self.now_ms).finish_non_exhaustive()
    }
}

impl<T> Listing<T> {
    /// Sorts outcomes into what is there and what is damaged.
    pub(crate) fn from_outcomes(
        outcomes: impl IntoIterator<Item = Result<T, StateError>>,
    ) -> Result<Self, StateError> {
        let mut listing = Self { items: Vec::new(), damaged: Vec::new() };
        for outcome in outcomes {
            match outcome {
                Ok(item) => listing.items.push(item),
                Err(StateError::Damaged { what }) => listing.damaged.push(what),
                Err(error) => return Err(error),
            }
        }
        Ok(listing)
    }
}

/// The purpose with its length before it, so that no two pairs look alike.
fn signed(purpose: &str, text: &str) -> Vec<u8> {
    [&(purpose.len() as u64).to_le_bytes(), purpose.as_bytes(), text.as_bytes()].concat()
}

/// A transaction that may write from its beginning, so that it never has to give up half-way.
fn begin(connection: &mut Connection) -> Result<Transaction<'_>, StateError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// A panic while a lock was held rolled its transaction back; the connection is good.
fn lock(mutex: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
