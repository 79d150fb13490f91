//! The documents that alerting asks again and again, read once for each change.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use barograph_alerts::document;
use barograph_alerts::escalation::{Person, Policy, Rota, Route};
use barograph_alerts::mute::{Silence, Window};
use barograph_model::chain;
use serde::de::DeserializeOwned;

use super::Documents;
use super::kinds::{PEOPLE, POLICIES, ROTAS, ROUTE, ROUTES, SILENCES, WINDOWS};

/// Who is told of what, and what is hidden.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Without a document it leads every alert to nobody.
    pub route: Route,
    pub policies: BTreeMap<String, Policy>,
    pub rotas: BTreeMap<String, Rota>,
    pub people: BTreeMap<String, Person>,
    pub silences: BTreeMap<String, Silence>,
    pub windows: BTreeMap<String, Window>,
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

    fn read_book(&self) -> Result<Book, barograph_state::StateError> {
        let mut routes = self.understood(ROUTES)?;
        Ok(Book {
            route: routes.remove(ROUTE).unwrap_or_default(),
            policies: self.understood(POLICIES)?,
            rotas: self.understood(ROTAS)?,
            people: self.understood(PEOPLE)?,
            silences: self.understood(SILENCES)?,
            windows: self.understood(WINDOWS)?,
        })
    }

    /// All documents of a kind that are understood; the others are in the log.
    fn understood<T: DeserializeOwned>(
        &self,
        kind: &'static str,
    ) -> Result<BTreeMap<String, T>, barograph_state::StateError> {
        let listing = self.state.read(|view| view.documents(kind))?;
        for damaged in &listing.damaged {
            tracing::error!(document = damaged, "a document is damaged and left out");
        }
        let read = listing.items.into_iter().filter_map(|it| match document::read(&it.text) {
            Ok(read) => Some((it.name, read)),
            Err(problem) => {
                let (name, problem) = (it.name, problem.to_string());
                tracing::error!(kind, name, problem, "a document is not understood");
                None
            }
        });
        Ok(read.collect())
    }
}
