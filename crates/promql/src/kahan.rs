//! Sums that carry what rounding took away.

/// A sum with its compensation: Neumaier's improvement of Kahan's algorithm, the error of each
/// addition computed without a branch (Knuth's two-sum), which gives the same bits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kahan {
    pub sum: f64,
    pub rest: f64,
}

impl Kahan {
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        let back = sum - self.sum;
        let error = (self.sum - (sum - back)) + (value - back);
        self.sum = sum;
        self.rest += error;
    }

    #[inline]
    pub(crate) fn merge(&mut self, other: Self) {
        self.add(other.sum);
        self.rest += other.rest;
    }

    /// Infinities and not-a-numbers have no rest.
    #[inline]
    pub(crate) fn total(self) -> f64 {
        if self.sum.is_finite() { self.sum + self.rest } else { self.sum }
    }

    pub(crate) fn is_finite(self) -> bool {
        self.sum.is_finite()
    }

    /// Many values at once. A few are added one after the other, as Prometheus does, so that the
    /// result has the same bits; more go in lanes that the processor adds side by side.
    pub(crate) fn of(values: &[f64]) -> Self {
        const LANES: usize = 8;
        let mut total = Self::default();
        let (chunks, tail) =
            if values.len() >= 8 * LANES { values.as_chunks::<LANES>() } else { (&[][..], values) };
        if !chunks.is_empty() {
            let mut sums = [0.0; LANES];
            let mut rests = [0.0; LANES];
            for chunk in chunks {
                for lane in 0..LANES {
                    let sum = sums[lane] + chunk[lane];
                    let back = sum - sums[lane];
                    rests[lane] += (sums[lane] - (sum - back)) + (chunk[lane] - back);
                    sums[lane] = sum;
                }
            }
            for (sum, rest) in sums.into_iter().zip(rests) {
                total.merge(Self { sum, rest });
            }
        }
        for value in tail {
            total.add(*value);
        }
        total
    }
}

/// An average that may not overflow where its values do not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mean {
    /// The sum, or the mean itself once the sum has left the numbers.
    state: Kahan,
    count: f64,
    incremental: bool,
}

impl Mean {
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let mut sum = self.state;
            sum.add(value);
            if self.count < 1.5 || !sum.sum.is_infinite() {
                self.state = sum;
                return;
            }
            self.incremental = true;
            self.state.sum /= self.count - 1.0;
            self.state.rest /= self.count - 1.0;
        }
        let share = (self.count - 1.0) / self.count;
        let mut mean = Kahan { sum: share * self.state.sum, rest: share * self.state.rest };
        mean.add(value / self.count);
        if mean.sum.is_infinite() {
            mean.rest = 0.0;
        }
        self.state = mean;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if other.count < 0.5 {
            return;
        }
        if self.count < 0.5 {
            *self = other;
            return;
        }
        if !self.incremental && !other.incremental {
            let mut sum = self.state;
            sum.merge(other.state);
            if !sum.sum.is_infinite() {
                *self = Self { state: sum, count: self.count + other.count, incremental: false };
                return;
            }
        }
        let count = self.count + other.count;
        let mut mean = self.mean();
        let (left, right) = (self.count / count, other.count / count);
        mean.sum *= left;
        mean.rest *= left;
        let mut more = other.mean();
        more.sum *= right;
        more.rest *= right;
        mean.merge(more);
        *self = Self { state: mean, count, incremental: true };
    }

    fn mean(self) -> Kahan {
        if self.incremental {
            return self.state;
        }
        Kahan { sum: self.state.sum / self.count, rest: self.state.rest / self.count }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.count < 0.5
    }

    pub(crate) fn total(self) -> f64 {
        self.mean().total()
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_takes_away_is_kept() {
        assert_eq!(Kahan::of(&[1.0, 1e100, 1.0, -1e100]).total(), 2.0);
        let many: Vec<f64> =
            (0..1000).map(|i| if i % 2 == 0 { 1e16 } else { -1e16 + 1.0 }).collect();
        assert_eq!(Kahan::of(&many).total(), many.iter().map(|v| v % 1e15).sum::<f64>());
    }

    const LARGE: f64 = f64::MAX / 1.8;

    #[test]
    fn a_mean_stays_a_number_where_the_sum_does_not() {
        let mut mean = Mean::default();
        for _ in 0..4 {
            mean.add(LARGE);
        }
        assert_eq!(mean.total(), LARGE);
        let mut other = Mean::default();
        other.merge(mean);
        other.merge(mean);
        assert_eq!(other.total(), LARGE);
    }

    #[test]
    fn infinities_come_through() {
        let mut mean = Mean::default();
        for value in [f64::INFINITY, 0.0, f64::INFINITY] {
            mean.add(value);
        }
        assert_eq!(mean.total(), f64::INFINITY);
        mean.add(f64::NEG_INFINITY);
        assert!(mean.total().is_nan());
    }
}
