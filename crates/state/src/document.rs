//! Texts that people edit, with all their versions.

use rusqlite::{OptionalExtension as _, Row, params};

use crate::error::StateError;
use crate::seal::Sealer;
use crate::state::{Change, Listing, View};

/// A document as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What sort of document it is, such as `rules`.
    pub kind: String,
    pub name: String,
    /// Counts its changes from 1, and goes on after a removal.
    pub version: u64,
    pub author: String,
    pub changed_ms: i64,
    /// As its author wrote it, comments and all.
    pub text: String,
}

/// One of a document's versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub version: u64,
    pub author: String,
    /// Why, in the author's words; may be empty.
    pub note: String,
    pub changed_ms: i64,
    /// `None`: this version is the document's removal.
    pub text: Option<String>,
}

/// Who changes a document, why, and on which ground.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    pub author: &'a str,
    pub note: &'a str,
    pub expected: Expected,
}

/// What must be there for a change to happen, so that nobody overwrites what they have not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// No such document.
    Absent,
    /// This version.
    Version(u64),
}

const COLUMNS: &str = "kind, name, version, author, note, changed_ms, text, seal";
/// The newest version of each document.
const CURRENT: &str = "version = (SELECT max(version) FROM document AS newest
    WHERE newest.kind = document.kind AND newest.name = document.name)";

impl Document {
    pub const MAX_KIND_CHARS: usize = 40;
    pub const MAX_NAME_CHARS: usize = 200;
    pub const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;
    pub const MAX_NOTE_BYTES: usize = 4096;
}

impl View<'_> {
    /// A document, unless it never was or is removed.
    ///
    /// # Errors
    /// The row is damaged.
    pub fn document(&self, kind: &str, name: &str) -> Result<Option<Document>, StateError> {
        let newest = self.newest(kind, name)?;
        Ok(newest.and_then(|revision| as_document(kind.to_owned(), name.to_owned(), revision)))
    }

    /// All documents of a kind, in order of their names.
    ///
    /// # Errors
    /// The database cannot be read; damaged documents are in the listing.
    pub fn documents(&self, kind: &str) -> Result<Listing<Document>, StateError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM document WHERE kind = ?1 AND {CURRENT} ORDER BY name"
        ))?;
        let rows = statement.query_map([kind], |row| Ok(self.revision(row)))?;
        let mut outcomes = Vec::new();
        for row in rows {
            match row?? {
                Ok((kind, name, revision)) => {
                    outcomes.extend(as_document(kind, name, revision).map(Ok));
                }
                Err(error) => outcomes.push(Err(error)),
            }
        }
        Listing::from_outcomes(outcomes)
    }

    /// The kinds that documents have, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn kinds(&self) -> Result<Vec<String>, StateError> {
        let mut statement =
            self.connection.prepare_cached("SELECT DISTINCT kind FROM document ORDER BY kind")?;
        let kinds = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(kinds)
    }

    /// The versions of a document, the newest first; its removals are among them.
    ///
    /// # Errors
    /// The database cannot be read; damaged versions are in the listing.
    pub fn history(&self, kind: &str, name: &str) -> Result<Listing<Revision>, StateError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM document WHERE kind = ?1 AND name = ?2 ORDER BY version DESC"
        ))?;
        let rows = statement.query_map([kind, name], |row| Ok(self.revision(row)))?;
        let mut outcomes = Vec::new();
        for row in rows {
            outcomes.push(row??.map(|(_, _, revision)| revision));
        }
        Listing::from_outcomes(outcomes)
    }

    /// One version of a document.
    ///
    /// # Errors
    /// The row is damaged.
    pub fn revision_of(
        &self,
        kind: &str,
        name: &str,
        version: u64,
    ) -> Result<Option<Revision>, StateError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM document WHERE kind = ?1 AND name = ?2 AND version = ?3"
        ))?;
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        let found = statement
            .query_row(params![kind, name, version], |row| Ok(self.revision(row)))
            .optional()?;
        found.map(|outcome| outcome?.map(|(_, _, revision)| revision)).transpose()
    }

    fn newest(&self, kind: &str, name: &str) -> Result<Option<Revision>, StateError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM document WHERE kind = ?1 AND name = ?2
             ORDER BY version DESC LIMIT 1"
        ))?;
        let found = statement.query_row([kind, name], |row| Ok(self.revision(row))).optional()?;
        found.map(|outcome| outcome?.map(|(_, _, revision)| revision)).transpose()
    }

    /// The outer result is the database's, the inner one tells a damaged row.
    fn revision(
        &self,
        row: &Row<'_>,
    ) -> Result<Result<(String, String, Revision), StateError>, rusqlite::Error> {
        let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
        let version: i64 = row.get(2)?;
        let seal: Vec<u8> = row.get(7)?;
        let revision = Revision {
            version: version.unsigned_abs(),
            author: row.get(3)?,
            note: row.get(4)?,
            changed_ms: row.get(5)?,
            text: row.get(6)?,
        };
        let checked = self
            .sealed(&kind, &name, &revision)
            .check(&seal, || format!("version {version} of {kind} `{name}`"));
        Ok(checked.map(|()| (kind, name, revision)))
    }

    fn sealed(&self, kind: &str, name: &str, revision: &Revision) -> Sealer {
        let text = revision.text.as_deref();
        Sealer::new(&self.keys.rows, "document")
            .text(kind)
            .text(name)
            .number(revision.version.cast_signed())
            .text(&revision.author)
            .text(&revision.note)
            .number(revision.changed_ms)
            .number(i64::from(text.is_some()))
            .text(text.unwrap_or_default())
    }
}

impl Change<'_> {
    /// Writes a document's next version and returns its number. A text that is there already makes
    /// no new version.
    ///
    /// # Errors
    /// [`StateError::Conflict`] when something else is there than `edit` expects; a name or a
    /// length that is not allowed.
    pub fn put_document(
        &mut self,
        kind: &str,
        name: &str,
        text: &str,
        edit: &Edit<'_>,
    ) -> Result<u64, StateError> {
        limit("the text of a document", text.len(), Document::MAX_TEXT_BYTES)?;
        let newest = self.expected(kind, name, edit)?;
        match newest {
            Some(Revision { version, text: Some(there), .. }) if there == text => Ok(version),
            newest => self.add_revision(kind, name, newest, Some(text), edit),
        }
    }

    /// Removes a document; its versions stay, and it can be written again.
    ///
    /// # Errors
    /// As [`Change::put_document`]; [`StateError::NoDocument`] when there is none.
    pub fn remove_document(
        &mut self,
        kind: &str,
        name: &str,
        edit: &Edit<'_>,
    ) -> Result<u64, StateError> {
        match self.expected(kind, name, edit)? {
            Some(newest) if newest.text.is_some() => {
                self.add_revision(kind, name, Some(newest), None, edit)
            }
            _ => Err(StateError::NoDocument { kind: kind.to_owned(), name: name.to_owned() }),
        }
    }

    /// The newest version, if the ground of the edit is what it expects.
    fn expected(
        &self,
        kind: &str,
        name: &str,
        edit: &Edit<'_>,
    ) -> Result<Option<Revision>, StateError> {
        check_name("the kind of a document", kind, Document::MAX_KIND_CHARS)?;
        check_name("the name of a document", name, Document::MAX_NAME_CHARS)?;
        limit("the note on a change", edit.note.len(), Document::MAX_NOTE_BYTES)?;
        let newest = self.newest(kind, name)?;
        let there = newest.as_ref().filter(|it| it.text.is_some()).map_or(0, |it| it.version);
        let expected = match edit.expected {
            Expected::Any => return Ok(newest),
            Expected::Absent if there == 0 => return Ok(newest),
            Expected::Version(version) if version == there => return Ok(newest),
            Expected::Absent => "a new one".to_owned(),
            Expected::Version(version) => format!("version {version}"),
        };
        let (kind, name) = (kind.to_owned(), name.to_owned());
        Err(StateError::Conflict { kind, name, expected, found: there })
    }

    fn add_revision(
        &self,
        kind: &str,
        name: &str,
        newest: Option<Revision>,
        text: Option<&str>,
        edit: &Edit<'_>,
    ) -> Result<u64, StateError> {
        let revision = Revision {
            version: newest.map_or(0, |it| it.version) + 1,
            author: edit.author.to_owned(),
            note: edit.note.to_owned(),
            changed_ms: self.now_ms,
            text: text.map(str::to_owned),
        };
        let seal = self.sealed(kind, name, &revision).finish();
        let Revision { version, author, note, changed_ms, text } = revision;
        self.connection
            .prepare_cached("INSERT INTO document VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
            .execute(params![
                kind,
                name,
                version.cast_signed(),
                author,
                note,
                changed_ms,
                text,
                &seal[..]
            ])?;
        Ok(version)
    }
}

fn as_document(kind: String, name: String, revision: Revision) -> Option<Document> {
    let Revision { version, author, changed_ms, text, .. } = revision;
    Some(Document { kind, name, version, author, changed_ms, text: text? })
}

/// Names appear in addresses, file names and terminals.
pub(crate) fn check_name(what: &'static str, name: &str, max: usize) -> Result<(), StateError> {
    let chars = name.chars().count();
    if chars > max {
        return Err(StateError::TooLong { what, found: chars, max });
    }
    if name.is_empty() || name.trim() != name || name.chars().any(char::is_control) {
        let allowed = "at least one character, no control characters, no blanks around it";
        let found = name.escape_debug().collect();
        return Err(StateError::Name { what, found, allowed });
    }
    Ok(())
}

pub(crate) fn limit(what: &'static str, found: usize, max: usize) -> Result<(), StateError> {
    if found > max { Err(StateError::TooLong { what, found, max }) } else { Ok(()) }
}
