//! The documents that alerting asks again and again, read once for each change.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use barograph_alerts::document;
use barograph_alerts::escalation::Directory;
use barograph_alerts::machine::Texts;
use barograph_alerts::mute::{Silence, Window};
use barograph_model::chain;
use barograph_notify::Channel;
use barograph_state::{StateError, View};
use serde::de::DeserializeOwned;

use super::Documents;
use super::kinds::{CHANNELS, PEOPLE, POLICIES, ROTAS, ROUTE, ROUTES, SILENCES, WINDOWS};

/// Who is told of what, and what is hidden.
#[derive(Debug, Default)]
pub struct Book {
    pub directory: Directory,
    pub channels: BTreeMap<String, Arc<Channel>>,
    pub silences: BTreeMap<String, Silence>,
    pub windows: BTreeMap<String, Window>,
    /// Documents that are left out, and why.
    pub problems: Vec<String>,
}

/// The book as of one change.
#[derive(Debug, Default)]
pub(super) struct Cached {
    changes: u64,
    book: Arc<Book>,
}

impl Documents {
    /// The documents as they are now; a database that cannot be read leaves them as they were.
    pub fn book(&self) -> Arc<Book> {
        let mut cached = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = self.changes();
        if cached.changes != changes {
            match self.read_book() {
                Ok(book) => *cached = Cached { changes, book: Arc::new(book) },
                Err(error) => {
                    tracing::error!(error = %chain(&error), "documents cannot be read");
                }
            }
        }
        Arc::clone(&cached.book)
    }

    fn read_book(&self) -> Result<Book, StateError> {
        self.state.read(|view| {
            let mut reader = Reader { view, problems: Vec::new() };
            let channels = reader.channels()?;
            let directory = Directory {
                route: reader.understood(ROUTES)?.remove(ROUTE).unwrap_or_default(),
                policies: reader.understood(POLICIES)?,
                people: reader.understood(PEOPLE)?,
                rotas: reader.understood(ROTAS)?,
                channels: channels.keys().cloned().collect(),
                ..Directory::default()
            };
            Ok(Book {
                directory: directory.with_fallback(),
                channels,
                silences: reader.understood(SILENCES)?,
                windows: reader.understood(WINDOWS)?,
                problems: reader.problems,
            })
        })
    }
}

impl Book {
    /// What hides an alert at a time, if anything does.
    pub(crate) fn muted_by(&self, labels: &Texts, at_ms: i64) -> Option<String> {
        let silence = self.silences.iter().find(|(_, it)| it.hides(labels, at_ms));
        if let Some((name, _)) = silence {
            return Some(format!("silence {name}"));
        }
        let window = self.windows.iter().find(|(_, it)| it.hides(labels, at_ms));
        window.map(|(name, _)| format!("window {name}"))
    }
}

/// Reads documents, and notes those that are left out.
struct Reader<'a> {
    view: &'a View<'a>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn texts(&mut self, kind: &'static str) -> Result<Vec<(String, String)>, StateError> {
        let listing = self.view.documents(kind)?;
        for damaged in &listing.damaged {
            tracing::error!(document = damaged, "a document is damaged and left out");
            self.problems.push(format!("{damaged} is damaged and left out"));
        }
        Ok(listing.items.into_iter().map(|it| (it.name, it.text)).collect())
    }

    fn leave_out(&mut self, kind: &'static str, name: &str, problem: &str) {
        tracing::error!(kind, name, problem, "a document is not understood");
        self.problems.push(format!("{kind} `{name}` is not understood and left out: {problem}"));
    }

    fn understood<T: DeserializeOwned>(
        &mut self,
        kind: &'static str,
    ) -> Result<BTreeMap<String, T>, StateError> {
        let mut understood = BTreeMap::new();
        for (name, text) in self.texts(kind)? {
            match document::read(&text) {
                Ok(read) => drop(understood.insert(name, read)),
                Err(problem) => self.leave_out(kind, &name, &problem.to_string()),
            }
        }
        Ok(understood)
    }

    fn channels(&mut self) -> Result<BTreeMap<String, Arc<Channel>>, StateError> {
        let mut understood = BTreeMap::new();
        for (name, text) in self.texts(CHANNELS)? {
            match Channel::parse(&name, &text) {
                Ok(channel) => drop(understood.insert(name, Arc::new(channel))),
                Err(problems) => {
                    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    self.leave_out(CHANNELS, &name, &problems.join("; "));
                }
            }
        }
        Ok(understood)
    }
}
