//! Groups series by some of their labels.

use std::collections::HashMap;

use barograph_model::{Labels, METRIC_NAME};

use crate::EvalError;
use crate::frame::make_labels;

/// Which labels tell groups apart: those named, or all but those named and the metric's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By<'a> {
    pub named: bool,
    pub names: &'a [String],
}

impl By<'_> {
    pub(crate) fn has(&self, name: &str) -> bool {
        if self.named {
            self.names.iter().any(|known| known == name)
        } else {
            name != METRIC_NAME && !self.names.iter().any(|known| known == name)
        }
    }

    /// Replaces `key` by bytes that are equal for series of the same group only.
    fn key(&self, labels: &Labels, key: &mut Vec<u8>) {
        key.clear();
        for (name, value) in labels.iter().filter(|(name, _)| self.has(name)) {
            // No label holds a byte that is not text.
            key.extend_from_slice(name.as_bytes());
            key.push(0xff);
            key.extend_from_slice(value.as_bytes());
            key.push(0xfe);
        }
    }

    /// The labels that all series of a group have.
    pub(crate) fn labels(&self, of: &Labels) -> Result<Labels, EvalError> {
        make_labels(of.iter().filter(|(name, _)| self.has(name)))
    }
}

/// Numbers groups in the order in which they are first seen.
#[derive(Debug)]
pub(crate) struct Groups<'a> {
    by: By<'a>,
    numbers: HashMap<Box<[u8]>, usize>,
    key: Vec<u8>,
}

impl<'a> Groups<'a> {
    pub(crate) fn new(by: By<'a>) -> Self {
        Self { by, numbers: HashMap::new(), key: Vec::new() }
    }

    /// The number of a series' group, a new one if need be.
    pub(crate) fn number(&mut self, labels: &Labels) -> usize {
        self.by.key(labels, &mut self.key);
        if let Some(number) = self.numbers.get(self.key.as_slice()) {
            return *number;
        }
        let number = self.numbers.len();
        self.numbers.insert(self.key.as_slice().into(), number);
        number
    }

    /// The number of a series' group, when there is one.
    pub(crate) fn find(&mut self, labels: &Labels) -> Option<usize> {
        self.by.key(labels, &mut self.key);
        self.numbers.get(self.key.as_slice()).copied()
    }
}
