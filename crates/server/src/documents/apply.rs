//! Changes of documents: checked together, written together.

use std::collections::{BTreeMap, BTreeSet};

use barograph_alerts::document::Problem;
use barograph_state::{Change, Document, Edit, Expected, StateError};
use serde::Serialize;

use super::kinds::{Draft, Kind, Reading, Use};
use super::{
    Author, Configured, DocumentError, DocumentProblem, Documents, KINDS, ProblemSeverity, gaps,
};

const AUDIT: &str = "audit";

/// What somebody wants a document to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub kind: String,
    pub name: String,
    /// `None`: it is to be removed.
    pub text: Option<String>,
    pub expected: Expected,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    pub documents: Vec<Outcome>,
    pub warnings: Vec<DocumentProblem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub kind: String,
    pub name: String,
    pub action: Action,
    pub version: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Created,
    Changed,
    Unchanged,
    Removed,
}

/// A line of the audit log.
#[derive(Debug, Serialize)]
struct Act<'a> {
    by: &'a str,
    did: Action,
    kind: &'a str,
    name: &'a str,
    version: u64,
    text: &'a str,
}

/// Why nothing is written.
enum Stop {
    /// It was only asked what would happen.
    Tried(Applied),
    Refused(DocumentError),
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<DocumentError> for Stop {
    fn from(error: DocumentError) -> Self {
        Self::Refused(error)
    }
}

impl Documents {
    /// Changes documents, all or none; `is_trial` only tells what would happen.
    ///
    /// # Errors
    /// A text has mistakes or names what is not there, a document that is to be removed is named by
    /// another, one is not at the version that is expected, or the database cannot be written.
    pub fn apply(
        &self,
        wanted: &[Wanted],
        author: Author<'_>,
        is_trial: bool,
    ) -> Result<Applied, DocumentError> {
        if wanted.len() > Self::MAX_AT_ONCE {
            return Err(DocumentError::Many(wanted.len()));
        }
        let now_ms = self.clock.now_ms();
        let outcome = self.state.write(|change| {
            let warnings = check(change, wanted, now_ms, &self.configured)?;
            let documents = write(change, wanted, author)?;
            let applied = Applied { documents, warnings };
            if is_trial { Err(Stop::Tried(applied)) } else { Ok(applied) }
        });
        match outcome {
            Ok(applied) => {
                self.changes.send_modify(|changes| *changes += 1);
                Ok(applied)
            }
            Err(Stop::Tried(applied)) => Ok(applied),
            Err(Stop::Refused(error)) => Err(error),
        }
    }
}

fn write(
    change: &mut Change<'_>,
    wanted: &[Wanted],
    author: Author<'_>,
) -> Result<Vec<Outcome>, DocumentError> {
    let Author { by, note } = author;
    let mut outcomes = Vec::new();
    for Wanted { kind, name, text, expected } in wanted {
        let before = change.document(kind, name)?.map(|it| it.version);
        let edit = Edit { author: by, note, expected: *expected };
        let (version, action) = match text {
            None => (change.remove_document(kind, name, &edit)?, Action::Removed),
            Some(text) => {
                let version = change.put_document(kind, name, text, &edit)?;
                let action = match before {
                    None => Action::Created,
                    Some(before) if before == version => Action::Unchanged,
                    Some(_) => Action::Changed,
                };
                (version, action)
            }
        };
        if action != Action::Unchanged {
            let act = Act { by, did: action, kind, name, version, text: note };
            change.append(AUDIT, serde_json::to_string(&act).unwrap_or_default().as_bytes())?;
        }
        let (kind, name) = (kind.clone(), name.clone());
        outcomes.push(Outcome { kind, name, action, version });
    }
    Ok(outcomes)
}

/// The documents as they would be.
pub(super) struct World {
    names: BTreeMap<&'static str, BTreeSet<String>>,
    /// Those that do not change.
    pub(super) others: Vec<(&'static Kind, Document)>,
}

impl World {
    fn new(change: &Change<'_>, wanted: &[Wanted]) -> Result<Self, DocumentError> {
        let mut world = Self { names: BTreeMap::new(), others: Vec::new() };
        let mut named = BTreeSet::new();
        for it in wanted {
            let kind = Kind::named(&it.kind)?;
            if !named.insert((kind.name, it.name.as_str())) {
                return Err(DocumentError::Twice(format!("{} `{}`", it.kind, it.name)));
            }
            if it.text.is_some() {
                world.names.entry(kind.name).or_default().insert(it.name.clone());
            }
        }
        for kind in KINDS {
            // A damaged document has no text to be checked, and does not keep others from changing.
            for document in change.documents(kind.name)?.items {
                if !named.contains(&(kind.name, document.name.as_str())) {
                    world.names.entry(kind.name).or_default().insert(document.name.clone());
                    world.others.push((kind, document));
                }
            }
        }
        Ok(world)
    }

    fn lacks(&self, it: &Use) -> bool {
        let is_kind = KINDS.iter().any(|kind| kind.name == it.kind);
        is_kind && !self.names.get(it.kind).is_some_and(|names| names.contains(&it.name))
    }
}

/// Returns warnings.
fn check(
    change: &Change<'_>,
    wanted: &[Wanted],
    now_ms: i64,
    configured: &Configured,
) -> Result<Vec<DocumentProblem>, DocumentError> {
    let world = World::new(change, wanted)?;
    let mut problems = Vec::new();
    for it in wanted {
        let Some(text) = &it.text else { continue };
        let draft = Draft { name: &it.name, text, now_ms };
        let mut tell = |severity, problem: Problem| {
            problems.push(DocumentProblem::new((&it.kind, &it.name), severity, problem));
        };
        match Kind::named(&it.kind)?.read(&draft) {
            Err(mistakes) => {
                for mistake in mistakes {
                    tell(ProblemSeverity::Error, mistake);
                }
            }
            Ok(Reading { warnings, uses }) => {
                for it in warnings {
                    tell(ProblemSeverity::Warning, it);
                }
                for (severity, it) in configured.problems(&it.kind, &it.name, text) {
                    tell(severity, it);
                }
                for it in uses.iter().filter(|it| world.lacks(it)) {
                    let severity = if it.is_needed {
                        ProblemSeverity::Error
                    } else {
                        ProblemSeverity::Warning
                    };
                    let message = format!("there is no `{}` among {}", it.name, it.kind);
                    tell(severity, Problem::at(text, &it.path, message));
                }
            }
        }
    }
    if problems.iter().any(DocumentProblem::is_error) {
        return Err(DocumentError::Invalid(problems));
    }
    problems.extend(gaps::warnings(&world, wanted, now_ms));
    let in_use = in_use(&world, wanted, now_ms);
    if in_use.is_empty() { Ok(problems) } else { Err(DocumentError::InUse(in_use)) }
}

/// What other documents need of those that are to be removed.
fn in_use(world: &World, wanted: &[Wanted], now_ms: i64) -> Vec<DocumentProblem> {
    let removed = |it: &Use| {
        let mut removed = wanted.iter().filter(|wanted| wanted.text.is_none());
        removed.any(|wanted| wanted.kind == it.kind && wanted.name == it.name)
    };
    if wanted.iter().all(|it| it.text.is_some()) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (kind, document) in &world.others {
        let draft = Draft { name: &document.name, text: &document.text, now_ms };
        let Ok(reading) = kind.read(&draft) else { continue };
        for it in reading.uses.iter().filter(|it| it.is_needed && removed(it)) {
            let message = format!("it names `{}` of {}", it.name, it.kind);
            let problem = Problem::at(&document.text, &it.path, message);
            let place = (kind.name, document.name.as_str());
            problems.push(DocumentProblem::new(place, ProblemSeverity::Error, problem));
        }
    }
    problems
}

impl DocumentProblem {
    pub(super) fn new(
        (kind, name): (&str, &str),
        severity: ProblemSeverity,
        problem: Problem,
    ) -> Self {
        let Problem { line, column, place, message } = problem;
        let known = |number: usize| (number > 0).then_some(number);
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            severity,
            line: known(line),
            column: known(column),
            place,
            message,
        }
    }
}
