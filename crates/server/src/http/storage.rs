//! What the history takes and will take, as several interfaces tell it.

use barograph_promql::format_duration;
use barograph_store::{Stats, Store, TierStats};
use serde::Serialize;

use crate::app::App;

/// The history by its tiers.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Storage {
    pub(in crate::http) tiers: Vec<TierAnswer>,
    /// What the disk with the data folder has left; absent where the system does not tell.
    pub(in crate::http) disk_free_bytes: Option<u64>,
    /// In how many days it is full if it goes on like this; absent when that is never.
    pub(in crate::http) disk_full_days: Option<f64>,
    /// What the history comes to once as much expires as is added.
    pub(in crate::http) steady_bytes: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(in crate::http) struct TierAnswer {
    pub(in crate::http) tier: &'static str,
    pub(in crate::http) files: u64,
    pub(in crate::http) bytes: u64,
    pub(in crate::http) samples: u64,
    pub(in crate::http) bytes_per_sample: Option<f64>,
    pub(in crate::http) bytes_per_day: Option<f64>,
    pub(in crate::http) oldest_ms: Option<i64>,
    pub(in crate::http) newest_ms: Option<i64>,
    /// `null`: forever.
    pub(in crate::http) keep_ms: Option<u128>,
    pub(in crate::http) max_bytes: Option<u64>,
    /// In how many days it has that size and its files go before their age.
    pub(in crate::http) full_days: Option<f64>,
}

impl Storage {
    pub(in crate::http) fn of(app: &App, stats: &Stats) -> Self {
        let disk_free_bytes = free_bytes(&app.store);
        let outlook = stats.outlook(disk_free_bytes);
        Self {
            tiers: stats.tiers.iter().map(TierAnswer::of).collect(),
            disk_free_bytes,
            disk_full_days: outlook.disk_full_days,
            steady_bytes: outlook.steady_bytes,
        }
    }
}

fn free_bytes(store: &Store) -> Option<u64> {
    fs4::available_space(store.folder()).ok()
}

impl TierAnswer {
    fn of(tier: &TierStats) -> Self {
        Self {
            tier: tier.tier.name(),
            files: tier.files,
            bytes: tier.bytes,
            samples: tier.samples,
            bytes_per_sample: (tier.samples > 0).then(|| tier.bytes as f64 / tier.samples as f64),
            bytes_per_day: tier.bytes_per_day,
            oldest_ms: tier.oldest_ms,
            newest_ms: tier.newest_ms,
            keep_ms: tier.keep.age.map(|age| age.as_millis()),
            max_bytes: tier.keep.bytes,
            full_days: tier.full_days(),
        }
    }
}

/// How long what is kept, in one line.
pub(in crate::http) fn retention(stats: &Stats) -> String {
    let tier = |tier: &TierStats| {
        let age = tier.keep.age.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        format!(
            "{} {}",
            tier.tier.name(),
            age.map_or_else(|| "forever".to_owned(), format_duration)
        )
    };
    stats.tiers.iter().map(tier).collect::<Vec<_>>().join(", ")
}
