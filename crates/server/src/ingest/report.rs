//! What became of the samples of one write.

use std::fmt::Write as _;

use super::door::Reason;

/// Counts of what was stored and refused, with one example for each reason to refuse.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub stored: u64,
    refused: [u64; Reason::COUNT],
    examples: [Option<String>; Reason::COUNT],
}

impl Report {
    pub fn refused(&self, reason: Reason) -> u64 {
        self.refused[reason.index()]
    }

    pub fn refused_in_all(&self) -> u64 {
        self.refused.iter().sum()
    }

    /// What was wrong with the first sample that was refused for this.
    pub fn example(&self, reason: Reason) -> Option<&str> {
        self.examples[reason.index()].as_deref()
    }

    pub(crate) fn count(&mut self, reason: Reason, samples: u64) {
        self.refused[reason.index()] += samples;
    }

    /// Keeps the first example; the text is made only for that one.
    pub(crate) fn explain(&mut self, reason: Reason, text: impl FnOnce() -> String) {
        self.examples[reason.index()].get_or_insert_with(text);
    }

    pub(crate) fn reasons(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().map(|reason| (reason, self.refused(reason))).filter(|one| one.1 > 0)
    }

    /// For the sender: how many samples were not stored, and why; nothing when all were.
    pub fn complaint(&self) -> Option<String> {
        let refused = self.refused_in_all();
        if refused == 0 {
            return None;
        }
        let all = refused + self.stored;
        let mut text = format!("{refused} of {all} samples were not stored");
        for (reason, count) in self.reasons() {
            // Writing to a string cannot fail.
            write!(text, "; {count} {}", reason.phrase()).unwrap_or_default();
            if let Some(example) = self.example(reason) {
                write!(text, " ({example})").unwrap_or_default();
            }
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complaint_counts_each_reason_and_shows_its_first_example() {
        let mut report = Report { stored: 7, ..Report::default() };
        assert_eq!(report.complaint(), None);
        report.count(Reason::Labels, 2);
        report.explain(Reason::Labels, || "label `a` is given twice".into());
        report.explain(Reason::Labels, || "another".into());
        report.count(Reason::Late, 1);
        assert_eq!(
            report.complaint().unwrap(),
            "3 of 10 samples were not stored; 2 have labels that cannot be a series' name \
             (label `a` is given twice); 1 are older than the store takes (`store.late_window`)"
        );
    }
}
