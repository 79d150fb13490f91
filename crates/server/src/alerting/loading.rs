//! The rules: those in files, those in documents, and those that ship. What changes is taken up, and
//! a text that has mistakes leaves its last good rules running.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use barograph_alerts::rule::{Group, MAX_FILE_BYTES, Rule, read_rules_with};
use barograph_model::chain;

use super::AlertingSettings;
use crate::documents::{Documents, RULES};
use crate::files;
use crate::queries::CounterPaths;

/// The file that ships, by the name that it is shown under.
pub(super) const DEFAULTS: (&str, &str) = ("(default)", include_str!("default-rules.yaml"));
/// How often it is looked whether files changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A group and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) file: String,
    /// Names the group among all that there are.
    pub(super) key: String,
    pub(super) group: Group,
    /// The text has mistakes by now, and this is what was good of it before.
    pub(super) problem: Option<String>,
}

/// All texts with rules, as they were when they were looked at last.
#[derive(Debug)]
pub(super) struct Rules {
    sources: Vec<Source>,
    /// Which changes of documents are in.
    changes: u64,
    looked: Option<Duration>,
}

/// One text with rules.
#[derive(Debug)]
struct Source {
    /// As it is shown.
    file: String,
    stamp: Stamp,
    /// The last good ones.
    groups: Vec<Group>,
    /// The mistakes of the newest text.
    problems: Vec<String>,
}

/// Tells one text from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stamp {
    Ships,
    File(Option<(SystemTime, u64)>),
    Version(u64),
}

impl Rules {
    pub(super) fn new() -> Self {
        Self { sources: Vec::new(), changes: 0, looked: None }
    }

    /// Looks what changed; tells whether anything did.
    pub(super) fn refresh(
        &mut self,
        settings: &AlertingSettings,
        documents: &Documents,
        monotonic: Duration,
    ) -> bool {
        let mut is_changed = false;
        let is_time = self.looked.is_none_or(|it| monotonic.saturating_sub(it) >= LOOK_EVERY);
        if is_time {
            self.looked = Some(monotonic);
            is_changed |= self.take_files(&settings.files);
            if settings.defaults {
                let text = || Ok(DEFAULTS.1.to_owned());
                is_changed |= self.take(DEFAULTS.0.to_owned(), Stamp::Ships, text);
            }
        }
        let changes = documents.changes();
        if changes != self.changes {
            match documents.list(RULES) {
                Ok(listing) => {
                    self.changes = changes;
                    is_changed |= self.take_documents(listing);
                }
                Err(error) => tracing::error!(error = %chain(&error), "rules cannot be read"),
            }
        }
        is_changed
    }

    /// Files that a pattern no longer matches are gone; one that is named by its path is missed.
    fn take_files(&mut self, patterns: &[PathBuf]) -> bool {
        let mut is_changed = false;
        let mut there = BTreeSet::new();
        let mut are_all_known = true;
        for pattern in patterns {
            match files::matching(pattern) {
                Ok(paths) => {
                    for path in paths {
                        let file = path.display().to_string();
                        there.insert(file.clone());
                        is_changed |= self.take(file, Stamp::File(stamp(&path)), || read(&path));
                    }
                }
                Err(problem) => {
                    are_all_known = false;
                    let file = pattern.display().to_string();
                    is_changed |= self.take(file, Stamp::File(None), || Err(problem));
                }
            }
        }
        if are_all_known {
            let before = self.sources.len();
            self.sources
                .retain(|it| !matches!(it.stamp, Stamp::File(_)) || there.contains(&it.file));
            is_changed |= self.sources.len() != before;
        }
        is_changed
    }

    fn take_documents(
        &mut self,
        listing: barograph_state::Listing<barograph_state::Document>,
    ) -> bool {
        let mut is_changed = false;
        let mut there = BTreeSet::new();
        for document in listing.items {
            let file = shown(&document.name);
            there.insert(file.clone());
            is_changed |=
                self.take(file, Stamp::Version(document.version), || Ok(document.text.clone()));
        }
        // What is damaged cannot be told from what was removed, and goes on.
        if listing.damaged.is_empty() {
            let before = self.sources.len();
            self.sources
                .retain(|it| !matches!(it.stamp, Stamp::Version(_)) || there.contains(&it.file));
            is_changed |= self.sources.len() != before;
        }
        is_changed
    }

    /// Reads a text if it is another one than before.
    fn take(
        &mut self,
        file: String,
        stamp: Stamp,
        text: impl FnOnce() -> Result<String, String>,
    ) -> bool {
        let place = self.sources.iter().position(|it| it.file == file);
        let same = place.and_then(|place| self.sources.get(place)).map(|it| it.stamp == stamp);
        if same == Some(true) {
            return false;
        }
        let read = text().map_err(|problem| vec![problem]).and_then(|text| {
            let told = |found: Vec<_>| found.iter().map(|it| format!("{file}:{it}")).collect();
            read_rules_with(&text, &CounterPaths::for_rules()).map_err(told)
        });
        let before = place.map(|place| self.sources.remove(place));
        let (groups, problems) = match read {
            Ok(groups) => (groups, Vec::new()),
            Err(problems) => {
                if before.is_some() {
                    let problems = problems.join("\n");
                    tracing::error!(
                        file,
                        problems,
                        "rules with mistakes; the last good ones run on"
                    );
                }
                (before.map(|it| it.groups).unwrap_or_default(), problems)
            }
        };
        let place = place.unwrap_or(self.sources.len()).min(self.sources.len());
        self.sources.insert(place, Source { file, stamp, groups, problems });
        true
    }

    /// What is wrong with the newest texts.
    pub(super) fn problems(&self) -> Vec<String> {
        self.sources.iter().flat_map(|it| it.problems.iter().cloned()).collect()
    }

    /// The same of files only, which must be good when the server starts.
    pub(super) fn problems_of_files(&self) -> Vec<String> {
        let files = self.sources.iter().filter(|it| matches!(it.stamp, Stamp::File(_)));
        files.flat_map(|it| it.problems.iter().cloned()).collect()
    }

    /// All groups; those that ship come last.
    pub(super) fn loaded(&self) -> Vec<Loaded> {
        let ships = |it: &&Source| it.stamp == Stamp::Ships;
        let own: Vec<&Source> = self.sources.iter().filter(|it| !ships(it)).collect();
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for group in own.iter().flat_map(|it| &it.groups) {
            names.entry(&group.name).or_default().extend(group.rules.iter().map(Rule::name));
        }
        let mut loaded = Vec::new();
        let mut keys = BTreeSet::new();
        for source in own.into_iter().chain(self.sources.iter().filter(ships)) {
            for group in &source.groups {
                let mut group = group.clone();
                if source.stamp == Stamp::Ships {
                    // A rule of one's own goes before one that ships under the same names.
                    let own = names.get(group.name.as_str());
                    group.rules.retain(|rule| own.is_none_or(|own| !own.contains(rule.name())));
                }
                let mut key = group.name.clone();
                if !keys.insert(key.clone()) {
                    key = format!("{key} of {}", source.file);
                    keys.insert(key.clone());
                }
                let problem = source.problems.first().cloned();
                loaded.push(Loaded { file: source.file.clone(), key, group, problem });
            }
        }
        loaded
    }
}

/// A document as it is shown where files are.
fn shown(name: &str) -> String {
    format!("document {name}")
}

/// `None`: it cannot be looked at.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let length = fs::metadata(path).map_err(|error| format!("{shown}: {}", chain(&error)))?.len();
    if length > MAX_FILE_BYTES as u64 {
        return Err(format!("{shown}: {length} bytes, at most {MAX_FILE_BYTES} are allowed"));
    }
    fs::read_to_string(path).map_err(|error| format!("{shown}: {}", chain(&error)))
}
