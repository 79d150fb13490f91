//! The words every part of Barograph shares: what a sample, a series and a metric are, how a
//! counter is named, and what time it is. Nothing here does input or output, except
//! [`SystemClock`], which is the one place that asks the system for the time.

mod batch;
mod chain;
mod clock;
mod counter_path;
mod desc;
mod labels;
mod matcher;
mod series_source;

pub use batch::{Batch, Sample};
pub use chain::chain;
pub use clock::{Clock, SystemClock};
pub use counter_path::{CounterPath, Instance, PathError, PathProblem, Pattern};
pub use desc::{Desc, Kind, Unit};
pub use labels::{Labels, LabelsError, METRIC_NAME};
pub use matcher::{MatchOp, Matcher, MatcherError};
pub use series_source::{
    Buckets, Columns, STALE, Samples, SelectedSeries, Selection, SeriesReader, SeriesSource,
    SourceError, Windows, is_stale,
};
