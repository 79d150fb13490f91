//! A data folder read from beside: without its lock, while a server may work in it.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use barograph_model::{
    Clock, Labels, Matcher, Samples, SelectedSeries as _, SeriesReader as _, SourceError,
};

use crate::error::OpenError;
use crate::folder::Folder;
use crate::plan::Wish;
use crate::select::{Answer, Piece, Question};
use crate::selected::Selected;
use crate::settings::{Limits, Settings};
use crate::shared::Shared;
use crate::span::Span;

/// The folder as it was when it was opened, to read only. Each live file is seen as it was at one
/// moment.
#[derive(Debug)]
pub struct StoreView {
    shared: Shared,
}

impl StoreView {
    /// Nothing in the folder is changed.
    ///
    /// # Errors
    /// There is no such folder, it is not a store's, or a newer version wrote it.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let folder = Folder::look(dir)?;
        let (files, _) = folder.files()?;
        let shared = Shared::new(Settings::new(dir), clock, folder);
        shared.look_at(&files);
        for tier in &shared.tiers {
            tier.take_up(false)?;
        }
        shared.settle();
        Ok(Self { shared })
    }

    /// The partitions that take no more samples.
    pub(crate) fn settled(&self) -> BTreeSet<Span> {
        let partitions = self.shared.overlapping(i64::MIN, i64::MAX).into_iter();
        partitions.filter(|one| one.is_settled()).map(|one| one.span).collect()
    }

    /// As [`crate::Store::series_list`].
    ///
    /// # Errors
    /// A limit is passed.
    pub fn series_list(
        &self,
        matchers: &[Matcher],
        range_ms: (i64, i64),
        limits: &Limits<'_>,
    ) -> Result<Answer<Vec<Labels>>, SourceError> {
        self.question(matchers, range_ms, limits).series()
    }

    /// Hands the samples of a range on, partition by partition. The returned list holds the
    /// warnings.
    ///
    /// # Errors
    /// A limit is passed, or the question was cancelled; `act` has seen a part of the answer then.
    pub fn select_each(
        &self,
        matchers: &[Matcher],
        range_ms: (i64, i64),
        limits: &Limits<'_>,
        act: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<Answer<()>, SourceError> {
        let mut answer = Answer { data: (), warnings: Vec::new() };
        let mut numbers: HashMap<Labels, usize> = HashMap::new();
        let (mut columns, mut left) = (Samples::default(), limits.max_samples);
        for Span { start_ms, end_ms } in self.question(matchers, range_ms, limits).spans() {
            let range_ms = (range_ms.0.max(start_ms), range_ms.1.min(end_ms - 1));
            let selected = Selected::new(&self.shared, matchers, range_ms, Wish::Samples, limits)?;
            let mut reader = selected.reader();
            for (index, labels) in selected.labels().iter().enumerate() {
                reader.samples(index, &mut columns)?;
                if columns.times.is_empty() {
                    continue;
                }
                let too_many = SourceError::TooManySamples { max: limits.max_samples };
                left = left.checked_sub(columns.times.len()).ok_or(too_many)?;
                let next = numbers.len();
                let series = *numbers.entry(labels.clone()).or_insert(next);
                if numbers.len() > limits.max_series {
                    return Err(SourceError::TooManySeries { max: limits.max_series });
                }
                let Samples { times, values } = &columns;
                if act(Piece { series, labels, times, values }).is_break() {
                    return Ok(answer);
                }
            }
            answer.warnings.extend(selected.found_missing());
        }
        Ok(answer)
    }

    fn question<'a>(
        &'a self,
        matchers: &'a [Matcher],
        range_ms: (i64, i64),
        limits: &'a Limits<'a>,
    ) -> Question<'a> {
        Question { shared: &self.shared, matchers, range_ms, limits }
    }
}
