//! The store: its threads, and what callers can do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use barograph_model::{
    Batch, Buckets, Clock, Columns, Labels, Matcher, Sample, Samples, SelectedSeries as _,
    SeriesReader as _, SourceError,
};

use crate::error::{AppendError, OpenError, SealError, SeriesError};
use crate::folder::Folder;
use crate::import;
use crate::live::Rows;
use crate::maintenance;
use crate::plan::Wish;
use crate::queue::Refused;
use crate::registry::SeriesRef;
use crate::retention::millis;
use crate::rollup::KEPT_ASIDE;
use crate::select::{Answer, Question, SeriesData, Steps, Warning};
use crate::selected::Selected;
use crate::settings::{Limits, Settings};
use crate::shapes::Guide;
use crate::shared::Shared;
use crate::space::{self, Space};
use crate::span::Span;
use crate::stats::{Stats, count};
use crate::sync::{read, write};
use crate::writer::{self, Job, Outcome};

/// Samples in one append.
const MAX_APPEND_SAMPLES: usize = 1_000_000;

/// When to come back: not before a sealing can be done, and not so late that a sender gives up.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(60);
/// After it was waited in vain for [`Settings::busy_timeout`].
const DISK_BREAK: Duration = Duration::from_secs(5);

/// What became of the samples of an append. All that are `stored` survive a power cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    pub stored: u64,
    /// Of series that would have been more than [`Settings::max_series`].
    pub refused: u64,
    /// By a [`SeriesRef`] that is not valid any more: ask for it again.
    pub expired: u64,
    /// Older than [`Settings::late_window`].
    pub late: u64,
    /// Of a time whose samples have expired, or would at once: [`Settings::retention`].
    pub too_old: u64,
    /// Further ahead than [`Settings::future_window`], or not in the years 1 to 9999.
    pub future: u64,
}

/// An embedded store of time series in one folder. Dropping it ends its threads; everything
/// that was acknowledged is on disk already.
#[derive(Debug)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Store {
    /// Opens the folder, makes it when it does not exist, and rebuilds the heads.
    ///
    /// # Errors
    /// Settings that are out of range; a folder that cannot be used, is in use by another
    /// process, is not a store's, or was written by a newer version.
    pub fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let partition_ms = settings.check()?;
        let folder = Folder::open(&settings.dir, partition_ms)?;
        let (files, foreign) = folder.files()?;
        let shared = Arc::new(Shared::new(settings, clock, folder));
        for path in foreign {
            shared.note_damage(&path, "it is no file of the store");
        }
        shared.take_up(&files)?;
        for tier in &shared.tiers {
            for path in tier.take_up(true)? {
                shared.note_damage(&path, KEPT_ASIDE);
            }
            for (_, file) in tier.all() {
                // Before it is written anew: then nothing tells of it any more.
                if let Some((path, problem)) = file.damage() {
                    shared.note_damage(&path, problem);
                }
            }
        }
        shared.settle();
        import::sweep(&shared.folder.dir);
        import::take_up(&shared);
        shared.count_head_bytes();
        let mut store = Self { shared, threads: Vec::new() };
        store.spawn("store-writer", |shared| writer::run(&shared))?;
        store.spawn("store-maintenance", |shared| maintenance::run(&shared))?;
        Ok(store)
    }

    fn spawn(
        &mut self,
        name: &'static str,
        run: impl FnOnce(Arc<Shared>) + Send + 'static,
    ) -> Result<(), OpenError> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || run(shared));
        self.threads.push(thread.map_err(|source| OpenError::Thread { name, source })?);
        Ok(())
    }

    /// The id of a series, for [`Store::append_rows`].
    ///
    /// # Errors
    /// There are too many series.
    pub fn series(&self, labels: &Labels) -> Result<SeriesRef, SeriesError> {
        if let Some(id) = read(&self.shared.registry).get(labels) {
            return Ok(id);
        }
        write(&self.shared.registry).resolve(labels, self.shared.settings.max_series)
    }

    /// Stores batches; returns when they survive a power cut. Batches that fall into one
    /// partition are stored together or not at all.
    ///
    /// # Errors
    /// The store is busy or the disk full; nothing of it is visible, and it may be tried again:
    /// samples that are stored twice are one sample.
    pub fn append(&self, batches: &[Batch]) -> Result<Appended, AppendError> {
        let mut appended = Appended::default();
        let mut rows = Vec::with_capacity(batches.len());
        for batch in batches {
            let Some(span) = self.accept(batch.time_ms, batch.samples.len(), &mut appended) else {
                continue;
            };
            let mut row = Rows { time_ms: batch.time_ms, ..Rows::default() };
            row.series.reserve(batch.samples.len());
            row.values.reserve(batch.samples.len());
            self.resolve(batch, &mut row, &mut appended);
            rows.push((span, row));
        }
        self.commit(rows, appended)
    }

    /// As [`Store::append`], for one time and series by their ids. Both slices are equally long;
    /// what one of them has more is left out.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn append_rows(
        &self,
        time_ms: i64,
        series: &[SeriesRef],
        values: &[f64],
    ) -> Result<Appended, AppendError> {
        let mut appended = Appended::default();
        let len = series.len().min(values.len());
        let Some(span) = self.accept(time_ms, len, &mut appended) else { return Ok(appended) };
        let rows = Rows { time_ms, series: series[..len].to_vec(), values: values[..len].to_vec() };
        self.commit(vec![(span, rows)], appended)
    }

    /// As [`Store::append_rows`], for several times at once.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn append_each(&self, rows: Vec<Rows>) -> Result<Appended, AppendError> {
        let mut appended = Appended::default();
        let mut accepted = Vec::with_capacity(rows.len());
        for mut row in rows {
            let len = row.series.len().min(row.values.len());
            row.series.truncate(len);
            row.values.truncate(len);
            if let Some(span) = self.accept(row.time_ms, len, &mut appended) {
                accepted.push((span, row));
            }
        }
        self.commit(accepted, appended)
    }

    /// The partition for a time, unless it is outside of the windows.
    fn accept(&self, time_ms: i64, samples: usize, appended: &mut Appended) -> Option<Span> {
        let Settings { late_window, future_window, .. } = &self.shared.settings;
        let now_ms = self.shared.clock.now_ms();
        let (samples, counters) = (samples as u64, &self.shared.counters);
        if late_window.is_some_and(|window| time_ms < now_ms.saturating_sub(millis(window))) {
            appended.late += samples;
            count(&counters.late_samples, samples);
            return None;
        }
        let is_ahead = time_ms > now_ms.saturating_add(millis(*future_window));
        let span = Span::holding(time_ms, self.shared.folder.partition_ms);
        if is_ahead || span.is_none() {
            appended.future += samples;
            count(&counters.future_samples, samples);
            return None;
        }
        if span.is_some_and(|span| self.shared.is_past(span, now_ms)) {
            appended.too_old += samples;
            count(&counters.too_old_samples, samples);
            return None;
        }
        span
    }

    fn resolve(&self, batch: &Batch, row: &mut Rows, appended: &mut Appended) {
        let mut guide = Guide::new(self.shared.shapes.like(&batch.samples));
        let mut is_new_shape = false;
        let mut unknown = Vec::new();
        {
            let registry = read(&self.shared.registry);
            for sample in &batch.samples {
                let known = guide.find(&sample.labels).filter(|id| registry.touch(*id));
                is_new_shape |= known.is_none();
                if let Some(id) = known.or_else(|| registry.get(&sample.labels)) {
                    row.series.push(id);
                    row.values.push(sample.value);
                } else {
                    unknown.push(sample);
                }
            }
        }
        if is_new_shape && unknown.is_empty() {
            let labels = batch.samples.iter().map(|sample| sample.labels.clone());
            self.shared.shapes.remember(labels.zip(row.series.iter().copied()).collect());
        }
        if !unknown.is_empty() {
            self.resolve_new(&unknown, row, appended);
        }
    }

    fn resolve_new(&self, unknown: &[&Sample], row: &mut Rows, appended: &mut Appended) {
        let mut registry = write(&self.shared.registry);
        for sample in unknown {
            match registry.resolve(&sample.labels, self.shared.settings.max_series) {
                Ok(id) => {
                    row.series.push(id);
                    row.values.push(sample.value);
                }
                Err(SeriesError::TooMany { .. }) => {
                    appended.refused += 1;
                    count(&self.shared.counters.refused_samples, 1);
                }
            }
        }
    }

    fn commit(
        &self,
        mut rows: Vec<(Span, Rows)>,
        mut appended: Appended,
    ) -> Result<Appended, AppendError> {
        rows.retain(|(_, rows)| !rows.series.is_empty());
        let samples: usize = rows.iter().map(|(_, rows)| rows.series.len()).sum();
        if samples > MAX_APPEND_SAMPLES {
            return Err(AppendError::TooLarge { samples, max: MAX_APPEND_SAMPLES });
        }
        if rows.is_empty() {
            return Ok(appended);
        }
        if !self.shared.has_room(&rows, samples) {
            self.shared.refused_room.store(true, Ordering::Relaxed);
            self.shared.wake_maintenance();
            let retry_after = self.shared.counters.seal_time().clamp(SOON, LATER);
            return Err(self.busy("its memory is used up until it has sealed", retry_after));
        }
        let outcome = match writer::commit_at_once(&self.shared, rows) {
            Ok(outcome) => outcome?,
            Err(rows) => self.commit_in_turn(rows, samples)?,
        };
        appended.stored += outcome.stored;
        appended.refused += outcome.refused.too_many;
        appended.expired += outcome.refused.expired;
        appended.too_old += outcome.refused.too_old;
        Ok(appended)
    }

    /// Has the writer thread commit it, with whatever else waits.
    fn commit_in_turn(
        &self,
        rows: Vec<(Span, Rows)>,
        samples: usize,
    ) -> Result<Outcome, AppendError> {
        let (reply, answer) = sync_channel(1);
        let patience = self.shared.settings.busy_timeout;
        match self.shared.queue.push(Job { rows, reply }, samples, patience) {
            Ok(()) => answer.recv().map_err(|_| AppendError::Failed)?,
            Err(Refused::Full) => Err(self.busy("the disk does not keep up", DISK_BREAK)),
            Err(Refused::Closed) => Err(AppendError::Closed),
        }
    }

    fn busy(&self, reason: &'static str, retry_after: Duration) -> AppendError {
        count(&self.shared.counters.busy, 1);
        AppendError::Busy { reason, retry_after }
    }

    fn question<'a>(
        &'a self,
        matchers: &'a [Matcher],
        from_ms: i64,
        to_ms: i64,
        limits: &'a Limits<'a>,
    ) -> Question<'a> {
        Question { shared: &self.shared, matchers, range_ms: (from_ms, to_ms), limits }
    }

    /// The samples from `from_ms` to `to_ms`, both included, of the series that all matchers
    /// want, in order of their labels.
    ///
    /// # Errors
    /// A limit is passed, or the question was cancelled.
    pub fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        limits: &Limits<'_>,
    ) -> Result<Answer<Vec<SeriesData>>, SourceError> {
        let selected =
            Selected::new(&self.shared, matchers, (from_ms, to_ms), Wish::Samples, limits)?;
        let mut reader = selected.reader();
        let mut data = Vec::new();
        for (series, labels) in selected.labels().iter().enumerate() {
            let mut samples = Samples::default();
            reader.samples(series, &mut samples)?;
            if !samples.times.is_empty() {
                let Samples { times, values } = samples;
                data.push(SeriesData { labels: labels.clone(), times, values });
            }
        }
        Ok(Answer { data, warnings: selected.found_missing() })
    }

    /// Hands on what steps of a chart can be made of, series by series in order of their labels:
    /// samples, and the buckets of what has expired, each once, by where it begins. The returned
    /// list holds the warnings.
    ///
    /// # Errors
    /// A limit is passed, the question was cancelled, or `act` failed.
    pub fn steps<E: From<SourceError>>(
        &self,
        matchers: &[Matcher],
        steps: Steps,
        limits: &Limits<'_>,
        act: &mut dyn FnMut(&Labels, Columns<'_>, &Buckets) -> Result<(), E>,
    ) -> Result<Vec<Warning>, E> {
        let Steps { from_ms, to_ms, length_ms, reaches_back } = steps;
        let wish = Wish::Steps(length_ms);
        let selected = Selected::new(&self.shared, matchers, (from_ms, to_ms), wish, limits)?;
        let mut reader = selected.reader();
        for (series, labels) in selected.labels().iter().enumerate() {
            let (samples, buckets) = reader.read_steps(series, reaches_back)?;
            if !samples.times.is_empty() || !buckets.count.is_empty() {
                act(labels, samples, buckets)?;
            }
        }
        Ok(selected.found_missing())
    }

    /// The labels of the series that all matchers want and that are in a partition which overlaps
    /// the range.
    ///
    /// # Errors
    /// A limit is passed, or the question was cancelled.
    pub fn series_list(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        limits: &Limits<'_>,
    ) -> Result<Answer<Vec<Labels>>, SourceError> {
        self.question(matchers, from_ms, to_ms, limits).series()
    }

    /// The metrics in the partitions that overlap the range, with the number of their series.
    pub fn metric_names(&self, from_ms: i64, to_ms: i64) -> Answer<BTreeMap<String, usize>> {
        self.question(&[], from_ms, to_ms, &Limits::default()).metric_names()
    }

    /// The names of the labels of the series that all matchers want.
    ///
    /// # Errors
    /// As [`Store::series_list`].
    pub fn label_names(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        limits: &Limits<'_>,
    ) -> Result<Answer<BTreeSet<String>>, SourceError> {
        self.question(matchers, from_ms, to_ms, limits).label_names()
    }

    /// The values of a label on the series that all matchers want.
    ///
    /// # Errors
    /// As [`Store::series_list`].
    pub fn label_values(
        &self,
        label: &str,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        limits: &Limits<'_>,
    ) -> Result<Answer<BTreeSet<String>>, SourceError> {
        self.question(matchers, from_ms, to_ms, limits).label_values(label)
    }

    /// Seals all heads now instead of when they are due. Nothing needs this to be safe.
    ///
    /// # Errors
    /// The disk is full or fails; sealing is tried again later.
    pub fn seal(&self) -> Result<(), SealError> {
        for live in self.shared.open_lives() {
            maintenance::seal(&self.shared, &live)?;
        }
        Ok(())
    }

    /// Does now what the maintenance thread does when it is due: seals, and closes partitions
    /// that are over.
    ///
    /// # Errors
    /// As [`Store::seal`].
    pub fn maintain(&self) -> Result<(), SealError> {
        maintenance::tend(&self.shared)
    }

    /// Where it is on disk.
    pub fn folder(&self) -> &Path {
        &self.shared.folder.dir
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Partitions that are written to.
    pub(crate) fn open_partitions(&self) -> usize {
        self.shared.open_lives().len()
    }

    /// Ends all live files.
    pub(crate) fn close_partitions(&self) -> Result<(), SealError> {
        maintenance::close_all(&self.shared)
    }

    /// What each series takes that the partitions overlapping a range have.
    pub fn space(&self, from_ms: i64, to_ms: i64) -> HashMap<Labels, Space> {
        space::space(&self.shared, (from_ms, to_ms))
    }

    /// What somebody has to look into: files that cannot be read, imports that cannot be taken up,
    /// what kept it from sealing. Each is in the log, too.
    pub fn problems(&self) -> Vec<String> {
        self.shared.problems.list()
    }

    /// How the store is doing.
    pub fn stats(&self) -> Stats {
        let mut stats = self.shared.counters.stats();
        self.shared.add_sizes(&mut stats);
        stats
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.queue.close();
        self.shared.wake_maintenance();
        for thread in self.threads.drain(..) {
            // A panic of a thread was counted by who waited for it; there is nobody to tell here.
            drop(thread.join());
        }
    }
}
