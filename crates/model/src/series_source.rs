//! Where the query engine meets whoever holds samples.
//!
//! A source first says which series match ([`SeriesSource::select`]), then hands out readers, one
//! for each thread that evaluates, so that decoding and evaluating run side by side and no answer
//! has to hold all samples at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::{Labels, Matcher};

/// What is asked of a source.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// All of them must match.
    pub matchers: &'a [Matcher],
    /// The oldest sample wanted, milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// The newest sample wanted, itself included.
    pub to_ms: i64,
    /// How the samples will be used, when that is in windows that a source may have summed up
    /// already. Then readers are asked for buckets ([`SeriesReader::buckets`]), else for samples.
    pub windows: Option<Windows>,
    pub max_series: usize,
    /// Bounds what all readers of the answer read together.
    pub max_samples: usize,
    /// Set from another thread, it ends the reading with [`SourceError::Cancelled`].
    pub cancel: Option<&'a AtomicBool>,
}

/// Windows `(end - range_ms, end]` for each `end` from `first_ms` to `last_ms` in steps of
/// `step_ms`. With one step only, `step_ms` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    pub first_ms: i64,
    pub last_ms: i64,
    pub step_ms: i64,
    pub range_ms: i64,
}

/// Holds series.
pub trait SeriesSource: Sync {
    /// Finds the series that all matchers want and that may have samples in the range.
    ///
    /// # Errors
    /// A limit is passed, the question was cancelled, or the source cannot answer.
    fn select<'a>(
        &'a self,
        selection: &Selection<'a>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, SourceError>;

    /// The names of the labels that the wanted series have, in order.
    ///
    /// # Errors
    /// As [`SeriesSource::select`].
    fn label_names(&self, selection: &Selection<'_>) -> Result<Vec<String>, SourceError>;

    /// The values that the wanted series have for one label, in order.
    ///
    /// # Errors
    /// As [`SeriesSource::select`].
    fn label_values(
        &self,
        label: &str,
        selection: &Selection<'_>,
    ) -> Result<Vec<String>, SourceError>;
}

/// The series that a selection found.
pub trait SelectedSeries: Sync {
    /// Ascending, each once.
    fn labels(&self) -> &[Labels];

    /// A reader for one thread. Readers are fastest when each reads neighbouring series in order.
    fn reader(&self) -> Box<dyn SeriesReader + '_>;

    /// What is missing in the answer or limits its exactness, for people; complete once everything
    /// has been read.
    fn warnings(&self) -> Vec<String>;
}

/// Reads series one by one.
pub trait SeriesReader {
    /// The samples of `labels()[series]` in the selection's range, times ascending, each once.
    /// Stale markers ([`STALE`]) are among the values.
    ///
    /// # Errors
    /// The limit of samples is passed, or the question was cancelled.
    fn columns(&mut self, series: usize) -> Result<Columns<'_>, SourceError>;

    /// Replaces `out` by [`SeriesReader::columns`].
    ///
    /// # Errors
    /// As there.
    fn samples(&mut self, series: usize, out: &mut Samples) -> Result<(), SourceError> {
        let Columns { times, values, .. } = self.columns(series)?;
        out.times.clear();
        out.times.extend_from_slice(times);
        out.values.clear();
        out.values.extend_from_slice(values);
        Ok(())
    }

    /// Replaces `out` by buckets such that every bucket lies within or outside of each of the
    /// selection's windows as a whole. `false`: this source (or this selection) has none; ask for
    /// samples.
    ///
    /// # Errors
    /// As [`SeriesReader::columns`].
    fn buckets(&mut self, series: usize, out: &mut Buckets) -> Result<bool, SourceError>;
}

/// Samples of one series as columns of equal length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// Milliseconds since 1970-01-01 UTC.
    pub times: Vec<i64>,
    pub values: Vec<f64>,
}

/// Samples of one series where they lie, as columns of equal length.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Milliseconds since 1970-01-01 UTC.
    pub times: &'a [i64],
    pub values: &'a [f64],
    /// What `times` is a part of, and from where on, when series that were sampled together share
    /// it: who keeps it can tell without comparing that the next series has the same times.
    pub shared: Option<(&'a Arc<[i64]>, usize)>,
    /// Stale markers may be among the values.
    pub may_end: bool,
    /// A value may be smaller than the one before it.
    pub may_fall: bool,
}

impl<'a> From<&'a Samples> for Columns<'a> {
    /// Nothing more is known of them.
    fn from(Samples { times, values }: &'a Samples) -> Self {
        Self { times, values, shared: None, may_end: true, may_fall: true }
    }
}

/// What several samples in a row come to, as columns of equal length, one entry for each bucket
/// that has samples. A single sample is a bucket, too. Stale markers are in no bucket.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Buckets {
    /// Times of the first and of the last sample in each bucket, milliseconds since 1970 UTC.
    pub first_times: Vec<i64>,
    pub last_times: Vec<i64>,
    pub first: Vec<f64>,
    pub last: Vec<f64>,
    pub min: Vec<f64>,
    pub max: Vec<f64>,
    pub sum: Vec<f64>,
    pub count: Vec<u64>,
    /// What counter resets within the bucket took away: the sum of all values that were followed
    /// by a smaller one. `last - first + lost` is the bucket's increase.
    pub lost: Vec<f64>,
}

/// Why a source has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceError {
    TooManySeries {
        max: usize,
    },
    TooManySamples {
        max: usize,
    },
    Cancelled,
    /// For people.
    Failed(String),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManySeries { max } => write!(
                f,
                "the question matches more than {max} series; narrow it, or raise `query.max_series`"
            ),
            Self::TooManySamples { max } => write!(
                f,
                "the question reads more than {max} samples; narrow it, or raise `query.max_samples`"
            ),
            Self::Cancelled => f.write_str("the question was cancelled"),
            Self::Failed(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for SourceError {}

/// The value that says "this series ends here": Prometheus' stale marker, one of many
/// not-a-numbers.
pub const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether a value is the stale marker, and not another not-a-number.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stale_marker_is_stale() {
        assert!(is_stale(STALE) && STALE.is_nan());
        assert!(!is_stale(f64::NAN) && !is_stale(0.0));
    }
}
