//! Which scraping targets fail, and why.

use serde::{Deserialize, Serialize};

/// The part of `/api/v1/targets` that is shown.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Targets {
    data: Data,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    active_targets: Vec<Target>,
    problems: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    scrape_pool: String,
    scrape_url: String,
    health: String,
    last_error: String,
}

impl Targets {
    /// Those that are down, and what is wrong with files that name targets.
    pub(super) fn findings(&self) -> Vec<String> {
        let down = self.data.active_targets.iter().filter(|one| one.health == "down");
        let shown = down.map(|one| {
            format!("scrape `{}` of {}: {}", one.scrape_pool, one.scrape_url, one.last_error)
        });
        shown.chain(self.data.problems.iter().map(|one| format!("scrape {one}"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_are_down_are_found_with_their_error() {
        let targets: Targets = serde_json::from_value(serde_json::json!({"data": {
            "activeTargets": [
                {"scrapePool": "a", "scrapeUrl": "http://x/", "health": "up", "lastError": ""},
                {"scrapePool": "b", "scrapeUrl": "http://y/", "health": "down", "lastError": "no"},
            ],
            "problems": ["b: t.json: broken"],
        }}))
        .unwrap();
        assert_eq!(targets.findings(), ["scrape `b` of http://y/: no", "scrape b: t.json: broken"]);
    }
}
