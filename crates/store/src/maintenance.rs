//! The maintenance thread: seals heads, closes partitions that are over, and rewrites them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::error::SealError;
use crate::expiry;
use crate::import;
use crate::live::Live;
use crate::output::Manners;
use crate::partition::Partition;
use crate::rewrite::{Rewritten, rewrite};
use crate::rollup;
use crate::shared::Shared;
use crate::stats::{count, nanos};
use crate::sync::lock;
use crate::tiers::TierFiles;

/// How often it looks whether something is due, if nobody says that it is.
const TICK: Duration = Duration::from_secs(2);
/// After an error (a full disk, say) it waits this long before it tries again.
const PAUSE: Duration = Duration::from_secs(30);

/// How long late samples of a closed partition are gathered.
const LATE_QUIET: Duration = Duration::from_secs(3600);

pub(crate) fn run(shared: &Shared) {
    let mut paused_until = Duration::ZERO;
    while !shared.stopping() {
        let now = shared.clock.monotonic();
        if now >= paused_until {
            let tended = catch_unwind(AssertUnwindSafe(|| tend(shared)));
            count(&shared.counters.panics, u64::from(tended.is_err()));
            if !matches!(tended, Ok(Ok(()))) {
                paused_until = now + PAUSE;
            }
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
    let _tending = lock(&shared.tending);
    let written = write_what_is_due(shared);
    // Also on a full disk, above all there.
    written.and(expiry::expire(shared))
}

fn write_what_is_due(shared: &Shared) -> Result<(), SealError> {
    import::take_up(shared)?;
    let is_crowded = shared.room.was_too_small();
    let was_refused = shared.refused_room.swap(false, Ordering::Relaxed);
    let needs_room = was_refused || shared.is_short_of_memory();
    for partition in shared.overlapping(i64::MIN, i64::MAX) {
        if shared.stopping() {
            return Ok(());
        }
        partition.learn_facts();
        partition.tire(is_crowded);
        partition.remove_replaced();
        let over = is_over(shared, &partition);
        if let Some(live) = partition.open_live() {
            let now = shared.clock.monotonic();
            let wants_sealing = live.wants_sealing(&shared.settings, now);
            if wants_sealing || (over || needs_room) && live.has_head() {
                seal(shared, &live)?;
            }
        }
        if over {
            finish(shared, &partition)?;
        }
    }
    rollup::catch_up(shared)?;
    for (_, file) in shared.tiers.iter().flat_map(TierFiles::all) {
        file.partition.learn_facts();
    }
    Ok(())
}

/// Ends all live files, also of partitions that are not over.
pub(crate) fn close_all(shared: &Shared) -> Result<(), SealError> {
    let _tending = lock(&shared.tending);
    for partition in shared.overlapping(i64::MIN, i64::MAX) {
        if let Some(live) = partition.open_live() {
            seal(shared, &live)?;
        }
        close(shared, &partition)?;
    }
    Ok(())
}

fn close(shared: &Shared, partition: &Partition) -> Result<(), SealError> {
    let closed = partition.close(shared.opening());
    if closed.map_err(|source| SealError::File { path: shared.folder.raw(), source })? {
        shared.sweep_series();
    }
    Ok(())
}

/// Closes a partition that is over, and gives it its final form.
fn finish(shared: &Shared, partition: &Partition) -> Result<(), SealError> {
    close(shared, partition)?;
    let takes_damaged = shared.is_past(partition.span, shared.clock.now_ms());
    let Some(files) = partition.to_rewrite(takes_damaged) else { return Ok(()) };
    let manners = Manners { stop: &shared.stop, clock: &*shared.clock };
    match rewrite(partition, &files, takes_damaged, manners)? {
        Rewritten::Done => count(&shared.counters.rewrites, 1),
        Rewritten::LeftAlone => partition.leave_alone(),
        Rewritten::Stopped => {}
    }
    Ok(())
}

/// Seals one head now.
pub(crate) fn seal(shared: &Shared, live: &Arc<Live>) -> Result<(), SealError> {
    let started = shared.clock.monotonic();
    match live.seal(&shared.stop) {
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

/// Whether nothing more is expected: its time has passed, and nothing came for a while. Late
/// samples are gathered for longer, as each time the whole partition is rewritten.
fn is_over(shared: &Shared, partition: &Partition) -> bool {
    let close_after = shared.settings.close_after;
    let close_after_ms = i64::try_from(close_after.as_millis()).unwrap_or(i64::MAX);
    if shared.clock.now_ms() < partition.span.end_ms.saturating_add(close_after_ms) {
        return false;
    }
    let quiet = if partition.was_closed() { close_after.max(LATE_QUIET) } else { close_after };
    let now = shared.clock.monotonic();
    partition.open_live().is_none_or(|live| live.quiet(now) >= quiet)
}
