//! Series whose senders tell only what was added: here it is added up.

use std::collections::HashMap;
use std::sync::PoisonError;

use barograph_model::Labels;
use tracing_mutex::stdsync::Mutex;

/// Totals by series, in memory: after a restart they begin at zero, which a counter may.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    totals: Mutex<HashMap<Labels, Total>>,
}

#[derive(Debug)]
struct Total {
    value: f64,
    /// When something was last added, by the monotonic clock.
    used_s: u64,
}

impl Deltas {
    /// A series that is silent for longer begins anew.
    const SILENT_S: u64 = 60 * 60;

    /// Adds to a series and gives its total; nothing when there are `max` series already.
    pub(crate) fn add(&self, labels: &Labels, value: f64, now_s: u64, max: usize) -> Option<f64> {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(total) = totals.get_mut(labels) {
            total.value += value;
            total.used_s = now_s;
            return Some(total.value);
        }
        if totals.len() >= max {
            totals.retain(|_, total| now_s.saturating_sub(total.used_s) < Self::SILENT_S);
        }
        if totals.len() >= max {
            return None;
        }
        totals.insert(labels.clone(), Total { value, used_s: now_s });
        Some(value)
    }

    /// Takes back what was added and then not stored: its sender sends it again.
    pub(crate) fn take_back(&self, added: &[(Labels, f64)]) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        for (labels, value) in added {
            if let Some(total) = totals.get_mut(labels) {
                total.value -= value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_sums_up_and_can_be_taken_back() {
        let deltas = Deltas::default();
        let labels = Labels::metric("a").unwrap();
        assert_eq!(deltas.add(&labels, 2.0, 0, 1), Some(2.0));
        assert_eq!(deltas.add(&labels, 3.0, 1, 1), Some(5.0));
        deltas.take_back(&[(labels.clone(), 3.0)]);
        assert_eq!(deltas.add(&labels, 4.0, 2, 1), Some(6.0));
        let other = Labels::metric("b").unwrap();
        assert_eq!(deltas.add(&other, 1.0, 3, 1), None);
        assert_eq!(deltas.add(&other, 1.0, 2 + 3600, 1), Some(1.0));
    }
}
