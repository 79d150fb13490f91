//! Who sends what, as `/api/ingest` and `barograph doctor` show it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use barograph_model::Labels;
use serde::Serialize;

use super::Ingest;
use super::door::Reason;
use super::source::Source;

/// The answer of `/api/ingest`; `docs/api/http.md` describes it.
#[derive(Debug, Serialize)]
pub struct IngestAnswer {
    pub max_series_per_source: usize,
    pub max_new_series_per_day: usize,
    pub future_window_ms: u128,
    pub max_bytes_in_flight: usize,
    pub bytes_in_flight: usize,
    /// Writes that were told to come back.
    pub busy: u64,
    pub sources: Vec<SourceAnswer>,
}

/// One source.
#[derive(Debug, Serialize)]
pub struct SourceAnswer {
    pub door: &'static str,
    pub source: String,
    /// Series with a sample within the last hour.
    pub series: usize,
    pub new_series_today: usize,
    pub writes: u64,
    pub samples: u64,
    /// By the reason; only reasons that there were.
    pub refused: BTreeMap<&'static str, u64>,
    /// When it last wrote.
    pub last_ms: Option<i64>,
    /// The time of its newest sample.
    pub newest_ms: Option<i64>,
    /// What was wrong with the newest write that was not stored whole.
    pub complaint: Option<String>,
}

impl Ingest {
    /// All sources with their budgets and counts, in order of their doors and names.
    pub fn answer(&self) -> IngestAnswer {
        let mut sources: Vec<SourceAnswer> =
            self.sources().iter().map(|source| source.answer()).collect();
        sources.sort_by(|a, b| (a.door, &a.source).cmp(&(b.door, &b.source)));
        IngestAnswer {
            max_series_per_source: self.settings.max_series,
            max_new_series_per_day: self.settings.max_new_series_per_day,
            future_window_ms: self.settings.future_window.as_millis(),
            max_bytes_in_flight: self.settings.max_bytes_in_flight,
            bytes_in_flight: self.room.in_flight(),
            busy: self.busy.load(Ordering::Relaxed),
            sources,
        }
    }
}

impl Ingest {
    /// How many series each source has, and what they come to by a measure of one.
    pub(crate) fn add_up(&self, measure: impl Fn(&Labels) -> u64) -> Vec<(String, usize, u64)> {
        let add_up = |source: &Arc<Source>| {
            let name = format!("{} {}", source.door.as_str(), source.name);
            let table = source.table();
            let sum = table.known.values().map(|known| measure(&known.labels)).sum();
            (name, table.known.len(), sum)
        };
        self.sources().iter().map(add_up).collect()
    }
}

impl Source {
    fn answer(&self) -> SourceAnswer {
        let counts = &self.counts;
        let refused = |reason: Reason| {
            let count = counts.refused[reason.index()].load(Ordering::Relaxed);
            (count > 0).then_some((reason.as_str(), count))
        };
        let (last_ms, newest_ms) =
            (counts.last_ms.load(Ordering::Relaxed), counts.newest_ms.load(Ordering::Relaxed));
        let table = self.table();
        SourceAnswer {
            door: self.door.as_str(),
            source: self.name.clone(),
            series: table.known.len(),
            new_series_today: table.new_today,
            writes: counts.writes.load(Ordering::Relaxed),
            samples: counts.samples.load(Ordering::Relaxed),
            refused: Reason::ALL.into_iter().filter_map(refused).collect(),
            last_ms: (last_ms > 0).then_some(last_ms),
            newest_ms: (newest_ms > i64::MIN).then_some(newest_ms),
            complaint: table.complaint.clone(),
        }
    }
}
