//! Questions: which series there are, and their samples.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use barograph_model::{Labels, Matcher};

use crate::blocks::Damage;
use crate::columns::Columns;
use crate::error::SelectError;
use crate::partition::{Partition, Sources};
use crate::settings::Limits;
use crate::shared::Shared;
use crate::source::{Readers, Source};
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

/// An answer: what is there, and what should be but is damaged.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    pub data: T,
    pub warnings: Vec<Warning>,
}

/// A part of an answer, as [`crate::Store::select_each`] hands it on.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Numbers the answer's series in the order of their first piece.
    pub series: usize,
    pub labels: &'a Labels,
    /// Milliseconds since 1970-01-01 UTC, ascending; after all earlier pieces of the series.
    pub times: &'a [i64],
    pub values: &'a [f64],
}

/// Series by where they are found: index of the source and id in it, oldest source first.
type Places = Vec<(usize, u32)>;

/// One question on its way through the partitions.
pub(crate) struct Question<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) matchers: &'a [Matcher],
    pub(crate) range_ms: (i64, i64),
    pub(crate) limits: &'a Limits<'a>,
}

impl Question<'_> {
    /// Hands on the samples, partition by partition.
    pub(crate) fn each(
        &self,
        act: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Warning>, SelectError> {
        let mut warnings = Vec::new();
        let mut numbers: HashMap<Labels, usize> = HashMap::new();
        let mut samples = 0;
        let mut columns = Columns::default();
        for partition in self.partitions() {
            let sources = self.sources(&partition, &mut warnings);
            let mut readers = Readers::open(&sources);
            let mut damage = Damage::default();
            for (labels, places) in self.matching(&sources)? {
                self.check_cancelled()?;
                damage += readers.read(&labels, &places, self.range_ms, &mut columns);
                if columns.times.is_empty() {
                    continue;
                }
                samples += columns.times.len();
                if samples > self.limits.max_samples {
                    return Err(SelectError::TooManySamples { max: self.limits.max_samples });
                }
                let next = numbers.len();
                let series = *numbers.entry(labels.clone()).or_insert(next);
                if numbers.len() > self.limits.max_series {
                    return Err(SelectError::TooManySeries { max: self.limits.max_series });
                }
                let Columns { times, values } = &columns;
                if act(Piece { series, labels: &labels, times, values }).is_break() {
                    return Ok(warnings);
                }
            }
            readers.close();
            self.report(&partition, damage, &mut warnings);
        }
        Ok(warnings)
    }

    /// The labels of the series in the partitions that overlap the range.
    pub(crate) fn series(&self) -> Result<Answer<Vec<Labels>>, SelectError> {
        let mut warnings = Vec::new();
        let mut found = HashSet::new();
        for partition in self.partitions() {
            for source in self.sources(&partition, &mut warnings) {
                self.check_cancelled()?;
                found.extend(source.select(self.matchers).into_iter().map(|(_, labels)| labels));
                if found.len() > self.limits.max_series {
                    return Err(SelectError::TooManySeries { max: self.limits.max_series });
                }
            }
        }
        let mut data: Vec<Labels> = found.into_iter().collect();
        data.sort();
        Ok(Answer { data, warnings })
    }

    fn partitions(&self) -> Vec<std::sync::Arc<Partition>> {
        if self.range_ms.0 > self.range_ms.1 {
            return Vec::new();
        }
        self.shared.overlapping(self.range_ms.0, self.range_ms.1)
    }

    /// The partition's files; what was lost of them is a warning.
    fn sources(&self, partition: &Partition, warnings: &mut Vec<Warning>) -> Vec<Source> {
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

    fn matching(&self, sources: &[Source]) -> Result<Vec<(Labels, Places)>, SelectError> {
        let mut found: Vec<(Labels, Places)> = Vec::new();
        let mut known: HashMap<Labels, usize> = HashMap::new();
        for (index, source) in sources.iter().enumerate() {
            for (id, labels) in source.select(self.matchers) {
                if index == 0 {
                    if sources.len() > 1 {
                        known.insert(labels.clone(), found.len());
                    }
                    found.push((labels, vec![(index, id)]));
                } else if let Some(at) = known.get(&labels) {
                    found[*at].1.push((index, id));
                } else {
                    known.insert(labels.clone(), found.len());
                    found.push((labels, vec![(index, id)]));
                }
            }
        }
        if found.len() > self.limits.max_series {
            return Err(SelectError::TooManySeries { max: self.limits.max_series });
        }
        Ok(found)
    }

    fn check_cancelled(&self) -> Result<(), SelectError> {
        match self.limits.cancel {
            Some(cancel) if cancel.load(Ordering::Relaxed) => Err(SelectError::Cancelled),
            _ => Ok(()),
        }
    }

    fn report(&self, partition: &Partition, damage: Damage, warnings: &mut Vec<Warning>) {
        count(&self.shared.counters.damaged_chunks, damage.chunks);
        count(&self.shared.counters.damaged_blocks, damage.blocks);
        if damage != Damage::default() {
            let Damage { chunks, blocks } = damage;
            let message = format!("damaged and left out: {chunks} chunks, {blocks} blocks");
            warnings.push(Warning { partition: partition.span.name(), message });
        }
    }
}

/// Names and values found in the partitions that overlap a range.
impl Question<'_> {
    pub(crate) fn metric_names(&self) -> Answer<BTreeMap<String, usize>> {
        let mut warnings = Vec::new();
        let mut found: BTreeMap<String, HashSet<Labels>> = BTreeMap::new();
        for partition in self.partitions() {
            for source in self.sources(&partition, &mut warnings) {
                source.with_index(|index| {
                    for (name, ids) in index.metric_names() {
                        let labels = ids.iter().filter_map(|id| index.labels(*id).cloned());
                        found.entry(name.to_owned()).or_default().extend(labels);
                    }
                });
            }
        }
        let data = found.into_iter().map(|(name, series)| (name, series.len())).collect();
        Answer { data, warnings }
    }

    pub(crate) fn label_names(&self) -> Result<Answer<BTreeSet<String>>, SelectError> {
        self.labels(|labels, out| out.extend(labels.iter().map(|(name, _)| name.to_owned())))
    }

    pub(crate) fn label_values(
        &self,
        label: &str,
    ) -> Result<Answer<BTreeSet<String>>, SelectError> {
        if self.matchers.is_empty() {
            let mut warnings = Vec::new();
            let mut data = BTreeSet::new();
            for partition in self.partitions() {
                for source in self.sources(&partition, &mut warnings) {
                    let values = |index: &crate::index::Index| {
                        data.extend(index.label_values(label).map(str::to_owned));
                    };
                    source.with_index(values);
                }
            }
            return Ok(Answer { data, warnings });
        }
        self.labels(|labels, out| out.extend(labels.get(label).map(str::to_owned)))
    }

    fn labels(
        &self,
        collect: impl Fn(&Labels, &mut BTreeSet<String>),
    ) -> Result<Answer<BTreeSet<String>>, SelectError> {
        let Answer { data: series, warnings } = self.series()?;
        let mut data = BTreeSet::new();
        for labels in &series {
            collect(labels, &mut data);
        }
        Ok(Answer { data, warnings })
    }
}
