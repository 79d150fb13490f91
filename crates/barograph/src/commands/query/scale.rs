//! Axes: round numbers and short names for them.

/// Values from below to above, in equal steps that people can read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
}

impl Scale {
    /// Holds all values; 0 is on it where that costs little.
    pub(super) fn holding(values: impl Iterator<Item = f64>, steps: usize) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (mut low, mut high) = finite
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if low > 0.0 && low < 0.5 * high {
            low = 0.0;
        }
        if high - low <= f64::EPSILON * high.abs().max(f64::MIN_POSITIVE) {
            // A flat line stands in the middle.
            let room = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            (low, high) = (low - room, high + room);
        }
        let step = round_step((high / 2.0 - low / 2.0) * 2.0 / steps.max(1) as f64);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step }
    }

    /// Where a value is, from 0 at the bottom to 1 at the top.
    pub(super) fn place(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// A value on the scale, no more exact than its steps.
    pub(super) fn label(&self, value: f64) -> String {
        let value = if value.abs() < self.step * 1e-6 { 0.0 } else { value };
        short_to(value, self.step)
    }
}

/// 1, 2 or 5 times a power of ten, not below.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let power = if power > 0.0 && power.is_finite() { power } else { 1.0 };
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= step * (1.0 - 1e-9));
    times.unwrap_or(10.0) * power
}

const UNITS: [(f64, &str); 5] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

/// Four digits and a power of thousand: `1.234M`.
pub(super) fn short(value: f64) -> String {
    short_to(value, value.abs() * 1e-3)
}

/// As many digits as tell `step` apart.
fn short_to(value: f64, step: f64) -> String {
    if !value.is_finite() || (value != 0.0 && (value.abs() >= 1e18 || value.abs() < 1e-6)) {
        let mut text = String::new();
        barograph_promql::push_sample_value(&mut text, value);
        return text;
    }
    let (unit, name) = UNITS
        .into_iter()
        .find(|(unit, _)| value.abs() >= *unit * 10.0 || (value.abs() >= *unit && *unit > 1e3))
        .unwrap_or((1.0, ""));
    let (value, step) = (value / unit, step / unit);
    let digits = (1..=9).find(|digits| step * 10f64.powi(*digits) >= 0.999).unwrap_or(9);
    let digits =
        if step >= 0.999 || step == 0.0 { 0 } else { usize::try_from(digits).unwrap_or(0) };
    let text = format!("{value:.digits$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round_and_hold_the_values() {
        let scale = Scale::holding([3.0, 97.0].into_iter(), 5);
        assert_eq!(scale, Scale { low: 0.0, high: 100.0, step: 20.0 });
        let flat = Scale::holding([5.0, 5.0].into_iter(), 4);
        assert!(flat.low < 5.0 && flat.high > 5.0);
        let nothing = Scale::holding([f64::NAN].into_iter(), 4);
        assert!((nothing.low, nothing.high) == (0.0, 1.0));
        let huge = Scale::holding([-f64::MAX, f64::MAX].into_iter(), 4);
        assert!(huge.step > 0.0);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (1234.0, "1234"),
            (12_345.0, "12.35k"),
            (1_234_567.0, "1.235M"),
            (0.12345, "0.1235"),
            (-5.5, "-5.5"),
            (1e-9, "1e-09"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
