//! The rules: those that ship, and those in files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use barograph_alerts::rule::{Group, MAX_FILE_BYTES, Rule, read_rules, read_rules_with};
use barograph_model::chain;

use super::AlertingSettings;
use crate::queries::CounterPaths;

/// The file that ships, by the name that it is shown under.
pub(super) const DEFAULTS: (&str, &str) = ("(default)", include_str!("default-rules.yaml"));

/// A group and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) file: String,
    pub(super) group: Group,
}

/// Reads all rules.
///
/// # Errors
/// All mistakes of all files.
pub(super) fn load(settings: &AlertingSettings) -> Result<Vec<Loaded>, Vec<String>> {
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut problems = Vec::new();
    for path in &settings.files {
        match read(path) {
            Ok(text) => texts.push((path.display().to_string(), text)),
            Err(problem) => problems.push(problem),
        }
    }
    let mut loaded = Vec::new();
    for (file, text) in &texts {
        match read_rules_with(text, &CounterPaths::for_rules()) {
            Ok(groups) => {
                loaded.extend(groups.into_iter().map(|group| Loaded { file: file.clone(), group }));
            }
            Err(found) => problems.extend(found.iter().map(|it| format!("{file}:{it}"))),
        }
    }
    if settings.defaults {
        match read_rules(DEFAULTS.1) {
            Ok(groups) => loaded.extend(without_replaced(groups, &loaded)),
            Err(found) => problems.extend(found.iter().map(|it| format!("{}:{it}", DEFAULTS.0))),
        }
    }
    if problems.is_empty() { Ok(loaded) } else { Err(problems) }
}

/// The rules that ship, but for those whose group and name are in one's own files.
fn without_replaced(groups: Vec<Group>, own: &[Loaded]) -> Vec<Loaded> {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Loaded { group, .. } in own {
        names.entry(&group.name).or_default().extend(group.rules.iter().map(Rule::name));
    }
    let kept = groups.into_iter().map(|mut group| {
        if let Some(replaced) = names.get(group.name.as_str()) {
            group.rules.retain(|rule| !replaced.contains(&rule.name()));
        }
        Loaded { file: DEFAULTS.0.to_owned(), group }
    });
    kept.collect()
}

fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let length = fs::metadata(path).map_err(|error| format!("{shown}: {}", chain(&error)))?.len();
    if length > MAX_FILE_BYTES as u64 {
        return Err(format!("{shown}: {length} bytes, at most {MAX_FILE_BYTES} are allowed"));
    }
    fs::read_to_string(path).map_err(|error| format!("{shown}: {}", chain(&error)))
}
