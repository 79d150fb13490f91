//! How delivering is doing.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde::Serialize;
use tracing_mutex::stdsync::Mutex;

/// What became of messages since the start, by channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ChannelCounts {
    pub delivered: u64,
    /// Attempts that failed and are tried again.
    pub failed: u64,
    /// Given up.
    pub dead: u64,
}

/// How delivering is doing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DispatchStatus {
    pub channels: BTreeMap<String, ChannelCounts>,
    pub waiting: u64,
    pub oldest_waiting_ms: Option<i64>,
    /// Given up and still kept.
    pub dead: u64,
    /// No alert reaches anybody, because there are no channels.
    pub nobody_is_told: bool,
    /// Why somebody may be told late or not at all.
    pub problems: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<String, ChannelCounts>>);

impl Counts {
    /// Channels that were removed stay; so many names are a mistake.
    const MAX_CHANNELS: usize = 1000;

    pub(super) fn count(&self, channel: &str, count: impl FnOnce(&mut ChannelCounts)) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < Self::MAX_CHANNELS || counts.contains_key(channel) {
            count(counts.entry(channel.to_owned()).or_default());
        }
    }

    pub(super) fn read(&self) -> BTreeMap<String, ChannelCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
