//! Counters that the system offers beyond the catalog, for a [`super::Session`].

use barograph_model::{CounterPath, Instance, Pattern};

use super::cook::fits;
use crate::system_counters::{CounterValue, SystemCounters};
use crate::{Error, chain};

/// How the system's own counters are come by.
pub(crate) type Open = fn() -> Result<SystemCounters, Error>;

/// The system's own counters; asked for only when one is wanted.
#[derive(Debug)]
pub(super) struct Beyond {
    open: Open,
    counters: Option<SystemCounters>,
    is_absent: bool,
    /// Why the last collection gave nothing.
    failure: Option<String>,
}

/// An instance's name, which one it is of that name, and its value.
pub(super) type OfInstance = (String, u32, Option<f64>);

impl Default for Beyond {
    fn default() -> Self {
        Self::asking(SystemCounters::open)
    }
}

impl Beyond {
    pub(super) fn asking(open: Open) -> Self {
        Self { open, counters: None, is_absent: false, failure: None }
    }

    /// Adds a counter and returns its number; nothing if the system does not have it. Only the
    /// instance can be a wildcard.
    pub(super) fn add(&mut self, path: &CounterPath) -> Option<usize> {
        if self.is_absent || path.object.has_wildcard() || path.counter.has_wildcard() {
            return None;
        }
        if self.counters.is_none() {
            match (self.open)() {
                Ok(counters) => self.counters = Some(counters),
                Err(error) => {
                    if !error.is_absent() {
                        tracing::warn!(error = chain(&error), "system counters not opened");
                    }
                    self.is_absent = true;
                    return None;
                }
            }
        }
        // All instances are asked for and ours are picked: the system knows no other wildcard.
        let all = Instance { name: Pattern::new("*"), index: None };
        let path = CounterPath {
            machine: None,
            instance: path.instance.as_ref().map(|_| all),
            ..path.clone()
        };
        self.counters.as_mut()?.add(&path.to_string()).ok()
    }

    pub(super) fn collect(&mut self) {
        let collected = self.counters.as_mut().map_or(Ok(()), SystemCounters::collect);
        self.failure = collected.err().map(|error| chain(&error));
    }

    /// The values of the instances that fit, or why there are none.
    pub(super) fn values(
        &self,
        number: usize,
        instance: Option<&Instance>,
    ) -> Result<Vec<OfInstance>, String> {
        if let Some(why) = &self.failure {
            return Err(why.clone());
        }
        let mut values = Vec::new();
        if let Some(counters) = &self.counters {
            counters.values(number, &mut values).map_err(|error| chain(&error))?;
        }
        Ok(numbered(values)
            .into_iter()
            .filter(|(name, index, _)| fits(instance, name, *index))
            .collect())
    }
}

/// Instances of one name are told apart by their order.
fn numbered(values: Vec<CounterValue>) -> Vec<OfInstance> {
    let mut met: std::collections::HashMap<String, u32> = std::collections::HashMap::new();
    values
        .into_iter()
        .map(|CounterValue { instance, value }| {
            let next = met.entry(instance.to_ascii_lowercase()).or_default();
            let index = *next;
            *next += 1;
            (instance, index, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_one_name_are_numbered() {
        let value = |name: &str| CounterValue { instance: name.into(), value: None };
        let found = numbered(vec![value("a"), value("b"), value("A"), value("a")]);
        let found: Vec<_> = found.iter().map(|(name, index, _)| (name.as_str(), *index)).collect();
        assert_eq!(found, [("a", 0), ("b", 0), ("A", 1), ("a", 2)]);
    }

    #[test]
    fn a_wildcard_for_an_object_or_counter_is_not_asked_for() {
        for path in [r"\*\Threads", r"\SQL*(x)\Batch Requests/sec", r"\Web Service(*)\*"] {
            assert_eq!(Beyond::default().add(&CounterPath::parse(path).unwrap()), None, "{path}");
        }
    }
}
