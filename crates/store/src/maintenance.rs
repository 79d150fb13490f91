//! The maintenance thread: seals heads and closes partitions that are over.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::error::SealError;
use crate::live::Live;
use crate::shared::Shared;
use crate::span::Span;
use crate::stats::{count, nanos};
use crate::sync::{lock, read};

/// How often it looks whether something is due.
const TICK: Duration = Duration::from_secs(1);
/// After an error (a full disk, say) it waits this long before it tries again.
const PAUSE: Duration = Duration::from_secs(30);

pub(crate) fn run(shared: &Shared) {
    let mut paused_until = Duration::ZERO;
    while !shared.stopping() {
        let now = shared.clock.monotonic();
        if now >= paused_until && tend(shared).is_err() {
            paused_until = now + PAUSE;
        }
        let work = lock(&shared.work);
        let idle = |work: &mut bool| !*work && !shared.stopping();
        let (mut work, _) = shared
            .wake
            .wait_timeout_while(work, TICK, idle)
            .unwrap_or_else(PoisonError::into_inner);
        *work = false;
    }
}

/// Does what is due.
pub(crate) fn tend(shared: &Shared) -> Result<(), SealError> {
    let now = shared.clock.monotonic();
    for live in shared.open_lives() {
        if shared.stopping() {
            return Ok(());
        }
        let over = is_over(shared, live.span);
        if live.wants_sealing(&shared.settings, now) || over && live.has_head() {
            seal(shared, &live)?;
        }
        if over && !live.has_head() {
            close(shared, live.span);
        }
    }
    Ok(())
}

/// Seals one head now.
pub(crate) fn seal(shared: &Shared, live: &Arc<Live>) -> Result<(), SealError> {
    let started = shared.clock.monotonic();
    match live.seal() {
        Ok(sealed) => count(&shared.counters.seals, u64::from(sealed)),
        Err(error) => {
            count(&shared.counters.failed_seals, 1);
            return Err(error);
        }
    }
    count(&shared.counters.seal_nanos, nanos(shared.clock.monotonic().saturating_sub(started)));
    shared.count_head_bytes();
    Ok(())
}

fn is_over(shared: &Shared, span: Span) -> bool {
    let close_after_ms = i64::try_from(shared.settings.close_after.as_millis());
    let closes_ms = span.end_ms.saturating_add(close_after_ms.unwrap_or(i64::MAX));
    shared.clock.now_ms() >= closes_ms
}

fn close(shared: &Shared, span: Span) {
    let partition = read(&shared.partitions).get(&span).cloned();
    if let Some(partition) = partition {
        partition.close();
    }
}
