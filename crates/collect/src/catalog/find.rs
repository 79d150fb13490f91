//! From a counter path to the rows that it names.

use barograph_model::{CounterPath, Pattern};

use super::row::{Instances, Row};
use super::rows;

/// Why a path names no counter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error("no object is called `{name}`{}", suggestion(nearest))]
    Object { name: String, nearest: Vec<String> },
    #[error("object `{object}` has no counter `{name}`{}", suggestion(nearest))]
    Counter { object: String, name: String, nearest: Vec<String> },
    #[error("the counters of `{object}` need an instance, for example `{example}`")]
    InstanceMissing { object: String, example: String },
    #[error("object `{object}` exists once: its counters take no instance")]
    InstanceGiven { object: String },
}

/// The rows that a path names; more than one if its object or counter holds a wildcard.
///
/// # Errors
/// [`FindError`] with the nearest names if there is none.
pub fn find(path: &CounterPath) -> Result<Vec<&'static Row>, FindError> {
    let of_object: Vec<_> = rows().filter(|row| path.object.matches(row.object)).collect();
    if of_object.is_empty() {
        return Err(FindError::Object {
            name: path.object.to_string(),
            nearest: nearest_to(&path.object, rows().map(|row| row.object)),
        });
    }
    let named: Vec<_> =
        of_object.iter().copied().filter(|row| path.counter.matches(row.counter)).collect();
    let Some(first) = named.first() else {
        return Err(FindError::Counter {
            object: of_object[0].object.to_owned(),
            name: path.counter.to_string(),
            nearest: nearest_to(&path.counter, of_object.iter().map(|row| row.counter)),
        });
    };
    let object = first.object.to_owned();
    let has_instances = |row: &&Row| row.instances != Instances::None;
    let fitting: Vec<_> =
        named.iter().copied().filter(|row| has_instances(row) == path.instance.is_some()).collect();
    if !fitting.is_empty() {
        return Ok(fitting);
    }
    match path.instance {
        Some(_) => Err(FindError::InstanceGiven { object }),
        None => Err(FindError::InstanceMissing { object, example: first.path() }),
    }
}

const MAX_SUGGESTIONS: usize = 3;
/// Below this, two names have nothing in common.
const MIN_LIKENESS: f64 = 0.5;

pub(super) fn nearest_to(
    wanted: &Pattern,
    names: impl Iterator<Item = &'static str>,
) -> Vec<String> {
    let wanted = wanted.as_str().to_lowercase();
    let mut scored: Vec<(f64, &str)> = Vec::new();
    for name in names {
        let likeness = likeness(&wanted, &name.to_lowercase());
        if likeness >= MIN_LIKENESS && !scored.iter().any(|(_, known)| *known == name) {
            scored.push((likeness, name));
        }
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(MAX_SUGGESTIONS).map(|(_, name)| name.to_owned()).collect()
}

/// A name that is a part of the other is as near as one with a typing mistake.
fn likeness(wanted: &str, name: &str) -> f64 {
    let distance = strsim::normalized_damerau_levenshtein(wanted, name);
    let is_part = wanted.len() >= 3 && (name.contains(wanted) || wanted.contains(name));
    if is_part { distance.max(0.8) } else { distance }
}

pub(super) fn suggestion(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => {
            let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("; near to it: {}", quoted.join(", "))
        }
    }
}
