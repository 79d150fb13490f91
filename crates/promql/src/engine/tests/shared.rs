//! A source whose series share their times, and that says what is known of their values.

use std::sync::Arc;

use barograph_model::{
    Buckets, Columns, Labels, Samples, SelectedSeries, Selection, SeriesReader, SeriesSource,
    SourceError, is_stale,
};
use tracing_mutex::stdsync::Mutex;

use crate::MemorySource;

/// Times before those of a series, so that none begins where what it shares does.
const BEFORE: usize = 3;

pub(super) struct Shared<'a> {
    inner: &'a MemorySource,
    times: Mutex<Vec<Arc<[i64]>>>,
}

struct SharedSeries<'a> {
    inner: Box<dyn SelectedSeries + 'a>,
    times: &'a Mutex<Vec<Arc<[i64]>>>,
}

struct SharedReader<'a> {
    inner: Box<dyn SeriesReader + 'a>,
    times: &'a Mutex<Vec<Arc<[i64]>>>,
    whole: Arc<[i64]>,
    samples: Samples,
}

impl<'a> Shared<'a> {
    pub(super) fn new(inner: &'a MemorySource) -> Self {
        Self { inner, times: Mutex::default() }
    }
}

impl SeriesSource for Shared<'_> {
    fn select<'a>(
        &'a self,
        selection: &Selection<'a>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, SourceError> {
        let inner = self.inner.select(selection)?;
        Ok(Box::new(SharedSeries { inner, times: &self.times }))
    }

    fn label_names(&self, selection: &Selection<'_>) -> Result<Vec<String>, SourceError> {
        self.inner.label_names(selection)
    }

    fn label_values(&self, label: &str, s: &Selection<'_>) -> Result<Vec<String>, SourceError> {
        self.inner.label_values(label, s)
    }
}

impl SelectedSeries for SharedSeries<'_> {
    fn labels(&self) -> &[Labels] {
        self.inner.labels()
    }

    fn reader(&self) -> Box<dyn SeriesReader + '_> {
        let (whole, samples) = (Arc::from([]), Samples::default());
        Box::new(SharedReader { inner: self.inner.reader(), times: self.times, whole, samples })
    }

    fn warnings(&self) -> Vec<String> {
        self.inner.warnings()
    }
}

impl SeriesReader for SharedReader<'_> {
    fn columns(&mut self, series: usize) -> Result<Columns<'_>, SourceError> {
        self.inner.samples(series, &mut self.samples)?;
        let Samples { times, values } = &self.samples;
        let mut known = self.times.lock().unwrap();
        let found = known.iter().find(|known| known[BEFORE..] == times[..]).cloned();
        self.whole = found.unwrap_or_else(|| {
            let whole: Arc<[i64]> = [i64::MIN; BEFORE].iter().chain(times).copied().collect();
            known.push(Arc::clone(&whole));
            whole
        });
        Ok(Columns {
            times: &self.whole[BEFORE..],
            values,
            shared: Some((&self.whole, BEFORE)),
            may_end: values.iter().any(|value| is_stale(*value)),
            may_fall: values.windows(2).any(|pair| pair[1] < pair[0]),
        })
    }

    fn buckets(&mut self, _series: usize, _out: &mut Buckets) -> Result<bool, SourceError> {
        Ok(false)
    }
}
