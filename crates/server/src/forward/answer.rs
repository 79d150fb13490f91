//! Who is sent to, as `/api/forward` and Barograph's own metrics show it.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tracing_mutex::stdsync::Mutex;

use super::sender::Health;
use super::{Forward, Outlet, Shard};

/// One destination.
#[derive(Debug, Serialize)]
pub struct ForwardAnswer {
    pub name: String,
    pub url: String,
    /// Why samples are not queued or not sent now.
    pub failure: Option<String>,
    pub waiting_samples: u64,
    pub queue_bytes: u64,
    pub sent_samples: u64,
    pub requests: u64,
    pub failed_requests: u64,
    /// Refused for good, one by one.
    pub dead_samples: u64,
    pub dead_reason: Option<String>,
    /// Given up unsent: the queue was full or too old, or the disk did not take them.
    pub lost_samples: u64,
    pub damaged_segments: u64,
    pub resends: u64,
    pub resent_refused_samples: u64,
    /// Whether what was taken is sent again, or will be, and how much of it is left.
    pub resending: bool,
    pub resend_bytes: u64,
    /// The time of the newest sample that was taken; nothing before the first.
    pub newest_ms: Option<i64>,
}

impl Forward {
    pub fn answer(&self) -> Vec<ForwardAnswer> {
        self.destinations.iter().map(Outlet::answer).collect()
    }
}

impl Outlet {
    fn answer(&self) -> ForwardAnswer {
        let sum = |count: fn(&Health) -> &AtomicU64| {
            self.shards.iter().map(|one| count(&one.health).load(Ordering::Relaxed)).sum()
        };
        let stats: Vec<_> = self.shards.iter().map(|one| one.spool.stats()).collect();
        let text = |one: &Shard, which: fn(&Health) -> &Mutex<Option<String>>| {
            which(&one.health).lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let own = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let newest = self.shards.iter().map(|one| one.health.newest_ms.load(Ordering::Relaxed));
        let resend_bytes = sum(|health| &health.resend_bytes);
        let is_wanted = |one: &Shard| {
            one.health.again_since.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        };
        ForwardAnswer {
            resending: resend_bytes > 0 || self.shards.iter().any(is_wanted),
            resend_bytes,
            name: self.destination.name.clone(),
            url: self.destination.url.to_string(),
            failure: own.or_else(|| self.shards.iter().find_map(|one| text(one, |h| &h.failure))),
            waiting_samples: stats.iter().map(|one| one.waiting_samples).sum(),
            queue_bytes: stats.iter().map(|one| one.bytes).sum(),
            sent_samples: sum(|health| &health.sent_samples),
            requests: sum(|health| &health.requests),
            failed_requests: sum(|health| &health.failed_requests),
            dead_samples: sum(|health| &health.dead_samples),
            dead_reason: self.shards.iter().find_map(|one| text(one, |h| &h.dead_reason)),
            lost_samples: stats.iter().map(|one| one.lost).sum::<u64>()
                + self.unqueued.load(Ordering::Relaxed),
            damaged_segments: stats.iter().map(|one| one.damaged).sum(),
            resends: sum(|health| &health.resends),
            resent_refused_samples: sum(|health| &health.resent_refused),
            newest_ms: newest.max().filter(|newest| *newest > 0),
        }
    }
}
