//! Documents: what people decide about alerts, in texts that the page, the interfaces and files on
//! the command line edit alike.
//!
//! Everything that changes goes through [`Documents::apply`]: the texts are checked by themselves
//! and against each other, and all of them are written, or none.

mod apply;
mod book;
mod configured;
mod gaps;
mod kinds;
#[cfg(test)]
mod schemas;
mod secrets;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use barograph_model::Clock;
use barograph_state::{Document, Expected, Listing, Revision, State, StateError};
use serde::Serialize;
use tokio::sync::watch;
use tracing_mutex::stdsync::Mutex;

pub use apply::{Action, Applied, Outcome, Wanted};
pub use book::Book;
pub use configured::Configured;
pub(crate) use kinds::{
    DASHBOARDS, POLICIES, ROTAS, ROUTES, RULES, SCRAPES, SILENCES, WATCH, WATCHED, WINDOWS,
    WatchDocument,
};
pub use kinds::{KINDS, Kind};
pub(crate) use secrets::{SecretsError, secret_finder};

use book::Cached;

/// The documents of one database.
#[derive(Debug)]
pub struct Documents {
    state: Arc<State>,
    clock: Arc<dyn Clock>,
    /// Counts what was changed, for whoever keeps something made of documents.
    changes: watch::Sender<u64>,
    book: Mutex<Cached>,
    configured: Configured,
}

/// Who changes documents, and why.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    pub by: &'a str,
    pub note: &'a str,
}

/// Something about a document that people should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentProblem {
    pub kind: String,
    pub name: String,
    pub severity: ProblemSeverity,
    /// From 1; `None` where the whole document is meant.
    pub line: Option<usize>,
    pub column: Option<usize>,
    /// The part of the document, such as `steps[2].notify`.
    pub place: String,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemSeverity {
    /// The document is not accepted.
    Error,
    Warning,
}

/// Why documents were not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("no kind of documents is called `{0}`")]
    Kind(String),
    #[error("there is no `{name}` among {kind}")]
    Missing { kind: String, name: String },
    #[error("{kind} `{name}` has no version {version}")]
    Version { kind: String, name: String, version: u64 },
    #[error("version {version} of {kind} `{name}` is its removal")]
    Removed { kind: String, name: String, version: u64 },
    #[error("{} is named more than once", .0)]
    Twice(String),
    #[error("{}", told(.0))]
    Invalid(Vec<DocumentProblem>),
    #[error("it is in use: {}", told(.0))]
    InUse(Vec<DocumentProblem>),
    #[error("{0} documents at once, at most {max} are allowed", max = Documents::MAX_AT_ONCE)]
    Many(usize),
    #[error(transparent)]
    State(#[from] StateError),
}

/// Two versions of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub from: u64,
    pub to: u64,
    /// In the unified format; empty when the texts are the same.
    pub diff: String,
}

impl Documents {
    pub const MAX_AT_ONCE: usize = 2000;

    pub fn new(state: Arc<State>, clock: Arc<dyn Clock>) -> Self {
        let configured = Configured::default();
        Self { state, clock, changes: watch::Sender::new(1), book: Mutex::default(), configured }
    }

    /// The same documents beside what the configuration names.
    #[must_use]
    pub fn beside(self, configured: Configured) -> Self {
        Self { configured, ..self }
    }

    pub(crate) fn configured(&self) -> &Configured {
        &self.configured
    }

    /// The database they are in.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// A number that is another one after every change.
    pub fn changes(&self) -> u64 {
        *self.changes.borrow()
    }

    /// Tells of each change, of several at once the last.
    pub(crate) fn watch_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// All documents of a kind, in order of their names.
    ///
    /// # Errors
    /// There is no such kind, or the database cannot be read.
    pub fn list(&self, kind: &str) -> Result<Listing<Document>, DocumentError> {
        Kind::named(kind)?;
        Ok(self.state.read(|view| view.documents(kind))?)
    }

    /// A document as it is now.
    ///
    /// # Errors
    /// It is not there, or damaged.
    pub fn get(&self, kind: &str, name: &str) -> Result<Document, DocumentError> {
        Kind::named(kind)?;
        let found = self.state.read(|view| view.document(kind, name))?;
        found.ok_or_else(|| missing(kind, name))
    }

    /// The versions of a document, the newest first.
    ///
    /// # Errors
    /// There never was such a document, or the database cannot be read.
    pub fn history(&self, kind: &str, name: &str) -> Result<Listing<Revision>, DocumentError> {
        Kind::named(kind)?;
        let listing = self.state.read(|view| view.history(kind, name))?;
        if listing.items.is_empty() && listing.damaged.is_empty() {
            return Err(missing(kind, name));
        }
        Ok(listing)
    }

    /// One version of a document.
    ///
    /// # Errors
    /// It is not there, or damaged.
    pub fn revision(
        &self,
        kind: &str,
        name: &str,
        version: u64,
    ) -> Result<Revision, DocumentError> {
        Kind::named(kind)?;
        let found = self.state.read(|view| view.revision_of(kind, name, version))?;
        found.ok_or_else(|| DocumentError::Version {
            kind: kind.to_owned(),
            name: name.to_owned(),
            version,
        })
    }

    /// What changed between two versions: by default from the one before `to`, to the newest. A
    /// version that is a removal, and version 0, have no text.
    ///
    /// # Errors
    /// One of them is not there, or damaged.
    pub fn diff(
        &self,
        kind: &str,
        name: &str,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Difference, DocumentError> {
        let newest = self.history(kind, name)?.items.first().map_or(0, |it| it.version);
        let to = to.unwrap_or(newest);
        let from = from.unwrap_or_else(|| to.saturating_sub(1));
        let text = |version| match version {
            0 => Ok(String::new()),
            _ => {
                Ok::<_, DocumentError>(self.revision(kind, name, version)?.text.unwrap_or_default())
            }
        };
        let (before, after) = (text(from)?, text(to)?);
        let heads = (format!("version {from}"), format!("version {to}"));
        Ok(Difference { from, to, diff: unified(&before, &after, (&heads.0, &heads.1)) })
    }

    /// Writes the text of an older version as the newest one.
    ///
    /// # Errors
    /// The version is not there or is a removal; what [`Documents::apply`] refuses.
    pub fn roll_back(
        &self,
        kind: &str,
        name: &str,
        to: u64,
        author: Author<'_>,
    ) -> Result<Applied, DocumentError> {
        let Some(text) = self.revision(kind, name, to)?.text else {
            let (kind, name) = (kind.to_owned(), name.to_owned());
            return Err(DocumentError::Removed { kind, name, version: to });
        };
        let note = match author.note {
            "" => format!("back to version {to}"),
            note => note.to_owned(),
        };
        let wanted = Wanted {
            kind: kind.to_owned(),
            name: name.to_owned(),
            text: Some(text),
            expected: Expected::Any,
        };
        self.apply(&[wanted], Author { note: &note, ..author }, false)
    }
}

impl DocumentProblem {
    pub fn is_error(&self) -> bool {
        self.severity == ProblemSeverity::Error
    }
}

impl std::fmt::Display for DocumentProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        if !self.place.is_empty() {
            write!(f, ": {}", self.place)?;
        }
        write!(f, ": {}", self.message)
    }
}

fn told(problems: &[DocumentProblem]) -> String {
    let errors = problems.iter().filter(|it| it.is_error());
    errors.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn missing(kind: &str, name: &str) -> DocumentError {
    DocumentError::Missing { kind: kind.to_owned(), name: name.to_owned() }
}

/// Two texts' difference in the unified format; empty when there is none.
pub(crate) fn unified(before: &str, after: &str, heads: (&str, &str)) -> String {
    if before == after {
        return String::new();
    }
    similar::TextDiff::configure()
        // Texts that differ everywhere cost no more than this.
        .timeout(std::time::Duration::from_millis(500))
        .diff_lines(before, after)
        .unified_diff()
        .header(heads.0, heads.1)
        .to_string()
}
