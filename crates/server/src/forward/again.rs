//! Sending again what a receiver has taken, when somebody knows that it lost it.

use std::sync::PoisonError;
use std::time::Duration;

use super::Forward;

/// Why nothing is sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AgainError {
    #[error("there is no receiver `{name}` among `[[remote_write]]`")]
    NoReceiver { name: String },
    #[error(
        "what `{name}` has taken is kept for {} s (`resend_window`), not for {} s",
        kept.as_secs(),
        ago.as_secs()
    )]
    TooEarly { name: String, kept: Duration, ago: Duration },
}

impl Forward {
    /// Has a receiver sent once more what it has taken from a time on. The samples are still in its
    /// queue; what it refuses of them, since it has them, is counted and passed over.
    ///
    /// # Errors
    /// No such receiver, or a time from which not everything is kept.
    pub(crate) fn send_again(&self, name: &str, from_ms: i64) -> Result<(), AgainError> {
        let found = self.destinations.iter().find(|one| one.destination.name == name);
        let outlet = found.ok_or_else(|| AgainError::NoReceiver { name: name.to_owned() })?;
        let ago_ms = self.clock.now_ms().saturating_sub(from_ms);
        let ago = Duration::from_millis(u64::try_from(ago_ms).unwrap_or(0));
        let kept = outlet.destination.resend_window;
        if ago > kept {
            return Err(AgainError::TooEarly { name: name.to_owned(), kept, ago });
        }
        let since = self.clock.monotonic().saturating_sub(ago);
        for shard in &outlet.shards {
            let wish = &shard.health.again_since;
            *wish.lock().unwrap_or_else(PoisonError::into_inner) = Some(since);
            shard.more.notify_one();
        }
        Ok(())
    }
}
