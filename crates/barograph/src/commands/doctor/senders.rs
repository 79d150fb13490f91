//! Who sends samples to the server, and who has used up its budget.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The part of `/api/ingest` that is shown.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Senders {
    max_series_per_source: u64,
    sources: Vec<Source>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Source {
    door: String,
    #[serde(rename = "source")]
    name: String,
    series: u64,
    new_series_today: u64,
    samples: u64,
    refused: BTreeMap<String, u64>,
    complaint: Option<String>,
}

impl Senders {
    /// A table, those with the most series first; nothing when nobody sends.
    pub(super) fn rows(&self) -> Option<Vec<Vec<String>>> {
        const SHOWN: usize = 20;
        if self.sources.is_empty() {
            return None;
        }
        let head = ["senders", "source", "series", "new today", "samples", "refused"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        let mut sources: Vec<&Source> = self.sources.iter().collect();
        sources.sort_by_key(|one| std::cmp::Reverse(one.series));
        for one in sources.iter().take(SHOWN) {
            rows.push(vec![
                format!("  {}", one.door),
                one.name.clone(),
                format!("{} of {}", one.series, self.max_series_per_source),
                one.new_series_today.to_string(),
                one.samples.to_string(),
                one.refused_in_all().to_string(),
            ]);
        }
        if let Some(more) = sources.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            rows.push(vec![format!("  and {more} more (--json lists all)")]);
        }
        Some(rows)
    }

    /// Whose samples are refused, and why.
    pub(super) fn findings(&self) -> Vec<String> {
        let refused = self.sources.iter().filter(|one| one.refused_in_all() > 0);
        refused
            .map(|one| {
                let complaint = one.complaint.as_deref().unwrap_or("samples were not stored");
                format!("{} from `{}`: {complaint}", one.door, one.name)
            })
            .collect()
    }
}

impl Source {
    fn refused_in_all(&self) -> u64 {
        self.refused.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_listed_by_their_series_and_those_over_budget_are_found() {
        let senders: Senders = serde_json::from_value(serde_json::json!({
            "max_series_per_source": 10,
            "sources": [
                {"door": "push", "source": "a", "series": 2, "new_series_today": 2, "samples": 9,
                    "refused": {}, "complaint": null},
                {"door": "statsd", "source": "b", "series": 10, "new_series_today": 12,
                    "samples": 5, "refused": {"series_budget": 3}, "complaint": "3 of 8 refused"},
            ],
        }))
        .unwrap();
        let rows = senders.rows().unwrap();
        assert_eq!(rows[1], ["  statsd", "b", "10 of 10", "12", "5", "3"]);
        assert_eq!(senders.findings(), ["statsd from `b`: 3 of 8 refused"]);
        assert_eq!(Senders::default().rows(), None);
    }
}
