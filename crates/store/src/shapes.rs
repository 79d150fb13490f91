//! Remembers which series recent batches named, in their order.
//!
//! Who sends once a second sends the same series again: comparing with the last batch costs a
//! tenth of looking each series up by a hash of all its labels.

use std::sync::Arc;

use barograph_model::{Labels, Sample};
use tracing_mutex::stdsync::Mutex;

use crate::registry::SeriesRef;
use crate::sync::lock;

/// Senders that are told apart.
const MAX_SHAPES: usize = 64;
/// Batches above this are imports, which do not come again.
const MAX_SERIES: usize = 65_536;
/// Series that may have ended between two batches in a row, at one place.
const LOOK_AHEAD: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Shapes {
    /// The newest last.
    recent: Mutex<Vec<Shape>>,
}

pub(crate) type Shape = Arc<[(Labels, SeriesRef)]>;

impl Shapes {
    /// The last batch that began with the same series.
    pub(crate) fn like(&self, samples: &[Sample]) -> Option<Shape> {
        let first = samples.first()?;
        let recent = lock(&self.recent);
        recent.iter().rev().find(|shape| starts_with(shape, &first.labels)).cloned()
    }

    pub(crate) fn remember(&self, shape: Vec<(Labels, SeriesRef)>) {
        let Some((first, _)) = shape.first() else { return };
        if shape.len() > MAX_SERIES {
            return;
        }
        let mut recent = lock(&self.recent);
        recent.retain(|other| !starts_with(other, first));
        if recent.len() >= MAX_SHAPES {
            recent.remove(0);
        }
        recent.push(shape.into());
    }
}

fn starts_with(shape: &Shape, labels: &Labels) -> bool {
    shape.first().is_some_and(|(first, _)| first == labels)
}

/// Goes along a remembered batch while another is read.
#[derive(Debug)]
pub(crate) struct Guide {
    shape: Option<Shape>,
    next: usize,
}

impl Guide {
    pub(crate) fn new(shape: Option<Shape>) -> Self {
        Self { shape, next: 0 }
    }

    /// The id that a series had in the last batch, if it is found near the place.
    pub(crate) fn find(&mut self, labels: &Labels) -> Option<SeriesRef> {
        let rest = self.shape.as_ref()?.get(self.next..)?;
        let near = rest.iter().take(LOOK_AHEAD);
        let ahead = near.into_iter().position(|(known, _)| known == labels)?;
        self.next += ahead + 1;
        rest.get(ahead).map(|(_, id)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    #[test]
    fn series_are_found_again_when_some_of_them_ended_or_began() {
        let mut registry = Registry::default();
        let labels = |i: u32| Labels::metric(&format!("m{i}")).unwrap();
        let shapes = Shapes::default();
        let shape: Vec<_> =
            (0..10).map(|i| (labels(i), registry.resolve(&labels(i), 99).unwrap())).collect();
        shapes.remember(shape.clone());
        let sample = |i| Sample { labels: labels(i), value: 1.0 };
        assert!(shapes.like(&[sample(1)]).is_none());
        let mut guide = Guide::new(shapes.like(&[sample(0)]));
        for (series, is_known) in [(0, true), (1, true), (77, false), (4, true), (5, true)] {
            let found = guide.find(&labels(series));
            let expected = is_known.then(|| shape[series as usize].1);
            assert_eq!(found, expected, "{series}");
        }
    }

    #[test]
    fn only_the_last_batches_are_remembered() {
        let mut registry = Registry::default();
        let shapes = Shapes::default();
        let sample = |i| Sample { labels: Labels::metric(&format!("m{i}")).unwrap(), value: 1.0 };
        for i in 0..=MAX_SHAPES {
            let labels = sample(i).labels;
            let id = registry.resolve(&labels, 1000).unwrap();
            shapes.remember(vec![(labels, id)]);
        }
        assert!(shapes.like(&[sample(0)]).is_none());
        assert!(shapes.like(&[sample(1)]).is_some());
    }
}
