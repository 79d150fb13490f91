//! Questions: which series there are, and their samples.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::atomic::Ordering;

use barograph_model::{Labels, Matcher, SourceError};

use crate::index::Index;
use crate::partition::{Partition, Sources};
use crate::plan::{Plan, Wish};
use crate::settings::Limits;
use crate::shared::Shared;
use crate::source::Source;
use crate::stats::count;

/// The samples of one series in ascending order of time, as columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesData {
    pub labels: Labels,
    /// Milliseconds since 1970-01-01 UTC.
    pub times: Vec<i64>,
    pub values: Vec<f64>,
}

/// Something that is missing in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The partition's name, a date.
    pub partition: String,
    pub message: String,
}

/// How messages begin that tell of expired samples.
pub(crate) const EXPIRED: &str = "the samples have expired";

impl Warning {
    /// Whether it is about samples whose time is over, and no damage.
    pub fn is_of_expiry(&self) -> bool {
        self.message.starts_with(EXPIRED)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.partition, self.message)
    }
}

/// An answer: what is there, and what should be but is damaged.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    pub data: T,
    pub warnings: Vec<Warning>,
}

/// A part of an answer, as [`crate::StoreView::select_each`] hands it on.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Numbers the answer's series in the order of their first piece.
    pub series: usize,
    pub labels: &'a Labels,
    /// Milliseconds since 1970-01-01 UTC, ascending; after all earlier pieces of the series.
    pub times: &'a [i64],
    pub values: &'a [f64],
}

/// The stretch of a chart that is asked for, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    pub from_ms: i64,
    pub to_ms: i64,
    /// With the length of a step, buckets are handed on in place of samples wherever each lies in
    /// one step. `None`: only where samples have expired.
    pub length_ms: Option<i64>,
    /// Whether buckets are wanted that began before `from_ms` and end after it: for the first
    /// stretch of several.
    pub reaches_back: bool,
}

/// One question on its way through the partitions.
pub(crate) struct Question<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) matchers: &'a [Matcher],
    pub(crate) range_ms: (i64, i64),
    pub(crate) limits: &'a Limits<'a>,
}

impl Question<'_> {
    /// The labels of the series in the partitions that overlap the range.
    pub(crate) fn series(&self) -> Result<Answer<Vec<Labels>>, SourceError> {
        let Plan { sources, warnings, .. } = self.plan(Wish::Samples);
        let mut found = HashSet::new();
        for source in sources {
            self.check_cancelled()?;
            found.extend(source.select(self.matchers).into_iter().map(|(_, labels)| labels));
            if found.len() > self.limits.max_series {
                return Err(SourceError::TooManySeries { max: self.limits.max_series });
            }
        }
        let mut data: Vec<Labels> = found.into_iter().collect();
        data.sort();
        Ok(Answer { data, warnings })
    }

    pub(crate) fn partitions(&self) -> Vec<std::sync::Arc<Partition>> {
        if self.range_ms.0 > self.range_ms.1 {
            return Vec::new();
        }
        self.shared.overlapping(self.range_ms.0, self.range_ms.1)
    }

    /// The partition's files; what was lost of them is a warning.
    pub(crate) fn sources(
        &self,
        partition: &Partition,
        warnings: &mut Vec<Warning>,
    ) -> Vec<Source> {
        let Sources { sources, errors } = self.shared.sources(partition);
        let mut warn = |message| {
            warnings.push(Warning { partition: partition.span.name(), message });
        };
        for error in errors {
            count(&self.shared.counters.damaged_partitions, 1);
            warn(format!("a file cannot be read: {}", barograph_model::chain(&error)));
        }
        for lost in sources.iter().map(Source::lost) {
            lost.problems().for_each(&mut warn);
        }
        sources
    }

    pub(crate) fn check_cancelled(&self) -> Result<(), SourceError> {
        match self.limits.cancel {
            Some(cancel) if cancel.load(Ordering::Relaxed) => Err(SourceError::Cancelled),
            _ => Ok(()),
        }
    }
}

/// Names and values found in the partitions that overlap a range.
impl Question<'_> {
    pub(crate) fn metric_names(&self) -> Answer<BTreeMap<String, usize>> {
        let Plan { sources, warnings, .. } = self.plan(Wish::Samples);
        let mut found: BTreeMap<String, HashSet<Labels>> = BTreeMap::new();
        for source in sources {
            source.with_index(|index| {
                for (name, ids) in index.metric_names() {
                    let labels = ids.iter().filter_map(|id| index.labels(*id).cloned());
                    found.entry(name.to_owned()).or_default().extend(labels);
                }
            });
        }
        let data = found.into_iter().map(|(name, series)| (name, series.len())).collect();
        Answer { data, warnings }
    }

    pub(crate) fn label_names(&self) -> Result<Answer<BTreeSet<String>>, SourceError> {
        if self.matchers.is_empty() {
            return Ok(
                self.collect_from_indexes(|index| index.label_names().map(str::to_owned).collect())
            );
        }
        self.labels(|labels, out| out.extend(labels.iter().map(|(name, _)| name.to_owned())))
    }

    pub(crate) fn label_values(
        &self,
        label: &str,
    ) -> Result<Answer<BTreeSet<String>>, SourceError> {
        if self.matchers.is_empty() {
            return Ok(self.collect_from_indexes(|index| {
                index.label_values(label).map(str::to_owned).collect()
            }));
        }
        self.labels(|labels, out| out.extend(labels.get(label).map(str::to_owned)))
    }

    fn collect_from_indexes(
        &self,
        collect: impl Fn(&Index) -> BTreeSet<String>,
    ) -> Answer<BTreeSet<String>> {
        let Plan { sources, warnings, .. } = self.plan(Wish::Samples);
        let mut data = BTreeSet::new();
        for source in sources {
            // Merges what is in order, which inserting one by one does not.
            data.append(&mut source.with_index(&collect));
        }
        Answer { data, warnings }
    }

    fn labels(
        &self,
        collect: impl Fn(&Labels, &mut BTreeSet<String>),
    ) -> Result<Answer<BTreeSet<String>>, SourceError> {
        let Answer { data: series, warnings } = self.series()?;
        let mut data = BTreeSet::new();
        for labels in &series {
            collect(labels, &mut data);
        }
        Ok(Answer { data, warnings })
    }
}
