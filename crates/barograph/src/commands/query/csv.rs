//! An answer as CSV (RFC 4180).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use barograph_promql::push_sample_value;

use super::answer::{Result as Found, Sample, Series, series_name};
use crate::csv::cell;
use crate::output::timestamp;

pub(super) fn csv(found: &Found) -> String {
    match found {
        Found::Scalar(value) => format!("value\r\n{}", number(*value)),
        Found::Text(text) => format!("value\r\n{}", cell(text)),
        Found::Vector(samples) => vector(samples),
        Found::Matrix(series) => matrix(series),
    }
}

/// A row for each series: its labels, the time, the value.
fn vector(samples: &[Sample]) -> String {
    let names: BTreeSet<&String> = samples.iter().flat_map(|one| one.metric.keys()).collect();
    let mut text = String::new();
    for name in &names {
        // Writing to a string cannot fail.
        write!(text, "{},", cell(name)).unwrap_or_default();
    }
    text.push_str("timestamp,value");
    for sample in samples {
        text.push_str("\r\n");
        for name in &names {
            let value = sample.metric.get(*name).map(String::as_str).unwrap_or_default();
            write!(text, "{},", cell(value)).unwrap_or_default();
        }
        let point = sample.value;
        write!(text, "{},{}", timestamp(point.time_ms), number(point.value)).unwrap_or_default();
    }
    text
}

/// A row for each time, a column for each series.
fn matrix(series: &[Series]) -> String {
    let mut rows: BTreeMap<i64, Vec<Option<f64>>> = BTreeMap::new();
    for (column, one) in series.iter().enumerate() {
        for point in &one.values {
            let row = rows.entry(point.time_ms).or_insert_with(|| vec![None; series.len()]);
            if let Some(place) = row.get_mut(column) {
                *place = Some(point.value);
            }
        }
    }
    let mut text = "timestamp".to_owned();
    for one in series {
        write!(text, ",{}", cell(&series_name(&one.metric))).unwrap_or_default();
    }
    for (time_ms, row) in rows {
        write!(text, "\r\n{}", timestamp(time_ms)).unwrap_or_default();
        for value in row {
            write!(text, ",{}", value.map(number).unwrap_or_default()).unwrap_or_default();
        }
    }
    text
}

fn number(value: f64) -> String {
    let mut text = String::new();
    push_sample_value(&mut text, value);
    text
}

#[cfg(test)]
mod tests {
    use super::super::answer::Point;
    use super::*;

    #[test]
    fn a_range_has_a_column_for_each_series() {
        let series = |name: &str, values: &[(i64, f64)]| Series {
            metric: [("x".to_owned(), name.to_owned())].into(),
            values: values
                .iter()
                .map(|(time_ms, value)| Point { time_ms: *time_ms, value: *value })
                .collect(),
        };
        let found = Found::Matrix(vec![
            series("a", &[(0, 1.0), (1000, 2.0)]),
            series("b", &[(1000, f64::NAN)]),
        ]);
        assert_eq!(
            csv(&found),
            "timestamp,\"{x=\"\"a\"\"}\",\"{x=\"\"b\"\"}\"\r\n\
             1970-01-01T00:00:00.000Z,1,\r\n1970-01-01T00:00:01.000Z,2,NaN"
        );
    }
}
