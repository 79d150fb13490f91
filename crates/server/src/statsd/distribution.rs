//! Timers and histograms: what is known of many values in little memory.

use barograph_model::{Labels, LabelsError, METRIC_NAME};

use super::settings::StatsdSettings;

/// The values of one timer or histogram.
#[derive(Debug)]
pub(super) struct Distribution {
    series: Series,
    /// Since the series began, corrected by the sampling rates.
    count: f64,
    sum: f64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The values of this interval, a fair choice of them when they are many.
    Quantiles { values: Vec<f64>, seen: u64 },
    /// How often a value was at most the bound, since the series began.
    Buckets(Vec<f64>),
}

/// The names of what is written.
#[derive(Debug)]
struct Series {
    count: Labels,
    sum: Labels,
    /// Of the quantiles or the buckets.
    parts: Vec<Labels>,
}

/// Values that are kept for the quantiles of one interval.
const KEPT_VALUES: usize = 2048;

impl Distribution {
    pub(super) fn new(labels: &Labels, settings: &StatsdSettings) -> Result<Self, LabelsError> {
        let name = labels.name();
        let named = |suffix: &str| labels.with(METRIC_NAME, &format!("{name}{suffix}"));
        let (kind, parts) = if settings.buckets.is_empty() {
            let parts = settings.quantiles.iter().map(|q| labels.with("quantile", &q.to_string()));
            (Kind::Quantiles { values: Vec::new(), seen: 0 }, parts.collect::<Result<_, _>>()?)
        } else {
            let bucket = named("_bucket")?;
            let bounds = settings.buckets.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            let parts: Vec<Labels> =
                bounds.map(|bound| bucket.with("le", &bound)).collect::<Result<_, _>>()?;
            (Kind::Buckets(vec![0.0; parts.len()]), parts)
        };
        let series = Series { count: named("_count")?, sum: named("_sum")?, parts };
        Ok(Self { series, count: 0.0, sum: 0.0, kind })
    }

    /// Adds a value that stands for `weight` of its kind.
    pub(super) fn add(&mut self, value: f64, weight: f64, bounds: &[f64], random: &mut Random) {
        self.count += weight;
        self.sum += value * weight;
        match &mut self.kind {
            Kind::Quantiles { values, seen } => {
                *seen += 1;
                if values.len() < KEPT_VALUES {
                    values.push(value);
                } else if let Some(kept) = values.get_mut(random.below(*seen)) {
                    // Every value of the interval has the same chance to be among those kept.
                    *kept = value;
                }
            }
            Kind::Buckets(counts) => {
                let first = bounds.partition_point(|bound| *bound < value);
                counts.iter_mut().skip(first).for_each(|count| *count += weight);
            }
        }
    }

    /// Appends what is to be written now, and begins a new interval.
    pub(super) fn flush(&mut self, settings: &StatsdSettings, out: &mut Vec<(Labels, f64)>) {
        out.push((self.series.count.clone(), self.count));
        out.push((self.series.sum.clone(), self.sum));
        let parts = &self.series.parts;
        match &mut self.kind {
            Kind::Quantiles { values, seen } => {
                values.sort_by(f64::total_cmp);
                for (labels, quantile) in parts.iter().zip(&settings.quantiles) {
                    if let Some(value) = at_quantile(values, *quantile) {
                        out.push((labels.clone(), value));
                    }
                }
                values.clear();
                *seen = 0;
            }
            Kind::Buckets(counts) => {
                out.extend(parts.iter().cloned().zip(counts.iter().copied()));
            }
        }
    }

    /// The names of everything that was written.
    pub(super) fn series(&self) -> impl Iterator<Item = &Labels> {
        [&self.series.count, &self.series.sum].into_iter().chain(&self.series.parts)
    }
}

/// By linear interpolation between the two nearest ranks, as Prometheus' `quantile` does.
fn at_quantile(sorted: &[f64], quantile: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = quantile.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the slice")]
    let below = rank.floor() as usize;
    let low = sorted.get(below)?;
    let high = sorted.get(below + 1).unwrap_or(low);
    Some(low + (high - low) * (rank - below as f64))
}

/// A generator that is good enough to choose values by (xorshift64*, Vigna 2014).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, bound: u64) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        usize::try_from(number % bound.max(1)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flushed(settings: &StatsdSettings, values: &[f64]) -> Vec<(String, f64)> {
        let labels = Labels::metric("t").unwrap();
        let mut distribution = Distribution::new(&labels, settings).unwrap();
        let mut random = Random::new();
        for value in values {
            distribution.add(*value, 2.0, &settings.buckets, &mut random);
        }
        let mut out = Vec::new();
        distribution.flush(settings, &mut out);
        out.into_iter().map(|(labels, value)| (labels.to_string(), value)).collect()
    }

    #[test]
    fn quantiles_are_those_of_the_interval() {
        let settings =
            StatsdSettings { quantiles: vec![0.0, 0.5, 1.0], ..StatsdSettings::default() };
        let expected = [
            ("t_count", 8.0),
            ("t_sum", 20.0),
            (r#"t{quantile="0"}"#, 1.0),
            (r#"t{quantile="0.5"}"#, 2.5),
            (r#"t{quantile="1"}"#, 4.0),
        ];
        let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(flushed(&settings, &[4.0, 1.0, 3.0, 2.0]), expected);
    }

    #[test]
    fn buckets_count_what_is_at_most_their_bound() {
        let settings = StatsdSettings { buckets: vec![1.0, 2.0], ..StatsdSettings::default() };
        let values: Vec<f64> =
            flushed(&settings, &[1.0, 1.5, 9.0]).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, [6.0, 23.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn of_many_values_a_fair_choice_is_kept() {
        let values: Vec<f64> = (0..100_000).map(f64::from).collect();
        let settings = StatsdSettings { quantiles: vec![0.5], ..StatsdSettings::default() };
        let median = flushed(&settings, &values)[2].1;
        assert!((40_000.0..60_000.0).contains(&median), "{median}");
    }
}
