//! A source that holds its series in memory: for tests of rules and of the engine itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use barograph_model::{
    Buckets, Columns, Labels, Matcher, Samples, SelectedSeries, Selection, SeriesReader,
    SeriesSource, SourceError,
};

/// Series in memory.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    series: BTreeMap<Labels, BTreeMap<i64, f64>>,
}

impl MemorySource {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sample, milliseconds since 1970-01-01 UTC. A later one for the same time replaces
    /// it.
    pub fn push(&mut self, labels: &Labels, time_ms: i64, value: f64) {
        if let Some(samples) = self.series.get_mut(labels) {
            samples.insert(time_ms, value);
        } else {
            self.series.insert(labels.clone(), BTreeMap::from([(time_ms, value)]));
        }
    }

    pub fn clear(&mut self) {
        self.series.clear();
    }

    /// The series and their samples, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Labels, &BTreeMap<i64, f64>)> {
        self.series.iter()
    }

    fn wanted<'a>(
        &'a self,
        selection: &Selection<'_>,
    ) -> impl Iterator<Item = (&'a Labels, &'a BTreeMap<i64, f64>)> {
        self.series.iter().filter(|(labels, samples)| {
            selection.matchers.iter().all(|matcher: &Matcher| matcher.matches(labels))
                && selection.from_ms <= selection.to_ms
                && samples.range(selection.from_ms..=selection.to_ms).next().is_some()
        })
    }
}

impl SeriesSource for MemorySource {
    fn select<'a>(
        &'a self,
        selection: &Selection<'a>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, SourceError> {
        let (labels, samples): (Vec<_>, Vec<_>) =
            self.wanted(selection).map(|(labels, samples)| (labels.clone(), samples)).unzip();
        if labels.len() > selection.max_series {
            return Err(SourceError::TooManySeries { max: selection.max_series });
        }
        Ok(Box::new(Selected { labels, samples, selection: *selection, read: AtomicUsize::new(0) }))
    }

    fn label_names(&self, selection: &Selection<'_>) -> Result<Vec<String>, SourceError> {
        let names: BTreeSet<&str> =
            self.wanted(selection).flat_map(|(labels, _)| labels.iter().map(|(n, _)| n)).collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    fn label_values(
        &self,
        label: &str,
        selection: &Selection<'_>,
    ) -> Result<Vec<String>, SourceError> {
        let values: BTreeSet<&str> =
            self.wanted(selection).filter_map(|(labels, _)| labels.get(label)).collect();
        Ok(values.into_iter().map(str::to_owned).collect())
    }
}

struct Selected<'a> {
    labels: Vec<Labels>,
    samples: Vec<&'a BTreeMap<i64, f64>>,
    selection: Selection<'a>,
    read: AtomicUsize,
}

impl SelectedSeries for Selected<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn reader(&self) -> Box<dyn SeriesReader + '_> {
        Box::new(Reader { selected: self, samples: Samples::default() })
    }

    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

struct Reader<'a> {
    selected: &'a Selected<'a>,
    samples: Samples,
}

impl SeriesReader for Reader<'_> {
    fn columns(&mut self, series: usize) -> Result<Columns<'_>, SourceError> {
        let Selected { samples, selection, read, .. } = self.selected;
        if selection.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(SourceError::Cancelled);
        }
        let samples = samples.get(series).into_iter();
        let samples = samples.flat_map(|all| all.range(selection.from_ms..=selection.to_ms));
        (self.samples.times, self.samples.values) =
            samples.map(|(time, value)| (*time, *value)).unzip();
        let count = self.samples.times.len();
        if read.fetch_add(count, Ordering::Relaxed) + count > selection.max_samples {
            return Err(SourceError::TooManySamples { max: selection.max_samples });
        }
        Ok((&self.samples).into())
    }

    fn buckets(&mut self, _series: usize, _out: &mut Buckets) -> Result<bool, SourceError> {
        Ok(false)
    }
}
