//! How much running totals have grown since the reading before.

use std::time::Duration;

use crate::rows::Rows;

/// A total that falls has restarted from zero, as in PromQL.
pub(crate) fn increase(before: f64, now: f64) -> f64 {
    if now >= before { now - before } else { now }
}

/// The totals of named things that come and go, `N` each.
#[derive(Debug)]
pub(crate) struct Increases<const N: usize> {
    before: Rows<Named<N>>,
    now: Rows<Named<N>>,
}

#[derive(Debug)]
struct Named<const N: usize> {
    name: String,
    totals: [f64; N],
}

impl<const N: usize> Default for Named<N> {
    fn default() -> Self {
        Self { name: String::new(), totals: [0.0; N] }
    }
}

impl<const N: usize> Increases<N> {
    pub(crate) fn new() -> Self {
        Self { before: Rows::default(), now: Rows::default() }
    }

    /// Starts a reading: what was seen in the last one is what increases are measured from, and
    /// what was not seen is forgotten.
    pub(crate) fn begin(&mut self) {
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
    }

    /// The increases of one thing. Nothing for what was not there before: its totals may have
    /// grown anywhere, for instance in another network namespace.
    pub(crate) fn of(&mut self, name: &str, totals: [f64; N]) -> Option<[f64; N]> {
        // Mostly the things come in the order of the reading before.
        let likely = self.now.as_slice().len();
        let before = self.before.as_slice();
        let before = match before.get(likely) {
            Some(named) if named.name == name => Some(named),
            _ => before.iter().find(|named| named.name == name),
        };
        let increases =
            before.map(|named| std::array::from_fn(|i| increase(named.totals[i], totals[i])));
        let named = self.now.add();
        named.name.clear();
        named.name.push_str(name);
        named.totals = totals;
        increases
    }
}

/// The time between two readings.
#[derive(Debug, Default)]
pub(crate) struct Elapsed {
    last: Option<Duration>,
}

impl Elapsed {
    /// Seconds since the reading before; nothing at the first one, or when no time has passed.
    pub(crate) fn until(&mut self, now: Duration) -> Option<f64> {
        let last = self.last.replace(now)?;
        let seconds = now.checked_sub(last)?.as_secs_f64();
        (seconds > 0.0).then_some(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_that_appear_have_no_increase_and_those_that_restart_count_from_zero() {
        let mut increases = Increases::<2>::new();
        increases.begin();
        assert_eq!(increases.of("a", [10.0, 5.0]), None);
        increases.begin();
        assert_eq!(increases.of("b", [7.0, 7.0]), None);
        assert_eq!(increases.of("a", [12.0, 3.0]), Some([2.0, 3.0]));
        increases.begin();
        assert_eq!(increases.of("b", [8.0, 7.0]), Some([1.0, 0.0]));
        increases.begin();
        assert_eq!(increases.of("a", [20.0, 20.0]), None);
    }

    #[test]
    fn no_time_gives_no_rate() {
        let mut elapsed = Elapsed::default();
        assert_eq!(elapsed.until(Duration::from_secs(5)), None);
        assert_eq!(elapsed.until(Duration::from_secs(5)), None);
        assert_eq!(elapsed.until(Duration::from_millis(6500)), Some(1.5));
    }
}
