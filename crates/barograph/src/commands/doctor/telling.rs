//! Whether people are told of alerts.

use serde::{Deserialize, Serialize};

/// The part of `/api/notifications` that is shown.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Telling {
    waiting: u64,
    dead: u64,
    nobody_is_told: bool,
    problems: Vec<String>,
}

impl Telling {
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let told = if self.nobody_is_told {
            "nobody: there are no channels".to_owned()
        } else {
            format!("{} wait, {} given up", self.waiting, self.dead)
        };
        vec![
            ["notifications", ""].map(str::to_owned).to_vec(),
            ["  told".to_owned(), told].to_vec(),
        ]
    }

    pub(super) fn findings(&self) -> Vec<String> {
        let mut findings = self.problems.clone();
        if self.dead > 0 {
            findings.push(format!(
                "{} notifications were given up; `barograph alerts notifications --dead` tells why",
                self.dead
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_needs_attention() {
        let mut telling = Telling {
            waiting: 1,
            dead: 2,
            nobody_is_told: false,
            problems: vec!["the policy `a` tells channel:b, which is not there".to_owned()],
        };
        assert_eq!(telling.findings().len(), 2);
        assert_eq!(telling.rows()[1][1], "1 wait, 2 given up");
        telling.nobody_is_told = true;
        assert!(telling.rows()[1][1].starts_with("nobody"));
    }
}
