//! `prometheus.WriteRequest`.

use std::borrow::Cow;

use super::{
    LabelBytes, MAX_PAIRS, MAX_SAMPLES_PER_SERIES, Receiver, RequestError, Series, SeriesNameError,
    metric_type, sample, text,
};
use crate::protobuf::{Fields, Malformed, put_bytes, take, take_varint};

/// The tag of a label in a series: field 1, a message.
const LABEL_TAG: u8 = 0x0a;

/// Reads an unpacked request.
///
/// # Errors
/// The message is malformed, or the receiver wants no more.
pub fn read<R: Receiver>(message: &[u8], receiver: &mut R) -> Result<(), R::Error> {
    let mut samples = Vec::new();
    let mut number = 0;
    for field in Fields::of(message) {
        match field.map_err(RequestError::Message)? {
            (1, value) => {
                number += 1;
                let broken = |problem| RequestError::Series { series: number, problem };
                let bytes = value.bytes().map_err(broken)?;
                samples.clear();
                read_series(bytes, number, &mut samples, receiver)?;
            }
            (3, value) => {
                let bytes = value.bytes().map_err(RequestError::Message)?;
                read_metadata(bytes, receiver).map_err(RequestError::Message)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_series<R: Receiver>(
    bytes: &[u8],
    number: usize,
    samples: &mut Vec<(i64, f64)>,
    receiver: &mut R,
) -> Result<(), R::Error> {
    let broken = |problem| RequestError::Series { series: number, problem };
    // Keys of other forms begin otherwise.
    let has_labels = bytes.first() == Some(&LABEL_TAG);
    let expected = if has_labels { receiver.expected(bytes) } else { 0 };
    // Expected or not, there may be more labels.
    let unknown = bytes.get(expected..).unwrap_or(bytes);
    let rest = skip_labels(unknown).map_err(broken)?;
    let (front, _) = bytes.split_at(bytes.len() - rest.len());
    let mut labels = Cow::Borrowed(front);
    let (mut histograms, mut exemplars) = (0, 0);
    for field in Fields::of(rest) {
        match field.map_err(broken)? {
            // Allowed, though nobody does it: labels behind samples.
            (1, value) => put_bytes(labels.to_mut(), LABEL_TAG, value.bytes().map_err(broken)?),
            (2, value) => {
                if samples.len() >= MAX_SAMPLES_PER_SERIES {
                    return Err(RequestError::TooManySamples { series: number }.into());
                }
                let message = value.bytes().map_err(broken)?;
                samples.push(sample(message).map_err(broken)?);
            }
            (3, _) => exemplars += 1,
            (4, _) => histograms += 1,
            _ => {}
        }
    }
    let key = &*labels;
    let is_expected = expected > 0 && key.len() == expected;
    let labels = LabelBytes::V1(key);
    receiver.series(&Series { key, is_expected, samples, histograms, exemplars, labels })
}

/// What follows the labels at the front of a series.
#[inline]
fn skip_labels(mut rest: &[u8]) -> Result<&[u8], Malformed> {
    while let [LABEL_TAG, after @ ..] = rest {
        let mut after = after;
        let length = take_varint(&mut after)?;
        take(&mut after, length)?;
        rest = after;
    }
    Ok(rest)
}

/// The pairs of names and values in label messages.
pub(super) fn pairs(labels: &[u8]) -> Result<Vec<(&str, &str)>, SeriesNameError> {
    let malformed = SeriesNameError::Malformed;
    let mut pairs = Vec::new();
    for label in Fields::of(labels).take(MAX_PAIRS) {
        let (_, label) = label.map_err(malformed)?;
        let (mut name, mut value) = ("", "");
        for field in Fields::of(label.bytes().map_err(malformed)?) {
            match field.map_err(malformed)? {
                (1, bytes) => name = text(bytes.bytes().map_err(malformed)?)?,
                (2, bytes) => value = text(bytes.bytes().map_err(malformed)?)?,
                _ => {}
            }
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn read_metadata<R: Receiver>(message: &[u8], receiver: &mut R) -> Result<(), Malformed> {
    let (mut kind, mut metric, mut help, mut unit) = (0, "", "", "");
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    for field in Fields::of(message) {
        match field? {
            (1, value) => kind = value.varint()?,
            (2, value) => metric = text(value.bytes()?),
            (4, value) => help = text(value.bytes()?),
            (5, value) => unit = text(value.bytes()?),
            _ => {}
        }
    }
    receiver.metadata(metric, metric_type(kind), help, unit);
    Ok(())
}
