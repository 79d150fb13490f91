//! Counters by path of the system's own.

use crate::Error;
use crate::parse::raw_counter::{CounterFacts, RawInstance};
use crate::system_objects::ObjectItems;

/// Linux has none, so there is no value of this type.
#[derive(Debug)]
pub(crate) enum CounterSource {}

impl CounterSource {
    pub(crate) fn open() -> Result<Self, Error> {
        Err(Error::Absent {
            what: "performance counters beyond Barograph's own",
            why: "only Windows has them".into(),
        })
    }

    pub(crate) fn add(&mut self, _path: &str) -> Result<usize, Error> {
        match *self {}
    }

    pub(crate) fn collect(&mut self) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) fn facts(&mut self, _counter: usize) -> Result<CounterFacts, Error> {
        match *self {}
    }

    pub(crate) fn explanation(&mut self, _counter: usize) -> Result<String, Error> {
        match *self {}
    }

    pub(crate) fn read(
        &mut self,
        _counter: usize,
        _instances: &mut Vec<RawInstance>,
    ) -> Result<(), Error> {
        match *self {}
    }
}

/// As [`CounterSource`].
#[derive(Debug)]
pub(crate) enum CounterNames {}

impl CounterNames {
    pub(crate) fn open() -> Result<Self, Error> {
        CounterSource::open().map(|source| match source {})
    }

    pub(crate) fn objects(&mut self) -> Result<Vec<String>, Error> {
        match *self {}
    }

    pub(crate) fn items(&mut self, _object: &str) -> Result<Option<ObjectItems>, Error> {
        match *self {}
    }
}
