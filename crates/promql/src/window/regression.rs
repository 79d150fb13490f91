//! Functions that fit lines to samples, and the area below them.

use crate::grid::{ABSENT, seconds};
use crate::kahan::Kahan;

/// `deriv`: per second.
pub(super) fn slope(times: &[i64], values: &[f64]) -> f64 {
    match times {
        [origin, _, ..] => fit(times, values, *origin).0,
        _ => ABSENT,
    }
}

/// `predict_linear`: the value `ahead` seconds after `now_ms`.
pub(super) fn predict(times: &[i64], values: &[f64], now_ms: i64, ahead: f64) -> f64 {
    if times.len() < 2 {
        return ABSENT;
    }
    let (slope, intercept) = fit(times, values, now_ms);
    slope * ahead + intercept
}

/// The slope per second and the value at `origin_ms` of the line with the least squares.
fn fit(times: &[i64], values: &[f64], origin_ms: i64) -> (f64, f64) {
    let first = values.first().copied().unwrap_or(f64::NAN);
    let (mut x_sum, mut y_sum) = (Kahan::default(), Kahan::default());
    let (mut xy_sum, mut xx_sum) = (Kahan::default(), Kahan::default());
    let mut constant = true;
    for (index, (time, y)) in times.iter().zip(values).enumerate() {
        #[expect(clippy::float_cmp, reason = "a line through equal values is that value")]
        let same = index == 0 || *y == first;
        constant &= same;
        let x = seconds(time - origin_ms);
        x_sum.add(x);
        y_sum.add(*y);
        xy_sum.add(x * y);
        xx_sum.add(x * x);
    }
    if constant {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let count = values.len() as f64;
    let (x, y, xy, xx) = (x_sum.total(), y_sum.total(), xy_sum.total(), xx_sum.total());
    let slope = (xy - x * y / count) / (xx - x * x / count);
    (slope, y / count - slope * x / count)
}

/// `integral`: the area between the first sample and the last, in units times seconds. The height
/// of each interval is its left sample (0), its right one (1), or the mean of both.
pub(super) fn integral(times: &[i64], values: &[f64], rule: Option<f64>) -> f64 {
    if times.len() < 2 {
        return ABSENT;
    }
    let mut area = Kahan::default();
    for (time, value) in times.windows(2).zip(values.windows(2)) {
        let ([start, end], [left, right]) = (time, value) else { continue };
        let height = match rule {
            Some(0.0) => *left,
            Some(1.0) => *right,
            _ => left / 2.0 + right / 2.0,
        };
        area.add(height * seconds(end - start));
    }
    area.total()
}

/// `double_exponential_smoothing`: Holt's method with a smoothing and a trend factor.
pub(super) fn smooth(values: &[f64], smoothing: f64, trend_factor: f64) -> f64 {
    let [first, second, ..] = *values else { return ABSENT };
    let (mut before, mut level, mut trend) = (0.0, first, second - first);
    for (index, value) in values.iter().enumerate().skip(1) {
        if index > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let next = smoothing * value + (1.0 - smoothing) * (level + trend);
        before = level;
        level = next;
    }
    level
}
