//! Small current values by key, without history: what a state machine remembers.

use rusqlite::{OptionalExtension as _, params};

use crate::document::{check_name, limit};
use crate::error::StateError;
use crate::seal::Sealer;
use crate::state::{Change, Listing, View};

const MAX_SPACE_CHARS: usize = 40;
const MAX_KEY_CHARS: usize = 500;
const MAX_BODY_BYTES: usize = 1024 * 1024;

impl View<'_> {
    /// The value of a key.
    ///
    /// # Errors
    /// The row is damaged.
    pub fn entry(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT body, seal FROM entry WHERE space = ?1 AND key = ?2")?;
        let found: Option<(Vec<u8>, Vec<u8>)> =
            statement.query_row([space, key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        found.map(|(body, seal)| self.checked(space, key, body, &seal)).transpose()
    }

    /// All keys of a space with their values, in order of the keys.
    ///
    /// # Errors
    /// The database cannot be read; damaged rows are in the listing.
    pub fn entries(&self, space: &str) -> Result<Listing<(String, Vec<u8>)>, StateError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT key, body, seal FROM entry WHERE space = ?1 ORDER BY key")?;
        let rows = statement
            .query_map([space], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        Listing::from_outcomes(rows.into_iter().map(|(key, body, seal)| {
            let body = self.checked(space, &key, body, &seal)?;
            Ok((key, body))
        }))
    }

    fn checked(
        &self,
        space: &str,
        key: &str,
        body: Vec<u8>,
        seal: &[u8],
    ) -> Result<Vec<u8>, StateError> {
        self.entry_sealer(space, key, &body).check(seal, || format!("`{key}` in {space}"))?;
        Ok(body)
    }

    fn entry_sealer(&self, space: &str, key: &str, body: &[u8]) -> Sealer {
        Sealer::new(&self.keys.rows, "entry").text(space).text(key).bytes(body)
    }
}

impl Change<'_> {
    /// Gives a key its value.
    ///
    /// # Errors
    /// A name or a length that is not allowed.
    pub fn set_entry(&mut self, space: &str, key: &str, body: &[u8]) -> Result<(), StateError> {
        check_name("a space of keys", space, MAX_SPACE_CHARS)?;
        check_name("a key", key, MAX_KEY_CHARS)?;
        limit("the value of a key", body.len(), MAX_BODY_BYTES)?;
        let seal = self.entry_sealer(space, key, body).finish();
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO entry VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![space, key, body, &seal[..]])?;
        Ok(())
    }

    /// Removes a key; tells whether it was there.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn remove_entry(&mut self, space: &str, key: &str) -> Result<bool, StateError> {
        let removed = self
            .connection
            .prepare_cached("DELETE FROM entry WHERE space = ?1 AND key = ?2")?
            .execute([space, key])?;
        Ok(removed > 0)
    }
}
