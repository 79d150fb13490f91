//! The samples of one write on their way into the store.

use std::collections::HashMap;

use barograph_model::{Labels, LabelsError};
use barograph_store::{AppendError, Rows, SeriesRef};
use tracing_mutex::stdsync::MutexGuard;

use super::Ingest;
use super::door::Reason;
use super::report::Report;
use super::source::{Source, Table};

/// Gathers samples of one source; [`Intake::commit`] stores them. Nothing is stored without it.
///
/// It holds the source's table, so that two writes of one source are taken in one after the other.
#[derive(Debug)]
pub struct Intake<'a> {
    ingest: &'a Ingest,
    source: &'a Source,
    table: MutexGuard<'a, Table>,
    rows: Vec<Rows>,
    row_of: HashMap<i64, usize>,
    samples: usize,
    report: Report,
    now_ms: i64,
    now_s: u64,
    latest_allowed_ms: i64,
}

/// A write has more samples than one may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {} samples in one write; send smaller ones", Intake::MAX_SAMPLES)]
pub struct TooManySamples;

impl<'a> Intake<'a> {
    /// Senders send some thousands at a time; this bounds the memory of one write.
    pub const MAX_SAMPLES: usize = 500_000;

    pub(super) fn new(ingest: &'a Ingest, source: &'a Source) -> Self {
        let now_ms = ingest.clock.now_ms();
        let now_s = ingest.clock.monotonic().as_secs();
        let future = i64::try_from(ingest.settings.future_window.as_millis()).unwrap_or(i64::MAX);
        let mut table = source.table();
        table.turn_day(now_ms);
        table.sweep(now_s);
        Self {
            ingest,
            source,
            table,
            rows: Vec::new(),
            row_of: HashMap::new(),
            samples: 0,
            report: Report::default(),
            now_ms,
            now_s,
            latest_allowed_ms: now_ms.saturating_add(future),
        }
    }

    /// The series that the door knows by `key`. Only the first time are its labels asked for.
    ///
    /// Keys are whatever bytes of the format tell series of one source apart; two keys may mean
    /// one series.
    ///
    /// # Errors
    /// Why it gets no place; count its samples by [`Intake::refuse`].
    pub fn series<E>(
        &mut self,
        key: &[u8],
        labels: impl FnOnce() -> Result<Labels, E>,
    ) -> Result<SeriesRef, Reason>
    where
        E: std::fmt::Display,
    {
        if let Some(known) = self.table.find(key) {
            known.used_s = self.now_s;
            return Ok(known.series);
        }
        let labels = labels().map_err(|error| {
            self.report.explain(Reason::Labels, || error.to_string());
            Reason::Labels
        })?;
        self.new_series(key, labels)
    }

    /// The length of the key of the series that came after the last one before, if bytes begin with
    /// it.
    pub fn expected(&self, bytes: &[u8]) -> usize {
        self.table.expected(bytes)
    }

    /// The series that [`Intake::expected`] meant.
    pub fn take_expected(&mut self) -> Option<SeriesRef> {
        let now_s = self.now_s;
        let known = self.table.take_expected()?;
        known.used_s = now_s;
        Some(known.series)
    }

    /// As [`Intake::series`], for a door without a shorter name for its series.
    ///
    /// # Errors
    /// As [`Intake::series`].
    pub fn labelled(&mut self, labels: &Labels) -> Result<SeriesRef, Reason> {
        self.series(labels.encoded(), || Ok::<_, LabelsError>(labels.clone()))
    }

    fn new_series(&mut self, key: &[u8], labels: Labels) -> Result<SeriesRef, Reason> {
        if labels.name().is_empty() {
            self.report.explain(Reason::Labels, || format!("{labels} has no metric name"));
            return Err(Reason::Labels);
        }
        let settings = &self.ingest.settings;
        if self.table.known.len() >= settings.max_series {
            self.report.explain(Reason::SeriesBudget, || {
                let max = settings.max_series;
                format!("{labels}; `ingest.max_series_per_source` is {max}")
            });
            return Err(Reason::SeriesBudget);
        }
        if self.table.new_today >= settings.max_new_series_per_day {
            self.report.explain(Reason::NewSeriesBudget, || {
                let max = settings.max_new_series_per_day;
                format!("{labels}; `ingest.max_new_series_per_day` is {max}")
            });
            return Err(Reason::NewSeriesBudget);
        }
        let series = self.ingest.store.series(&labels).map_err(|error| {
            self.report.explain(Reason::StoreSeries, || format!("{labels}; {error}"));
            Reason::StoreSeries
        })?;
        self.table.insert(key, series, labels, self.now_s);
        self.table.new_today += 1;
        Ok(series)
    }

    /// Adds a sample, or counts it as refused when it is too far in the future.
    ///
    /// # Errors
    /// The write is too large; drop it.
    pub fn sample(
        &mut self,
        series: SeriesRef,
        time_ms: i64,
        value: f64,
    ) -> Result<(), TooManySamples> {
        if time_ms > self.latest_allowed_ms {
            self.refuse(Reason::Future, 1);
            let now_ms = self.now_ms;
            self.report.explain(Reason::Future, || {
                let ahead_s = time_ms.saturating_sub(now_ms) / 1000;
                format!("a time {ahead_s} s ahead of this machine's clock: {time_ms} ms")
            });
            return Ok(());
        }
        if self.samples >= Self::MAX_SAMPLES {
            return Err(TooManySamples);
        }
        self.samples += 1;
        let row = self.row(time_ms);
        row.series.push(series);
        row.values.push(value);
        Ok(())
    }

    fn row(&mut self, time_ms: i64) -> &mut Rows {
        let last = self.rows.len().wrapping_sub(1);
        let index = if self.rows.get(last).is_some_and(|row| row.time_ms == time_ms) {
            last
        } else {
            *self.row_of.entry(time_ms).or_insert_with(|| {
                let usual = self.table.usual_samples;
                let (series, values) = (Vec::with_capacity(usual), Vec::with_capacity(usual));
                self.rows.push(Rows { time_ms, series, values });
                self.rows.len() - 1
            })
        };
        &mut self.rows[index]
    }

    /// The time of this write, in milliseconds since 1970-01-01 UTC.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Counts samples that are not stored.
    pub fn refuse(&mut self, reason: Reason, samples: u64) {
        self.report.count(reason, samples);
    }

    /// Says why, to be shown for the first of its reason.
    pub fn explain(&mut self, reason: Reason, text: impl FnOnce() -> String) {
        self.report.explain(reason, text);
    }

    /// Stores what was gathered; returns when it survives a power cut. It waits for the disk, so
    /// it belongs on a thread that may wait.
    ///
    /// # Errors
    /// Nothing was stored; it may be tried again.
    pub fn commit(self) -> Result<Report, AppendError> {
        let Self { ingest, source, mut table, rows, mut report, now_ms, now_s, .. } = self;
        table.usual_samples = rows.last().map_or(0, |row| row.series.len());
        let outgoing = ingest.forward.is_some().then(|| with_labels(&rows, &table));
        drop(table);
        let newest_ms = rows.iter().map(|row| row.time_ms).max().unwrap_or(i64::MIN);
        if !rows.is_empty() {
            let appended = append(ingest, source, rows)?;
            report.stored += appended.stored;
            report.count(Reason::StoreSeries, appended.refused + appended.expired);
            report.count(Reason::Late, appended.late);
            report.count(Reason::Expired, appended.too_old);
            report.count(Reason::Future, appended.future);
        }
        if let (Some(forward), Some(outgoing)) = (&ingest.forward, &outgoing) {
            forward.offer(&outgoing.iter().map(|(labels, time, value)| (labels, *time, *value)));
        }
        source.count(&report, newest_ms, now_ms, now_s);
        Ok(report)
    }
}

/// The samples by their labels, for those who do not know our series.
fn with_labels(rows: &[Rows], table: &Table) -> Vec<(Labels, i64, f64)> {
    let known = table.known.values().map(|known| (known.series, &known.labels));
    let labels: HashMap<SeriesRef, &Labels> = known.collect();
    let samples = rows.iter().flat_map(|row| {
        let pairs = row.series.iter().zip(&row.values);
        pairs.filter_map(|(series, value)| {
            Some(((*labels.get(series)?).clone(), row.time_ms, *value))
        })
    });
    samples.collect()
}

fn append(
    ingest: &Ingest,
    source: &Source,
    rows: Vec<Rows>,
) -> Result<barograph_store::Appended, AppendError> {
    let kept = rows.clone();
    let appended = ingest.store.append_each(rows)?;
    if appended.expired == 0 {
        return Ok(appended);
    }
    // Series that were silent for more than a day have lost their ids. What was stored already is
    // the same sample when it is stored again.
    ingest.store.append_each(renewed(ingest, source, kept))
}

/// The same rows by ids that are valid now.
fn renewed(ingest: &Ingest, source: &Source, mut rows: Vec<Rows>) -> Vec<Rows> {
    let mut table = source.table();
    let mut renewed = HashMap::new();
    for known in table.known.values_mut() {
        if let Ok(series) = ingest.store.series(&known.labels) {
            renewed.insert(std::mem::replace(&mut known.series, series), series);
        }
    }
    for series in rows.iter_mut().flat_map(|row| &mut row.series) {
        if let Some(new) = renewed.get(series) {
            *series = *new;
        }
    }
    rows
}
