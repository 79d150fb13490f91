//! Prometheus' remote write, received: version 1.0
//! (<https://prometheus.io/docs/specs/prw/remote_write_spec/>) and 2.0
//! (<https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>).
//!
//! A series is told apart by the raw bytes of its labels, which senders write the same way each
//! time, so that its labels need to be understood only once.

mod v1;
mod v2;
mod write;

use barograph_model::{Labels, LabelsError};

use crate::metric_type::MetricType;
use crate::protobuf::{Fields, Malformed, last_varint};

pub use v1::read as read_v1;
pub use v2::read as read_v2;
pub use write::{label_bytes, put_sample, split};

/// Samples in one request; more would be a sender out of its senses.
const MAX_SAMPLES_PER_SERIES: usize = 500_000;
/// Label pairs that are looked at, so that one series cannot fill the memory. Twice what a series
/// may have, since pairs with empty values do not count.
const MAX_PAIRS: usize = 2 * Labels::MAX_COUNT;

/// What a request holds.
pub trait Receiver {
    type Error: From<RequestError>;

    /// If these bytes begin with the key of the series that is expected next, its length: its
    /// labels need not be looked at then. 0 where none is expected, or another.
    fn expected(&mut self, _bytes: &[u8]) -> usize {
        0
    }

    /// # Errors
    /// The receiver's own reason to read no further.
    fn series(&mut self, series: &Series<'_>) -> Result<(), Self::Error>;

    /// What the sender says of a metric.
    fn metadata(&mut self, metric: &str, kind: MetricType, help: &str, unit: &str);
}

/// One series with its samples.
#[derive(Debug)]
pub struct Series<'a> {
    /// Bytes that tell it apart from the other series of its sender.
    pub key: &'a [u8],
    /// Whether that is the one of [`Receiver::expected`].
    pub is_expected: bool,
    /// Times in milliseconds since 1970-01-01 UTC, with values.
    pub samples: &'a [(i64, f64)],
    /// Native histograms, which are counted only.
    pub histograms: u64,
    /// Exemplars, which are counted only.
    pub exemplars: u64,
    labels: LabelBytes<'a>,
}

#[derive(Debug)]
enum LabelBytes<'a> {
    /// Label messages, one after the other, each with its tag and length.
    V1(&'a [u8]),
    V2 {
        refs: &'a [u32],
        symbols: &'a [&'a [u8]],
    },
}

/// Why a request cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("the protobuf message is malformed in series number {series}: {problem}")]
    Series { series: usize, problem: Malformed },
    #[error("the protobuf message is malformed: {0}")]
    Message(Malformed),
    #[error("series number {series} has more than {MAX_SAMPLES_PER_SERIES} samples")]
    TooManySamples { series: usize },
    #[error("more than {max} symbols")]
    TooManySymbols { max: usize },
}

/// Why a series has no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesNameError {
    #[error("a label is malformed: {0}")]
    Malformed(Malformed),
    #[error("a label is not UTF-8: `{lossy}`")]
    NotUtf8 { lossy: String },
    #[error("a label refers to symbol {symbol}, there are {symbols}")]
    NoSymbol { symbol: u32, symbols: usize },
    #[error("an odd number of symbols makes no pairs of names and values")]
    Odd,
    #[error(transparent)]
    Labels(#[from] LabelsError),
}

impl Series<'_> {
    /// What the series is called.
    ///
    /// # Errors
    /// It has no name that can be stored.
    pub fn labels(&self) -> Result<Labels, SeriesNameError> {
        let pairs = match self.labels {
            LabelBytes::V1(bytes) => v1::pairs(bytes)?,
            LabelBytes::V2 { refs, symbols } => v2::pairs(refs, symbols)?,
        };
        Ok(Labels::new(pairs)?)
    }
}

fn text(bytes: &[u8]) -> Result<&str, SeriesNameError> {
    std::str::from_utf8(bytes).map_err(|_| SeriesNameError::NotUtf8 {
        lossy: String::from_utf8_lossy(bytes).chars().take(60).collect(),
    })
}

/// What both versions write the same way.
fn sample(message: &[u8]) -> Result<(i64, f64), Malformed> {
    // Nearly all are written so: the value with its tag, then the time with its tag.
    if let [0x09, rest @ ..] = message
        && let Some((value, [0x10, time @ ..])) = rest.split_first_chunk::<8>()
        && let Some(time_ms) = last_varint(message, time.len())
    {
        return Ok((time_ms.cast_signed(), f64::from_le_bytes(*value)));
    }
    let (mut time_ms, mut value) = (0, 0.0);
    for field in Fields::of(message) {
        match field? {
            (1, number) => value = number.double()?,
            (2, number) => time_ms = number.int()?,
            _ => {}
        }
    }
    Ok((time_ms, value))
}

fn metric_type(number: u64) -> MetricType {
    match number {
        1 => MetricType::Counter,
        2 => MetricType::Gauge,
        3 => MetricType::Histogram,
        4 => MetricType::GaugeHistogram,
        5 => MetricType::Summary,
        6 => MetricType::Info,
        7 => MetricType::StateSet,
        _ => MetricType::Unknown,
    }
}

#[cfg(test)]
mod tests;
