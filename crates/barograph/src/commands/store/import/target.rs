//! Where imported samples go: gathered by time, then appended.

use std::collections::{BTreeMap, HashSet};

use anyhow::Context as _;
use barograph_model::{Batch, Labels, LabelsError, Sample};
use barograph_store::{Finished, Import};

use crate::commands::stop_signal::StopSignal;

/// Samples that are gathered before they are appended.
const GATHERED: usize = 500_000;
/// Samples between two looks whether it is time to stop.
const LOOK_UP_AFTER: usize = 4096;

#[derive(Debug)]
pub(super) struct Target {
    import: Import,
    extra: Vec<(String, String)>,
    by_time: BTreeMap<i64, Vec<Sample>>,
    gathered: usize,
    series: HashSet<Labels>,
    range_ms: Option<(i64, i64)>,
    left_out: BTreeMap<&'static str, u64>,
    stop: StopSignal,
}

/// What an import came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) samples: u64,
    pub(super) series: usize,
    pub(super) range_ms: Option<(i64, i64)>,
    pub(super) left_out: BTreeMap<&'static str, u64>,
}

impl Target {
    pub(super) fn new(import: Import, extra: &[(String, String)], stop: StopSignal) -> Self {
        Self {
            import,
            extra: extra.to_vec(),
            by_time: BTreeMap::new(),
            gathered: 0,
            series: HashSet::new(),
            range_ms: None,
            left_out: BTreeMap::new(),
            stop,
        }
    }

    /// The labels under which a series is stored: with those that the user gave.
    pub(super) fn labels(&mut self, labels: Labels) -> Result<Labels, LabelsError> {
        let mut labels = labels;
        for (name, value) in &self.extra {
            if labels.get(name).is_none() {
                labels = labels.with(name, value)?;
            }
        }
        if !self.series.contains(&labels) {
            self.series.insert(labels.clone());
        }
        Ok(labels)
    }

    pub(super) fn push(&mut self, time_ms: i64, labels: &Labels, value: f64) -> anyhow::Result<()> {
        let sample = Sample { labels: labels.clone(), value };
        self.by_time.entry(time_ms).or_default().push(sample);
        self.gathered += 1;
        if self.gathered.is_multiple_of(LOOK_UP_AFTER) {
            self.go_on()?;
        }
        if self.gathered >= GATHERED { self.flush() } else { Ok(()) }
    }

    /// # Errors
    /// It is time to stop: what was read comes to nothing, and nothing of it stays.
    pub(super) fn go_on(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.stop.is_given(), "it was told to stop");
        Ok(())
    }

    pub(super) fn leave_out(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            *self.left_out.entry(reason).or_default() += count;
        }
    }

    pub(super) fn samples(&self) -> u64 {
        self.import.samples() + self.gathered as u64
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let by_time = std::mem::take(&mut self.by_time);
        self.gathered = 0;
        let in_years = |time_ms: &i64| (0..=253_402_300_799_999).contains(time_ms);
        let times: Vec<i64> = by_time.keys().copied().filter(in_years).collect();
        if let (Some(first), Some(last)) = (times.first(), times.last()) {
            let (oldest, newest) = self.range_ms.unwrap_or((*first, *last));
            self.range_ms = Some((oldest.min(*first), newest.max(*last)));
        }
        let batches: Vec<Batch> =
            by_time.into_iter().map(|(time_ms, samples)| Batch { time_ms, samples }).collect();
        let appended = self.import.append(&batches)?;
        let outside = appended.late + appended.future;
        self.leave_out("samples at times before 1970 or after 9999", outside);
        let expired = "samples of days whose samples have expired in the data folder";
        self.leave_out(expired, appended.too_old);
        Ok(())
    }

    pub(super) fn finish(mut self) -> anyhow::Result<(Outcome, Finished)> {
        self.flush()?;
        self.go_on().context("nothing was imported")?;
        let finished = self.import.finish()?;
        let outcome = Outcome {
            samples: finished.samples,
            series: self.series.len(),
            range_ms: self.range_ms,
            left_out: self.left_out,
        };
        Ok((outcome, finished))
    }
}
