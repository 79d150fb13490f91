//! How far apart the samples of a series are, so that its last value stands for as long as it
//! should.

/// The most recent times between two samples, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Spacing {
    recent_ms: Vec<i64>,
}

impl Spacing {
    /// Enough to outvote a restart, which reads between the usual moments, and an outage.
    const KEPT: usize = 5;

    pub(super) fn add(&mut self, gap_ms: i64) {
        if self.recent_ms.len() == Self::KEPT {
            self.recent_ms.remove(0);
        }
        self.recent_ms.push(gap_ms.max(1));
    }

    /// The median, of two in the middle the shorter one; `None` before there is any.
    pub(super) fn usual_ms(&self) -> Option<i64> {
        let mut sorted = self.recent_ms.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(gaps: &[i64]) -> Option<i64> {
        let mut spacing = Spacing::default();
        for &gap in gaps {
            spacing.add(gap);
        }
        spacing.usual_ms()
    }

    #[test]
    fn neither_a_restart_nor_an_outage_changes_what_is_usual() {
        assert_eq!(usual(&[]), None);
        assert_eq!(usual(&[10]), Some(10));
        assert_eq!(usual(&[2, 10]), Some(2));
        assert_eq!(usual(&[2, 10, 10]), Some(10));
        assert_eq!(usual(&[10, 10, 60, 2, 10]), Some(10));
        assert_eq!(usual(&[10, 10, 10, 1, 1, 1]), Some(1));
    }
}
