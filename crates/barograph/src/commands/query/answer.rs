//! The answer of Prometheus' interface.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// What was found, and what is said beside it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) found: Result,
    pub(super) warnings: Vec<String>,
    pub(super) infos: Vec<String>,
}

/// By the type of the expression.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Result {
    Scalar(#[serde(deserialize_with = "scalar")] f64),
    #[serde(rename = "string", deserialize_with = "text")]
    Text(String),
    Vector(Vec<Sample>),
    Matrix(Vec<Series>),
}

#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    pub(super) metric: Labels,
    pub(super) value: Point,
}

#[derive(Debug, Deserialize)]
pub(super) struct Series {
    pub(super) metric: Labels,
    pub(super) values: Vec<Point>,
}

pub(super) type Labels = BTreeMap<String, String>;

/// Milliseconds since 1970 and a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) time_ms: i64,
    pub(super) value: f64,
}

impl<'de> Deserialize<'de> for Point {
    #[expect(clippy::cast_possible_truncation, reason = "a time beyond is shown as the last one")]
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let (seconds, text) = <(f64, String)>::deserialize(from)?;
        let value = text.parse().map_err(|_| D::Error::custom("a value that is no number"))?;
        Ok(Self { time_ms: (seconds * 1000.0).round() as i64, value })
    }
}

fn scalar<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<f64, D::Error> {
    Ok(Point::deserialize(from)?.value)
}

fn text<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<String, D::Error> {
    Ok(<(f64, String)>::deserialize(from)?.1)
}

#[derive(Deserialize)]
struct Envelope {
    data: Option<Result>,
    error: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
}

impl Answer {
    /// # Errors
    /// The refusal, or what is wrong with the answer's form.
    pub(super) fn read(body: &[u8]) -> std::result::Result<Self, String> {
        let envelope: Envelope = serde_json::from_slice(body)
            .map_err(|error| format!("the server's answer is in another form: {error}"))?;
        match (envelope.data, envelope.error) {
            (_, Some(error)) => Err(error),
            (None, None) => Err("the server's answer has neither data nor an error".to_owned()),
            (Some(found), None) => {
                Ok(Self { found, warnings: envelope.warnings, infos: envelope.infos })
            }
        }
    }
}

/// A series as PromQL writes it: `name{label="value"}`.
pub(super) fn series_name(labels: &Labels) -> String {
    const NAME: &str = "__name__";
    let name = labels.get(NAME).map(String::as_str).unwrap_or_default();
    let others: Vec<String> = labels
        .iter()
        .filter(|(label, _)| *label != NAME)
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    match (name, others.as_slice()) {
        ("", []) => "{}".to_owned(),
        (name, []) => name.to_owned(),
        (name, others) => format!("{name}{{{}}}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_all_types_are_read() {
        let read = |data: &str| {
            Answer::read(format!("{{\"status\":\"success\",\"data\":{data}}}").as_bytes())
        };
        let scalar = read(r#"{"resultType":"scalar","result":[1.5,"+Inf"]}"#).unwrap();
        assert!(matches!(scalar.found, Result::Scalar(value) if value.is_infinite()));
        let text = read(r#"{"resultType":"string","result":[1.5,"x"]}"#).unwrap();
        assert!(matches!(text.found, Result::Text(text) if text == "x"));
        let matrix = read(
            r#"{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1.5,"NaN"]]}]}"#,
        );
        let Result::Matrix(series) = matrix.unwrap().found else { panic!() };
        assert_eq!(series[0].values[0].time_ms, 1500);
        assert_eq!(series_name(&series[0].metric), "{a=\"b\"}");
    }

    #[test]
    fn a_refusal_is_an_error() {
        let body = br#"{"status":"error","errorType":"bad_data","error":"no"}"#;
        assert_eq!(Answer::read(body).unwrap_err(), "no");
        assert!(Answer::read(b"<html>").unwrap_err().contains("another form"));
    }
}
