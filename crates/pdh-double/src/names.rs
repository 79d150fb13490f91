//! The lists of objects, counters and instances, as PDH gives them on a Windows that speaks German.
//!
//! | object | its list |
//! |---|---|
//! | `Doppelt` | the counters of the double, of which `Anteil` is `Share` |
//! | `System` | one counter, no instances |
//! | `Gedränge` | 40,000 instances, many of one name, and more with each question |
//! | `Leer` | instances, but none now |
//! | `Weg` | is listed and gone when it is asked for |
//! | `Stumm` | its provider does not answer |

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::script::{NO_DATA, NO_OBJECT};

/// How often a crowd was counted: each time there are more.
static COUNTED: AtomicUsize = AtomicUsize::new(0);

const CROWD: usize = 40_000;
const GROWTH: usize = 30_000;

/// Twice the same, as happens where a provider is registered twice.
pub(crate) const OBJECTS: &[&str] =
    &["Doppelt", "System", "Gedränge", "Leer", "Weg", "Stumm", "System"];

/// The counters and instances of an object; no instances where it exists once.
pub(crate) struct Items {
    pub(crate) counters: Vec<String>,
    pub(crate) instances: Option<Vec<String>>,
}

pub(crate) fn items(object: &str) -> Result<Items, u32> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let items = |counters, instances| Ok(Items { counters: texts(counters), instances });
    match object.to_lowercase().as_str() {
        "doppelt" => {
            let counters = &["Rate", "Anteil", "Twins", "Rate"];
            items(counters, Some(texts(&["slow", "fast"])))
        }
        "system" => items(&["Context Switches/sec"], None),
        "gedränge" => {
            let growth = GROWTH * COUNTED.fetch_add(1, Ordering::Relaxed).min(2);
            let name = |n: usize| format!("worker {}", n % 1000);
            items(&["Rate"], Some((0..CROWD + growth).map(name).collect()))
        }
        "leer" => items(&["Rate"], Some(Vec::new())),
        "stumm" => Err(NO_DATA),
        _ => Err(NO_OBJECT),
    }
}

/// As PDH puts texts one behind the other.
pub(crate) fn list(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<u16> {
    let mut units = Vec::new();
    for text in texts {
        units.extend(text.as_ref().encode_utf16().chain([0]));
    }
    if units.is_empty() {
        units.push(0);
    }
    units.push(0);
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_with_two_zeros() {
        assert_eq!(list(["A"]), [65, 0, 0]);
        assert_eq!(list([""; 0]), [0, 0]);
    }

    #[test]
    fn a_crowd_grows() {
        let count = || items("Gedränge").unwrap_or_else(|_| panic!()).instances.unwrap().len();
        assert!(count() < count());
    }
}
