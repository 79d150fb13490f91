//! An answer to a question for samples: its series, and readers for them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use barograph_model::{
    Buckets, Columns, Labels, Matcher, SelectedSeries, Selection, SeriesReader, SeriesSource,
    SourceError, is_stale,
};
use tracing_mutex::stdsync::Mutex;

use crate::blocks::Damage;
use crate::buckets;
use crate::gathered::Gathered;
use crate::plan::{Place, Plan, Stretch, Use, Wish, is_within};
use crate::select::{Question, Warning};
use crate::settings::Limits;
use crate::shared::Shared;
use crate::source::{Readers, Source};
use crate::stats::count;
use crate::store::Store;
use crate::sync::lock;
use crate::tiers::Tier;

/// The series that a question found in the partitions of its range.
#[derive(Debug)]
pub(crate) struct Selected<'a> {
    shared: &'a Shared,
    range_ms: (i64, i64),
    cancel: Option<&'a AtomicBool>,
    max_samples: usize,
    samples: AtomicUsize,
    /// The files of one partition in the order in which they were written.
    sources: Vec<Source>,
    uses: Vec<Use>,
    has_buckets: bool,
    files: Vec<Place>,
    labels: Vec<Labels>,
    /// Where the series are: index of the source, id in it.
    places: Vec<(u32, u32)>,
    /// For each series the end of its places.
    ends: Vec<usize>,
    warnings: Vec<Warning>,
    /// What is to be said when something was read, per source.
    notes: Vec<Option<String>>,
    was_read: Vec<AtomicBool>,
    /// What readers found to be damaged, per source.
    damage: Mutex<Vec<(u64, BTreeSet<u32>)>>,
}

impl<'a> Selected<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        matchers: &[Matcher],
        range_ms: (i64, i64),
        wish: Wish,
        limits: &Limits<'a>,
    ) -> Result<Self, SourceError> {
        let question = Question { shared, matchers, range_ms, limits };
        let plan = question.plan(wish);
        let has_buckets = plan.has_buckets();
        let Plan { sources, uses, places: files, notes, warnings } = plan;
        let mut found: Vec<(Labels, (u32, u32))> = Vec::new();
        for (index, source) in (0..).zip(&sources) {
            question.check_cancelled()?;
            let Some(series) = source.select_few(matchers, limits.max_series) else {
                return Err(SourceError::TooManySeries { max: limits.max_series });
            };
            found.extend(series.into_iter().map(|(id, labels)| (labels, (index, id))));
        }
        // Each source's series are in order, and the sort merges what is in order; it is stable,
        // so a series' places stay in the order of the sources.
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let (mut labels, mut places, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for (series, place) in found {
            places.push(place);
            if labels.last() == Some(&series) {
                ends.pop();
            } else {
                labels.push(series);
            }
            ends.push(places.len());
        }
        if labels.len() > limits.max_series {
            return Err(SourceError::TooManySeries { max: limits.max_series });
        }
        let damage = Mutex::new(vec![(0, BTreeSet::new()); sources.len()]);
        let was_read = sources.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self {
            shared,
            range_ms,
            cancel: limits.cancel,
            max_samples: limits.max_samples,
            samples: AtomicUsize::new(0),
            sources,
            uses,
            has_buckets,
            files,
            labels,
            places,
            ends,
            warnings,
            notes,
            was_read,
            damage,
        })
    }

    fn places(&self, series: usize) -> &[(u32, u32)] {
        let start = series.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.places[start..self.ends[series]]
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        let readers = Readers::keeping(&self.sources, &self.shared.room);
        let (gathered, buckets) = (Gathered::default(), Buckets::default());
        Reader { selected: self, readers, gathered, buckets }
    }

    /// The labels of a series that is about to be read.
    fn begin(&self, series: usize) -> Result<Option<&Labels>, SourceError> {
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(SourceError::Cancelled);
        }
        Ok(self.labels.get(series))
    }

    /// Counts what was read against the limit.
    fn spend(&self, samples: usize) -> Result<(), SourceError> {
        let before = self.samples.fetch_add(samples, Ordering::Relaxed);
        if before.saturating_add(samples) > self.max_samples {
            return Err(SourceError::TooManySamples { max: self.max_samples });
        }
        Ok(())
    }

    fn note(&self, source: usize, found: Damage) {
        if found == Damage::default() {
            return;
        }
        let mut damage = lock(&self.damage);
        let (chunks, blocks) = &mut damage[source];
        *chunks += found.chunks;
        count(&self.shared.counters.damaged_chunks, found.chunks);
        // Several readers can meet the same block.
        for block in found.blocks {
            count(&self.shared.counters.damaged_blocks, u64::from(blocks.insert(block)));
        }
    }

    /// What is missing so far.
    pub(crate) fn found_missing(&self) -> Vec<Warning> {
        let mut warnings = self.warnings.clone();
        for ((chunks, blocks), file) in lock(&self.damage).iter().zip(&self.files) {
            if *chunks > 0 || !blocks.is_empty() {
                let blocks = blocks.len();
                let message = format!("damaged and left out: {chunks} chunks, {blocks} blocks");
                warnings.push(Warning { partition: file.to_string(), message });
            }
        }
        let said = self.notes.iter().zip(&self.files).zip(&self.was_read);
        for ((note, file), was_read) in said {
            if let Some(message) = note.clone().filter(|_| was_read.load(Ordering::Relaxed)) {
                warnings.push(Warning { partition: file.to_string(), message });
            }
        }
        warnings
    }
}

/// Reads series of a [`Selected`] for one thread.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    selected: &'a Selected<'a>,
    readers: Readers<'a>,
    gathered: Gathered,
    buckets: Buckets,
}

impl Reader<'_> {
    fn gather(&mut self, series: usize) -> Result<(), SourceError> {
        let selected = self.selected;
        self.gathered.clear();
        let Some(labels) = selected.begin(series)? else { return Ok(()) };
        for (source, id) in selected.places(series) {
            let place = (*source as usize, *id);
            let stretches = match &selected.uses[place.0] {
                Use::Samples => {
                    let out = &mut self.gathered;
                    let damage = self.readers.gather(place, labels, selected.range_ms, out);
                    selected.note(place.0, damage);
                    continue;
                }
                Use::Buckets(stretches)
                | Use::EdgyBuckets(stretches)
                | Use::LastOfBuckets(stretches) => stretches,
            };
            buckets::clear(&mut self.buckets);
            self.read_buckets(place, series, labels, selected.range_ms, stretches);
            let out = self.gathered.samples();
            out.times.extend_from_slice(&self.buckets.last_times);
            out.values.extend_from_slice(&self.buckets.last);
        }
        self.gathered.finish(selected.range_ms);
        selected.spend(self.gathered.len())
    }

    /// Appends a tier's buckets in some stretches of time to `self.buckets`.
    fn read_buckets(
        &mut self,
        place: (usize, u32),
        series: usize,
        labels: &Labels,
        range_ms: (i64, i64),
        stretches: &[Stretch],
    ) {
        let selected = self.selected;
        let from = self.buckets.last_times.len();
        let damage = self.readers.read_buckets(place, labels, range_ms, &mut self.buckets);
        let places = selected.places(series);
        buckets::keep(&mut self.buckets, from, |time| is_within(stretches, places, time));
        let is_second_best = selected.uses[place.0].is_second_best();
        if is_second_best && self.buckets.last_times.len() > from {
            selected.was_read[place.0].store(true, Ordering::Relaxed);
        }
        selected.note(place.0, damage);
    }

    /// Gathers the samples, and fills `self.buckets` with those that end in a range; `false` when
    /// there is no such series.
    fn read_both(&mut self, series: usize, ends_ms: (i64, i64)) -> Result<bool, SourceError> {
        let selected = self.selected;
        buckets::clear(&mut self.buckets);
        self.gathered.clear();
        let Some(labels) = selected.begin(series)? else { return Ok(false) };
        for (source, id) in selected.places(series) {
            let place = (*source as usize, *id);
            match &selected.uses[place.0] {
                Use::Samples => {
                    let out = &mut self.gathered;
                    let damage = self.readers.gather(place, labels, selected.range_ms, out);
                    selected.note(place.0, damage);
                }
                Use::Buckets(stretches) | Use::EdgyBuckets(stretches) => {
                    self.read_buckets(place, series, labels, ends_ms, stretches);
                }
                Use::LastOfBuckets(stretches) => {
                    let from = self.buckets.last_times.len();
                    self.read_buckets(place, series, labels, ends_ms, stretches);
                    let Buckets { last_times, last, .. } = &self.buckets;
                    let samples = self.gathered.samples();
                    samples.times.extend_from_slice(&last_times[from..]);
                    samples.values.extend_from_slice(&last[from..]);
                    buckets::truncate(&mut self.buckets, from);
                }
            }
        }
        self.gathered.finish(selected.range_ms);
        Ok(true)
    }

    /// Where no tier covers, samples are buckets of their own.
    fn read_all_buckets(&mut self, series: usize) -> Result<(), SourceError> {
        if !self.read_both(series, self.selected.range_ms)? {
            return Ok(());
        }
        let Columns { times, values, .. } = self.gathered.columns();
        for (time, value) in times.iter().zip(values) {
            if !is_stale(*value) {
                buckets::push_sample(*time, *value, &mut self.buckets);
            }
        }
        buckets::sort(&mut self.buckets);
        self.selected.spend(self.buckets.last_times.len())
    }

    /// Samples where there are any, and buckets that begin in the range where they have expired;
    /// with `reaches_back` also those that began up to an hour before and end in it.
    pub(crate) fn read_steps(
        &mut self,
        series: usize,
        reaches_back: bool,
    ) -> Result<(Columns<'_>, &Buckets), SourceError> {
        let (from_ms, to_ms) = self.selected.range_ms;
        let longest_ms = Tier::Hours.width_ms();
        if self.read_both(series, (from_ms, to_ms.saturating_add(longest_ms)))? {
            buckets::sort(&mut self.buckets);
            buckets::keep_by_first(&mut self.buckets, |first_ms| {
                first_ms <= to_ms && (reaches_back || first_ms >= from_ms)
            });
        }
        self.selected.spend(self.gathered.len() + self.buckets.count.len())?;
        Ok((self.gathered.columns(), &self.buckets))
    }
}

impl SeriesReader for Reader<'_> {
    fn columns(&mut self, series: usize) -> Result<Columns<'_>, SourceError> {
        self.gather(series)?;
        Ok(self.gathered.columns())
    }

    fn buckets(&mut self, series: usize, out: &mut Buckets) -> Result<bool, SourceError> {
        if !self.selected.has_buckets {
            return Ok(false);
        }
        self.read_all_buckets(series)?;
        std::mem::swap(out, &mut self.buckets);
        Ok(true)
    }
}

impl SelectedSeries for Selected<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn reader(&self) -> Box<dyn SeriesReader + '_> {
        Box::new(Selected::reader(self))
    }

    fn warnings(&self) -> Vec<String> {
        self.found_missing().iter().map(ToString::to_string).collect()
    }
}

fn limits<'a>(selection: &Selection<'a>) -> Limits<'a> {
    let Selection { max_series, max_samples, cancel, .. } = *selection;
    Limits { max_series, max_samples, cancel }
}

impl SeriesSource for Store {
    fn select<'a>(
        &'a self,
        selection: &Selection<'a>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, SourceError> {
        let range_ms = (selection.from_ms, selection.to_ms);
        let limits = limits(selection);
        Ok(Box::new(Selected::new(
            &self.shared,
            selection.matchers,
            range_ms,
            selection.windows.map_or(Wish::Samples, Wish::Windows),
            &limits,
        )?))
    }

    fn label_names(&self, selection: &Selection<'_>) -> Result<Vec<String>, SourceError> {
        let Selection { matchers, from_ms, to_ms, .. } = *selection;
        let names = Store::label_names(self, matchers, from_ms, to_ms, &limits(selection))?;
        Ok(names.data.into_iter().collect())
    }

    fn label_values(
        &self,
        label: &str,
        selection: &Selection<'_>,
    ) -> Result<Vec<String>, SourceError> {
        let Selection { matchers, from_ms, to_ms, .. } = *selection;
        let limits = limits(selection);
        let values = Store::label_values(self, label, matchers, from_ms, to_ms, &limits)?;
        Ok(values.data.into_iter().collect())
    }
}
