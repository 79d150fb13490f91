//! Every kind of document: what it is, how its text is read, and which others it names.

mod channels;
mod dashboards;
mod people;
mod policies;
mod rotas;
mod routes;
mod rules;
mod scrapes;
mod silences;
mod watch;
mod windows;

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::escalation::Target;
use serde::de::DeserializeOwned;

use super::DocumentError;

pub(crate) use watch::{WATCHED, WatchDocument};

/// A kind of document.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    /// In a few words, for people.
    pub what: &'static str,
    /// What stands in its text: JSON Schema, which the page makes its form from. The fields are in
    /// the order in which people fill them in.
    pub schema: &'static str,
    read: fn(&Draft<'_>) -> Result<Reading, Vec<Problem>>,
}

/// In order of their names.
#[rustfmt::skip]
pub static KINDS: &[Kind] = &[
    Kind { name: CHANNELS, what: "a way to tell people", schema: include_str!("schemas/channels.json"), read: channels::read },
    Kind { name: DASHBOARDS, what: "pages of panels", schema: include_str!("schemas/dashboards.json"), read: dashboards::read },
    Kind { name: PEOPLE, what: "somebody who can be told, and how", schema: include_str!("schemas/people.json"), read: people::read },
    Kind { name: POLICIES, what: "who is told, and who next when nobody answers", schema: include_str!("schemas/policies.json"), read: policies::read },
    Kind { name: ROTAS, what: "who is on call when", schema: include_str!("schemas/rotas.json"), read: rotas::read },
    Kind { name: ROUTES, what: "which alerts go to which policy", schema: include_str!("schemas/routes.json"), read: routes::read },
    Kind { name: RULES, what: "rules, as in Prometheus' rule files", schema: include_str!("schemas/rules.json"), read: rules::read },
    Kind { name: SCRAPES, what: "exporters that are scraped", schema: include_str!("schemas/scrapes.json"), read: scrapes::read },
    Kind { name: SILENCES, what: "alerts that nobody is told of for a while", schema: include_str!("schemas/silences.json"), read: silences::read },
    Kind { name: WATCH, what: "processes and services that become series", schema: include_str!("schemas/watch.json"), read: watch::read },
    Kind { name: WINDOWS, what: "maintenance that comes again", schema: include_str!("schemas/windows.json"), read: windows::read },
];

pub(crate) const CHANNELS: &str = "channels";
pub(crate) const DASHBOARDS: &str = "dashboards";
pub(crate) const PEOPLE: &str = "people";
pub(crate) const POLICIES: &str = "policies";
pub(crate) const ROTAS: &str = "rotas";
pub(crate) const ROUTES: &str = "routes";
pub(crate) const RULES: &str = "rules";
pub(crate) const SCRAPES: &str = "scrapes";
pub(crate) const SILENCES: &str = "silences";
pub(crate) const WATCH: &str = "watch";
pub(crate) const WINDOWS: &str = "windows";

/// The one document of the kind `routes`.
pub(crate) const ROUTE: &str = "default";

/// A text that is to become a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) now_ms: i64,
}

/// What a good text says.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What people should know before it counts.
    pub(super) warnings: Vec<Problem>,
    pub(super) uses: Vec<Use>,
}

/// Another document that is named.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) path: Path,
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// Without it the document makes no sense.
    pub(super) is_needed: bool,
}

impl Kind {
    /// # Errors
    /// There is none of this name.
    pub fn named(name: &str) -> Result<&'static Self, DocumentError> {
        let found = KINDS.iter().find(|it| it.name == name);
        found.ok_or_else(|| DocumentError::Kind(name.to_owned()))
    }

    pub(super) fn read(&self, draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
        (self.read)(draft)
    }
}

impl Use {
    fn needed(path: Path, kind: &'static str, name: &str) -> Self {
        Self { path, kind, name: name.to_owned(), is_needed: true }
    }

    fn target(path: Path, target: &Target) -> Self {
        match target {
            Target::Channel(name) => Self::needed(path, CHANNELS, name),
            Target::Person(name) => Self::needed(path, PEOPLE, name),
            Target::Rota(name) => Self::needed(path, ROTAS, name),
        }
    }

    fn targets(path: &Path, targets: &[Target]) -> impl Iterator<Item = Self> {
        let numbered = targets.iter().enumerate();
        numbered.map(|(number, target)| Self::target(path.item(number), target))
    }
}

impl Draft<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        barograph_alerts::document::read(self.text).map_err(|problem| vec![problem])
    }

    fn problem(&self, path: &Path, message: impl std::fmt::Display) -> Problem {
        Problem::at(self.text, path, message.to_string())
    }
}

/// What was read, unless there are mistakes.
fn unless(problems: Vec<Problem>, reading: Reading) -> Result<Reading, Vec<Problem>> {
    if problems.is_empty() { Ok(reading) } else { Err(problems) }
}
