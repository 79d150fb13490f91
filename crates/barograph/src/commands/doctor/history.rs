//! What the history takes, by its tiers, and what it will take.

use serde::{Deserialize, Serialize};

use crate::output;

/// The part of `/api/status` about it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Storage {
    tiers: Vec<Tier>,
    disk_free_bytes: Option<u64>,
    disk_full_days: Option<f64>,
    steady_bytes: Option<f64>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Tier {
    #[serde(rename = "tier")]
    name: String,
    files: u64,
    bytes: u64,
    samples: u64,
    bytes_per_sample: Option<f64>,
    bytes_per_day: Option<f64>,
    keep_ms: Option<u64>,
    max_bytes: Option<u64>,
    full_days: Option<f64>,
}

impl Storage {
    /// Sooner than this somebody should look at it.
    const SOON_DAYS: f64 = 30.0;

    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let head = ["history", "on disk", "samples", "each", "a day", "kept", "at most"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.tiers.iter().map(Tier::row));
        let free = self.disk_free_bytes.map(|bytes| format!("{} free", output::size(bytes)));
        let full = match self.disk_full_days {
            Some(days) => format!("full in {}", in_words(days)),
            None if self.tiers.iter().all(|tier| tier.bytes_per_day.is_none()) => {
                "growth is known after an hour".to_owned()
            }
            None => "not filled by this history".to_owned(),
        };
        let steady =
            self.steady_bytes.map(|bytes| format!("comes to {} in all", output::amount(bytes)));
        for text in
            [free.map(|free| format!("  disk: {free}, {full}")), steady.map(|it| format!("  {it}"))]
        {
            rows.extend(text.map(|text| vec![text]));
        }
        rows
    }

    pub(super) fn findings(&self) -> Vec<String> {
        let disk = self.disk_full_days.filter(|days| *days < Self::SOON_DAYS);
        let disk = disk
            .map(|days| format!("the disk of the data folder will be full in {}", in_words(days)));
        disk.into_iter().collect()
    }
}

impl Tier {
    fn row(&self) -> Vec<String> {
        const DAY_MS: f64 = 86_400_000.0;
        let dash = || "–".to_owned();
        let max = self.max_bytes.map(|bytes| {
            let full = self.full_days.map(|days| format!(", in {}", in_words(days)));
            format!("{}{}", output::size(bytes), full.unwrap_or_default())
        });
        vec![
            format!("  {}", self.name),
            output::size(self.bytes),
            self.samples.to_string(),
            self.bytes_per_sample.map_or_else(dash, |bytes| format!("{bytes:.2} bytes")),
            self.bytes_per_day.map_or_else(dash, output::amount),
            self.keep_ms.map_or_else(|| "forever".to_owned(), |ms| in_words(ms as f64 / DAY_MS)),
            max.unwrap_or_else(dash),
        ]
    }
}

fn in_words(days: f64) -> String {
    if days < 2.0 {
        format!("{:.0} h", days * 24.0)
    } else if days < 1000.0 {
        format!("{days:.0} days")
    } else {
        format!("{:.1} years", days / 365.25)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_soon_is_found() {
        let storage = |days: Option<f64>| Storage {
            tiers: vec![Tier {
                name: "raw".to_owned(),
                files: 3,
                bytes: 3 << 20,
                samples: 6 << 20,
                bytes_per_sample: Some(0.5),
                bytes_per_day: Some(1_048_576.0),
                keep_ms: Some(30 * 86_400_000),
                max_bytes: Some(10 << 20),
                full_days: Some(7.0),
            }],
            disk_free_bytes: Some(1 << 30),
            disk_full_days: days,
            steady_bytes: None,
        };
        assert_eq!(storage(None).findings(), [] as [String; 0]);
        assert_eq!(storage(Some(400.0)).findings(), [] as [String; 0]);
        assert_eq!(
            storage(Some(1.5)).findings(),
            ["the disk of the data folder will be full in 36 h"]
        );
        let row = storage(None).rows()[1].join("|");
        assert_eq!(row, "  raw|3.0 MiB|6291456|0.50 bytes|1.0 MiB|30 days|10.0 MiB, in 7 days");
    }
}
