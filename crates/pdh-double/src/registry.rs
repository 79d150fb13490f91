//! The queries and counters that a program has open.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::script::{INVALID_DATA, INVALID_HANDLE, Item, NO_DATA, OK, Script};

/// A handle, as a number that never comes again.
pub(crate) type Handle = usize;

/// All that is open.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    last: Handle,
    queries: BTreeMap<Handle, u32>,
    counters: BTreeMap<Handle, Counter>,
}

/// A counter that was added to a query.
#[derive(Debug)]
struct Counter {
    query: Handle,
    script: Script,
    /// How often it was read since the last collection.
    reads: u32,
}

static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { last: 0, queries: BTreeMap::new(), counters: BTreeMap::new() });

/// The one registry of this process.
pub(crate) fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    pub(crate) fn open(&mut self) -> Handle {
        self.last += 1;
        self.queries.insert(self.last, 0);
        self.last
    }

    /// Closes a query with all its counters.
    pub(crate) fn close(&mut self, query: Handle) -> u32 {
        if self.queries.remove(&query).is_none() {
            return INVALID_HANDLE;
        }
        self.counters.retain(|_, counter| counter.query != query);
        OK
    }

    pub(crate) fn add(&mut self, query: Handle, path: &str) -> Result<Handle, u32> {
        if !self.queries.contains_key(&query) {
            return Err(INVALID_HANDLE);
        }
        let script = Script::of(path)?;
        self.last += 1;
        self.counters.insert(self.last, Counter { query, script, reads: 0 });
        Ok(self.last)
    }

    pub(crate) fn collect(&mut self, query: Handle) -> u32 {
        let Some(collections) = self.queries.get_mut(&query) else { return INVALID_HANDLE };
        let mut status = NO_DATA;
        for counter in self.counters.values_mut().filter(|counter| counter.query == query) {
            counter.reads = 0;
            match counter.script.collect() {
                OK if status == NO_DATA => status = OK,
                OK => {}
                bad => return bad,
            }
        }
        *collections += 1;
        status
    }

    pub(crate) fn script(&self, counter: Handle) -> Result<Script, u32> {
        self.counters.get(&counter).map(|counter| counter.script).ok_or(INVALID_HANDLE)
    }

    /// What a counter has to say now; each time counts as one reading.
    pub(crate) fn read(&mut self, counter: Handle) -> Result<Vec<Item>, u32> {
        let counter = self.counters.get_mut(&counter).ok_or(INVALID_HANDLE)?;
        let collections = self.queries.get(&counter.query).copied().unwrap_or_default();
        if collections == 0 || (counter.script == Script::Late && collections < 2) {
            return Err(INVALID_DATA);
        }
        let items = counter.script.items(collections, counter.reads);
        counter.reads += 1;
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_a_query_closes_its_counters() {
        let mut registry = Registry::default();
        let (one, other) = (registry.open(), registry.open());
        let closed = registry.add(one, r"\Double(*)\Rate").unwrap();
        let left = registry.add(other, r"\Double(*)\Rate").unwrap();
        assert_eq!(registry.close(one), OK);
        assert_eq!(registry.script(closed), Err(INVALID_HANDLE));
        assert_eq!(registry.script(left), Ok(Script::Rate));
        assert_eq!(registry.close(one), INVALID_HANDLE);
    }

    #[test]
    fn nothing_is_read_before_it_is_collected() {
        let mut registry = Registry::default();
        let query = registry.open();
        let counter = registry.add(query, r"\Double(*)\Rate").unwrap();
        assert_eq!(registry.read(counter), Err(INVALID_DATA));
        assert_eq!(registry.collect(query), OK);
        assert_eq!(registry.read(counter).unwrap().len(), 2);
    }

    #[test]
    fn a_silent_counter_silences_its_query_and_an_empty_query_has_no_data() {
        let mut registry = Registry::default();
        let query = registry.open();
        assert_eq!(registry.collect(query), NO_DATA);
        registry.add(query, r"\Double(*)\Rate").unwrap();
        assert_eq!(registry.collect(query), OK);
        registry.add(query, r"\Double\Silent").unwrap();
        assert_eq!(registry.collect(query), NO_DATA);
    }
}
