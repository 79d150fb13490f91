//! JSON lines: the plainest way to hand over samples.
//!
//! ```json
//! {"name": "queue_length", "labels": {"queue": "mail"}, "value": 17, "timestamp": 1790000000000}
//! ```
//!
//! `labels` and `timestamp` (milliseconds since 1970) may be left out. The form in which
//! VictoriaMetrics exports and imports is understood as well:
//! `{"metric": {"__name__": "m", …}, "values": [1, 2], "timestamps": [1790000000000, …]}`.

use std::fmt;

use barograph_model::{Labels, LabelsError, METRIC_NAME};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// Samples of one line.
const MAX_SAMPLES: usize = 100_000;
/// Room for so many samples; it bounds the memory that reading a line takes.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// One line: samples of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub labels: Labels,
    /// Milliseconds since 1970-01-01 UTC, or nothing for now; and the value.
    pub samples: Vec<(Option<i64>, f64)>,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("the line is not the JSON that is expected: {}", without_line(.0))]
    Json(#[source] serde_json::Error),
    #[error("there is no `name`")]
    NoName,
    #[error("there is neither `value` nor `values`")]
    NoValue,
    #[error("{values} values for {timestamps} timestamps")]
    Counts { values: usize, timestamps: usize },
    #[error("more than {MAX_SAMPLES} samples in a line")]
    TooMany,
    #[error("the line has more than {MAX_LINE_BYTES} bytes")]
    TooLong,
    #[error(transparent)]
    Labels(#[from] LabelsError),
}

/// Each line is read by itself, so its number there is always 1.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    #[serde(default)]
    labels: Pairs,
    #[serde(default)]
    metric: Pairs,
    value: Option<f64>,
    #[serde(default)]
    values: Vec<Option<f64>>,
    timestamp: Option<i64>,
    #[serde(default)]
    timestamps: Vec<i64>,
}

/// Labels as they were written: a map would keep one of two that are called alike, and silently.
#[derive(Debug, Default)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

/// Reads one line; nothing when it is empty.
///
/// # Errors
/// What is wrong with it.
pub fn parse(line: &[u8]) -> Result<Option<Line>, LineError> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    if line.len() > MAX_LINE_BYTES {
        return Err(LineError::TooLong);
    }
    let written: Written = serde_json::from_slice(line).map_err(LineError::Json)?;
    let Written { name, labels, metric, value, values, timestamp, timestamps } = written;
    let mut pairs = metric.0;
    pairs.extend(labels.0);
    pairs.extend(name.map(|name| (METRIC_NAME.to_owned(), name)));
    if !pairs.iter().any(|(name, value)| name == METRIC_NAME && !value.is_empty()) {
        return Err(LineError::NoName);
    }
    let labels = Labels::new(pairs)?;
    let mut samples = Vec::new();
    if let Some(value) = value {
        samples.push((timestamp, value));
    } else if values.is_empty() {
        return Err(LineError::NoValue);
    }
    if values.len() != timestamps.len() {
        return Err(LineError::Counts { values: values.len(), timestamps: timestamps.len() });
    }
    if values.len() > MAX_SAMPLES {
        return Err(LineError::TooMany);
    }
    // JSON has no word for a value that is not a number: it is `null`, and no sample.
    let many = timestamps.into_iter().zip(values);
    samples.extend(many.filter_map(|(time_ms, value)| Some((Some(time_ms), value?))));
    Ok(Some(Line { labels, samples }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> Line {
        parse(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn one_sample_or_many_of_one_series() {
        let one = line(r#"{"name": "q", "labels": {"a": "b"}, "value": 17, "timestamp": 5}"#);
        assert_eq!(one.labels.to_string(), r#"q{a="b"}"#);
        assert_eq!(one.samples, [(Some(5), 17.0)]);
        assert_eq!(line(r#"{"name": "q", "value": 1e3}"#).samples, [(None, 1000.0)]);
        let many = line(
            r#"{"metric": {"__name__": "m", "job": "x"}, "values": [1, null, 3], "timestamps": [1, 2, 3]}"#,
        );
        assert_eq!(many.labels.to_string(), r#"m{job="x"}"#);
        assert_eq!(many.samples, [(Some(1), 1.0), (Some(3), 3.0)]);
        assert_eq!(parse(b" \r").unwrap(), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, message) in [
            (
                "{",
                "the line is not the JSON that is expected: EOF while parsing an object at column 1",
            ),
            (r#"{"value": 1}"#, "there is no `name`"),
            (r#"{"name": "a"}"#, "there is neither `value` nor `values`"),
            (r#"{"name": "a", "values": [1], "timestamps": []}"#, "1 values for 0 timestamps"),
            (
                r#"{"name": "a", "labels": {"": "x"}, "value": 1}"#,
                "a label has an empty name (its value is `x`)",
            ),
            (
                r#"{"name": "m", "labels": {"a": "1", "b": "x", "a": "2"}, "value": 1}"#,
                "label `a` is given twice",
            ),
            (
                r#"{"metric": {"__name__": "m"}, "name": "n", "value": 1}"#,
                "label `__name__` is given twice",
            ),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
        }
        let unknown = parse(br#"{"name": "a", "vlaue": 1}"#).unwrap_err().to_string();
        assert!(unknown.contains("unknown field `vlaue`"), "{unknown}");
        assert!(matches!(parse(&vec![b'1'; MAX_LINE_BYTES + 1]), Err(LineError::TooLong)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_line_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            drop(parse(&bytes));
        }
    }
}
