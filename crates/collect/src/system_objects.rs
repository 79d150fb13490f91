//! What counters the system itself offers, beyond Barograph's catalog: found by asking, object by
//! object. On Windows every program can bring some along.

use barograph_model::Pattern;

use crate::parse::raw_counter::CounterKind;
use crate::platform::{CounterNames, CounterSource};
use crate::{Error, chain};

/// An object's counters and instances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectItems {
    pub counters: Vec<String>,
    /// Absent for objects that exist once. Several may have one name.
    pub instances: Option<Vec<String>>,
}

/// An object that the system offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemObject {
    /// In English, as everywhere here.
    pub name: String,
    pub counters: Vec<SystemCounter>,
    /// Absent for objects that exist once.
    pub instances: Option<Vec<String>>,
    /// Why it cannot be asked; its counters are missing then.
    pub failure: Option<String>,
}

/// A counter of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemCounter {
    pub name: String,
    /// With `*` for all instances.
    pub path: String,
    /// The number that `winperf.h` gives its kind; absent where the system does not tell.
    pub code: Option<u32>,
    /// `gauge`, `rate`, `percent`, `average` or `elapsed`; absent where a value cannot be made, as
    /// of numbers that others are divided by.
    pub kind: Option<&'static str>,
    /// What it is there for, in the system's language; empty where that is not told or was not
    /// asked.
    pub explanation: String,
}

/// Which objects and counters are wanted.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The object's name, in any case; `*` stands for any text.
    pub object: Option<Pattern>,
    /// A part of the path or of the explanation, in any case.
    pub text: String,
    /// Whether kinds and explanations are asked for. That makes every program that offers counters
    /// answer.
    pub explained: bool,
}

/// Asks the system.
#[derive(Debug)]
pub struct SystemObjects {
    names: CounterNames,
}

impl SystemObjects {
    /// # Errors
    /// [`Error::Absent`] on a system that offers none.
    pub fn open() -> Result<Self, Error> {
        CounterNames::open().map(Self::over)
    }

    pub(crate) fn over(names: CounterNames) -> Self {
        Self { names }
    }

    /// The names of all objects, in order.
    ///
    /// # Errors
    /// The system does not list them.
    pub fn names(&mut self) -> Result<Vec<String>, Error> {
        self.names.objects()
    }

    /// The objects with a counter that is wanted, and of each these counters. An object that is gone
    /// since it was listed is left out.
    ///
    /// # Errors
    /// The system does not list its objects.
    pub fn find(&mut self, search: &Search) -> Result<Vec<SystemObject>, Error> {
        self.find_in(search, CounterSource::open)
    }

    pub(crate) fn find_in(
        &mut self,
        search: &Search,
        open: impl Fn() -> Result<CounterSource, Error>,
    ) -> Result<Vec<SystemObject>, Error> {
        let text = search.text.to_lowercase();
        let mut found = Vec::new();
        for name in self.names.objects()? {
            if search.object.as_ref().is_some_and(|object| !object.matches(&name)) {
                continue;
            }
            let Some(mut object) = self.object(name) else { continue };
            if search.explained {
                explain(&mut object.counters, &open);
            }
            object.counters.retain(|counter| {
                let SystemCounter { path, explanation, .. } = counter;
                path.to_lowercase().contains(&text) || explanation.to_lowercase().contains(&text)
            });
            let is_wanted = text.is_empty() || object.name.to_lowercase().contains(&text);
            if !object.counters.is_empty() || object.failure.is_some() && is_wanted {
                found.push(object);
            }
        }
        Ok(found)
    }

    fn object(&mut self, name: String) -> Option<SystemObject> {
        let ObjectItems { counters, instances } = match self.names.items(&name) {
            Ok(items) => items?,
            Err(error) => {
                let failure = Some(chain(&error));
                return Some(SystemObject { name, counters: Vec::new(), instances: None, failure });
            }
        };
        let of_all = if instances.is_some() { "(*)" } else { "" };
        let counter = |counter: String| SystemCounter {
            path: format!("\\{name}{of_all}\\{counter}"),
            name: counter,
            ..SystemCounter::default()
        };
        let mut counters: Vec<_> = counters.into_iter().map(counter).collect();
        // A base has the name of the counter that it belongs to.
        counters.sort_by(|a, b| a.name.cmp(&b.name));
        counters.dedup();
        Some(SystemObject { name, counters, instances, failure: None })
    }
}

/// Asks what the counters of one object are; what is not told stays absent.
fn explain(counters: &mut [SystemCounter], open: impl Fn() -> Result<CounterSource, Error>) {
    let Ok(mut source) = open() else { return };
    for counter in counters {
        let Ok(number) = source.add(&counter.path) else { continue };
        counter.code = source.facts(number).ok().map(|facts| facts.kind);
        counter.kind = counter.code.and_then(CounterKind::from_code).map(CounterKind::as_str);
        counter.explanation = source.explanation(number).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_counters_of_its_own_says_so() {
        match SystemObjects::open() {
            Err(error) => assert!(error.is_absent(), "{error}"),
            Ok(mut objects) => assert!(objects.names().unwrap().iter().any(|it| it == "Memory")),
        }
    }
}
