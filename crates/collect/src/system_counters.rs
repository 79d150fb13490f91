//! Counters by path that the system itself knows, beyond Barograph's catalog: on Windows those of
//! every program that offers some, such as SQL Server or IIS.

use std::collections::HashMap;

use crate::Error;
use crate::parse::raw_counter::{CounterFacts, CounterKind, RawCounter, RawInstance};
use crate::platform::CounterSource;

/// Some of the system's counters, collected together. It may block for as long as a program
/// takes to answer.
#[derive(Debug)]
pub struct SystemCounters {
    source: CounterSource,
    counters: Vec<Known>,
}

/// What is kept about a counter between two collections.
#[derive(Debug, Default)]
struct Known {
    facts: Option<CounterFacts>,
    earlier: Vec<RawInstance>,
    later: Vec<RawInstance>,
}

/// One instance's value.
#[derive(Debug, Clone, PartialEq)]
pub struct CounterValue {
    /// Empty for objects that exist once; several may have one name.
    pub instance: String,
    /// Absent until two collections make one, and where a total went backwards.
    pub value: Option<f64>,
}

impl SystemCounters {
    /// Prepares to collect; nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Absent`] on a system that has none.
    pub fn open() -> Result<Self, Error> {
        CounterSource::open().map(|source| Self::over(source, 0))
    }

    /// Over a source that has some counters already.
    pub(crate) fn over(source: CounterSource, count: usize) -> Self {
        Self { source, counters: (0..count).map(|_| Known::default()).collect() }
    }

    /// Adds a counter by its English path and returns its number, from 0. The instance may be
    /// `*`, for all that there are at each collection.
    ///
    /// # Errors
    /// [`Error::Absent`] if the system has no such object or counter.
    pub fn add(&mut self, path: &str) -> Result<usize, Error> {
        let number = self.source.add(path)?;
        self.counters.push(Known::default());
        Ok(number)
    }

    /// Collects all counters; a second or more should lie between two collections.
    ///
    /// # Errors
    /// A program that offers one of the counters has nothing to say.
    pub fn collect(&mut self) -> Result<(), Error> {
        self.source.collect()?;
        for (number, known) in self.counters.iter_mut().enumerate() {
            std::mem::swap(&mut known.earlier, &mut known.later);
            self.source.read(number, &mut known.later)?;
            if known.facts.is_none() {
                known.facts = Some(self.source.facts(number)?);
            }
        }
        Ok(())
    }

    /// The values of the last collection, in the system's order.
    ///
    /// # Errors
    /// [`Error::Absent`] if no counter has this number or its kind has no value.
    pub fn values(&self, counter: usize, values: &mut Vec<CounterValue>) -> Result<(), Error> {
        values.clear();
        let absent = |why: String| Error::Absent { what: "the counter's value", why };
        let known = self
            .counters
            .get(counter)
            .ok_or_else(|| absent(format!("there is no counter {counter}")))?;
        let Some(facts) = known.facts else { return Ok(()) };
        let kind = CounterKind::from_code(facts.kind)
            .ok_or_else(|| absent(format!("it is of the unknown kind 0x{:08X}", facts.kind)))?;
        let earlier: HashMap<_, _> = turns(&known.earlier).collect();
        for (turn, later) in turns(&known.later) {
            let value = kind.cook(facts.frequency, earlier.get(&turn).copied(), later);
            values.push(CounterValue { instance: turn.0.to_owned(), value });
        }
        Ok(())
    }
}

/// Every instance by its name and how many of that name come before it: instances of one name are
/// told apart by nothing else.
fn turns(instances: &[RawInstance]) -> impl Iterator<Item = ((&str, u32), &RawCounter)> {
    let mut met: HashMap<&str, u32> = HashMap::new();
    instances.iter().map(move |RawInstance { name, raw }| {
        let turn = met.entry(name).and_modify(|turn| *turn += 1).or_default();
        ((name.as_str(), *turn), raw)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_one_name_are_told_apart_by_their_turn() {
        let instances: Vec<_> = [("a", 1), ("b", 2), ("a", 3)]
            .map(|(name, first)| RawInstance {
                name: name.to_owned(),
                raw: RawCounter { first, ..RawCounter::default() },
            })
            .into();
        let found: Vec<_> = turns(&instances).map(|(turn, raw)| (turn, raw.first)).collect();
        assert_eq!(found, [(("a", 0), 1), (("b", 0), 2), (("a", 1), 3)]);
    }
}
