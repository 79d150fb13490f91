//! Process-wide ids of series, so that a source that samples every second need not spell its
//! labels every second.

use std::collections::HashMap;

use barograph_model::Labels;

use crate::error::SeriesError;

/// The id of a series in this process. It stays valid while the store is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesRef(pub(crate) u32);

#[derive(Debug, Default)]
pub(crate) struct Registry {
    ids: HashMap<Labels, u32>,
    labels: Vec<Labels>,
}

impl Registry {
    pub(crate) fn get(&self, labels: &Labels) -> Option<SeriesRef> {
        self.ids.get(labels).copied().map(SeriesRef)
    }

    /// The id of a series, a new one when there are fewer than `max`.
    pub(crate) fn resolve(
        &mut self,
        labels: &Labels,
        max: usize,
    ) -> Result<SeriesRef, SeriesError> {
        if let Some(id) = self.get(labels) {
            return Ok(id);
        }
        match u32::try_from(self.labels.len()) {
            Ok(id) if self.labels.len() < max => {
                self.ids.insert(labels.clone(), id);
                self.labels.push(labels.clone());
                Ok(SeriesRef(id))
            }
            _ => Err(SeriesError::TooMany { max }),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn labels(&self, id: SeriesRef) -> Option<&Labels> {
        self.labels.get(id.0 as usize)
    }
}
