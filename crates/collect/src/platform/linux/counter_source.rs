//! Counters by path of the system's own.

use crate::Error;
use crate::parse::raw_counter::{CounterFacts, RawInstance};

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

    pub(crate) fn read(
        &mut self,
        _counter: usize,
        _instances: &mut Vec<RawInstance>,
    ) -> Result<(), Error> {
        match *self {}
    }
}
