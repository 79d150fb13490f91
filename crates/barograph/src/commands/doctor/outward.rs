//! Receivers that take no samples, and text files that cannot be used.

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Outward {
    pub(super) forward: Forward,
    pub(super) textfiles: Textfiles,
}

/// The part of `/api/forward` that is shown.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Forward {
    receivers: Vec<Receiver>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Receiver {
    name: String,
    failure: Option<String>,
    waiting_samples: u64,
    dead_samples: u64,
    dead_reason: Option<String>,
    lost_samples: u64,
}

/// The answer of `/api/textfiles`.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Textfiles {
    problems: Vec<String>,
}

impl Outward {
    pub(super) fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for one in &self.forward.receivers {
            let name = &one.name;
            if let Some(failure) = &one.failure {
                let waiting = one.waiting_samples;
                findings.push(format!("sending on to `{name}`: {failure}; {waiting} samples wait"));
            }
            if one.dead_samples > 0 {
                let reason = one.dead_reason.as_deref().unwrap_or("it did not say why");
                findings.push(format!("`{name}` refused {} samples: {reason}", one.dead_samples));
            }
            if one.lost_samples > 0 {
                findings.push(format!("{} samples for `{name}` were given up", one.lost_samples));
            }
        }
        findings.extend(self.textfiles.problems.iter().map(|one| format!("text file {one}")));
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_and_files_that_fail_are_found() {
        let outward: Outward = serde_json::from_value(serde_json::json!({
            "forward": {"receivers": [
                {"name": "a", "failure": "no connection", "waiting_samples": 5, "dead_samples": 2,
                    "dead_reason": "too old", "lost_samples": 3},
                {"name": "b", "failure": null, "waiting_samples": 0, "dead_samples": 0,
                    "dead_reason": null, "lost_samples": 0},
            ]},
            "textfiles": {"problems": ["x.prom: line 1"]},
        }))
        .unwrap();
        assert_eq!(
            outward.findings(),
            [
                "sending on to `a`: no connection; 5 samples wait",
                "`a` refused 2 samples: too old",
                "3 samples for `a` were given up",
                "text file x.prom: line 1",
            ]
        );
    }
}
