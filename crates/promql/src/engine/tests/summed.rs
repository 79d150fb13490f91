//! A source that has summed up its samples, as a store's tiers have.

use barograph_model::{
    Buckets, Columns, Labels, Samples, SelectedSeries, Selection, SeriesReader, SeriesSource,
    SourceError, Windows, is_stale,
};

use crate::MemorySource;

/// Sums up what lies between two edges of windows.
pub(super) struct Summed<'a>(pub(super) &'a MemorySource);

struct SummedSeries<'a> {
    inner: Box<dyn SelectedSeries + 'a>,
    windows: Option<Windows>,
}

struct SummedReader<'a> {
    inner: Box<dyn SeriesReader + 'a>,
    windows: Option<Windows>,
}

impl SeriesSource for Summed<'_> {
    fn select<'a>(
        &'a self,
        selection: &Selection<'a>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, SourceError> {
        let inner = self.0.select(selection)?;
        Ok(Box::new(SummedSeries { inner, windows: selection.windows }))
    }

    fn label_names(&self, selection: &Selection<'_>) -> Result<Vec<String>, SourceError> {
        self.0.label_names(selection)
    }

    fn label_values(&self, label: &str, s: &Selection<'_>) -> Result<Vec<String>, SourceError> {
        self.0.label_values(label, s)
    }
}

impl SelectedSeries for SummedSeries<'_> {
    fn labels(&self) -> &[Labels] {
        self.inner.labels()
    }

    fn reader(&self) -> Box<dyn SeriesReader + '_> {
        Box::new(SummedReader { inner: self.inner.reader(), windows: self.windows })
    }

    fn warnings(&self) -> Vec<String> {
        self.inner.warnings()
    }
}

impl SeriesReader for SummedReader<'_> {
    fn columns(&mut self, series: usize) -> Result<Columns<'_>, SourceError> {
        assert!(self.windows.is_none(), "buckets should have been asked for");
        self.inner.columns(series)
    }

    fn buckets(&mut self, series: usize, out: &mut Buckets) -> Result<bool, SourceError> {
        let Some(windows) = self.windows else { return Ok(false) };
        let mut samples = Samples::default();
        self.inner.samples(series, &mut samples)?;
        let mut edges: Vec<i64> = (windows.first_ms..=windows.last_ms)
            .step_by(usize::try_from(windows.step_ms.max(1)).unwrap())
            .flat_map(|end| [end, end - windows.range_ms])
            .collect();
        edges.sort_unstable();
        *out = Buckets::default();
        let mut place = None;
        for (time, value) in samples.times.into_iter().zip(samples.values) {
            if is_stale(value) {
                continue;
            }
            let here = edges.partition_point(|edge| *edge < time);
            if place == Some(here) {
                let last = out.count.len() - 1;
                out.lost[last] += if value < out.last[last] { out.last[last] } else { 0.0 };
                out.last_times[last] = time;
                out.last[last] = value;
                out.min[last] = out.min[last].min(value);
                out.max[last] = out.max[last].max(value);
                out.sum[last] += value;
                out.count[last] += 1;
                continue;
            }
            place = Some(here);
            out.first_times.push(time);
            out.last_times.push(time);
            out.count.push(1);
            out.lost.push(0.0);
            for column in [&mut out.first, &mut out.last, &mut out.min, &mut out.max, &mut out.sum]
            {
                column.push(value);
            }
        }
        Ok(true)
    }
}
