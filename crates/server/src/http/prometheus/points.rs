//! The points of series over the same steps, of which the times are written once.

use barograph_model::Samples;
use barograph_promql::push_sample_value;

use super::text::{push_point, push_time};

/// What most values take, with what ends their points.
const VALUE_BYTES: usize = 20;

/// What was written of the series before.
#[derive(Debug, Default)]
pub(super) struct Points {
    times: Vec<i64>,
    /// For each of the times what comes before its value: `,[1435781451.781,"`
    text: String,
    ends: Vec<usize>,
}

impl Points {
    /// `[1435781451.781,"1"],…`; with `more` to come, others may have the same times.
    pub(super) fn push(&mut self, out: &mut String, samples: &Samples, more: bool) {
        if self.times != samples.times {
            if !more {
                return push_once(out, samples);
            }
            self.begin(&samples.times);
        }
        out.reserve(self.text.len() + samples.values.len() * VALUE_BYTES);
        let mut from = 0;
        for (to, value) in self.ends.iter().zip(&samples.values) {
            out.push_str(self.text.get(from..*to).unwrap_or_default());
            push_sample_value(out, *value);
            out.push_str("\"]");
            from = *to;
        }
    }

    fn begin(&mut self, times: &[i64]) {
        self.times.clear();
        self.times.extend_from_slice(times);
        self.text.clear();
        self.ends.clear();
        for time_ms in times {
            self.text.push_str(if self.ends.is_empty() { "[" } else { ",[" });
            push_time(&mut self.text, *time_ms);
            self.text.push_str(",\"");
            self.ends.push(self.text.len());
        }
    }
}

fn push_once(out: &mut String, samples: &Samples) {
    for (place, (time_ms, value)) in samples.times.iter().zip(&samples.values).enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_point(out, *time_ms, *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_the_same_whether_times_are_known_or_not() {
        let samples = |times: &[i64], first: f64| Samples {
            times: times.to_vec(),
            values: times.iter().zip([first, 0.5, f64::NAN]).map(|(_, value)| value).collect(),
        };
        let mut points = Points::default();
        for (times, first) in [
            (&[1500, 2500, 3000][..], 7.0),
            (&[1500, 2500, 3000], 8.0),
            (&[1500, 2500], 9.0),
            (&[], 0.0),
            (&[1500, 2500, 3001], 1e-9),
        ] {
            let samples = samples(times, first);
            let mut alone = String::new();
            push_once(&mut alone, &samples);
            for more in [false, true, true] {
                let mut out = String::new();
                points.push(&mut out, &samples, more);
                assert_eq!(out, alone);
            }
        }
        assert_eq!(points.text, "[1.500,\",[2.500,\",[3.001,\"");
    }
}
