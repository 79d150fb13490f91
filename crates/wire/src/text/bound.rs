//! Bounds of buckets and quantiles: numbers that stand in labels, written in one way.

use std::borrow::Cow;

use super::{Label, sample};
use crate::MetricType;

/// Writes `le` of histograms and `quantile` of summaries as OpenMetrics does, and as Prometheus
/// stores them since its version 3, so that `1` and `1.0` are one series. What is no number stays.
pub(super) fn normalize(labels: &mut [Label<'_>], metric_type: MetricType) {
    let name = match metric_type {
        MetricType::Histogram => "le",
        MetricType::Summary => "quantile",
        _ => return,
    };
    if let Some(label) = labels.iter_mut().find(|label| label.name == name)
        && let Some(number) = sample::go_number(&label.value)
    {
        let text = number_text(number);
        if text != label.value {
            label.value = Cow::Owned(text);
        }
    }
}

/// A number that is seen to be one with a fraction: Go's shortest form, and `.0` where that has
/// neither a point nor an exponent.
fn number_text(number: f64) -> String {
    /// Go writes an exponent below and above these.
    const PLAIN: std::ops::Range<i32> = -4..6;
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if number == 0.0 {
        return "0.0".to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !PLAIN.contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = number.to_string();
    if plain.contains('.') { plain } else { plain + ".0" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_and_openmetrics_do() {
        for (number, text) in [
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (-1.0, "-1.0"),
            (0.005, "0.005"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (2.5, "2.5"),
            (100_000.0, "100000.0"),
            (1_000_000.0, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (-3e200, "-3e+200"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }
}
