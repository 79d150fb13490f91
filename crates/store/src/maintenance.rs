//! The maintenance thread: seals heads, closes partitions that are over, and rewrites them.

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, TryLockError};
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
    let tended = written.and(expiry::expire(shared));
    shared.problems.upkeep(tended.as_ref().err().map(|error| barograph_model::chain(error)));
    tended
}

/// Goes on after what fails: one file that cannot be written must not keep all others from being
/// sealed. Gives the first error.
fn write_what_is_due(shared: &Shared) -> Result<(), SealError> {
    import::take_up(shared);
    let patience = shared.room.patience();
    let was_refused = shared.refused_room.swap(false, Ordering::Relaxed);
    let needs_room = was_refused || shared.is_short_of_memory();
    let mut outcome = Ok(());
    for partition in shared.overlapping(i64::MIN, i64::MAX) {
        if shared.stopping() {
            return outcome;
        }
        partition.tire(patience);
        partition.remove_replaced();
        outcome = outcome.and(look_after(shared, &partition, needs_room));
    }
    outcome = outcome.and(rollup::catch_up(shared));
    shared.look_for_damage();
    outcome
}

/// Seals, closes and rewrites one partition, as far as that is due.
fn look_after(shared: &Shared, partition: &Partition, needs_room: bool) -> Result<(), SealError> {
    let over = is_over(shared, partition);
    if let Some(live) = partition.open_live() {
        let wants_sealing = live.wants_sealing(&shared.settings, shared.clock.monotonic());
        if wants_sealing || (over || needs_room) && live.has_head() {
            seal(shared, &live)?;
        }
    }
    if over { finish(shared, partition) } else { Ok(()) }
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

/// Ends the live files that got nothing for the longest, so that one more is not too many. `false`
/// when there are far too many, and that has to wait for others.
pub(crate) fn keep_few_live(shared: &Shared) -> bool {
    let max = shared.settings.live_partitions;
    let mut lives = shared.open_lives();
    if lives.len() < max {
        return true;
    }
    let n_lives = lives.len();
    let is_bearable = |closed: usize| n_lives - closed < max.saturating_mul(2);
    let _tending = match shared.tending.try_lock() {
        Ok(tending) => tending,
        Err(TryLockError::Poisoned(tending)) => tending.into_inner(),
        // Not waited for: it may be a whole day that is rewritten.
        Err(TryLockError::WouldBlock) => return is_bearable(0),
    };
    let now = shared.clock.monotonic();
    // The oldest of those that are equally quiet first.
    lives.sort_by_key(|live| (Reverse(live.quiet(now)), live.span));
    let mut closed = 0;
    for live in lives {
        if n_lives - closed < max {
            break;
        }
        let partition = shared.partition(live.span);
        let sealed = seal(shared, &live);
        drop(live);
        let is_closed = sealed.and_then(|()| close(shared, &partition)).is_ok();
        closed += usize::from(is_closed && partition.open_live().is_none());
    }
    is_bearable(closed)
}

/// Ends the live file of a partition that may be written to. `false` while somebody reads it.
pub(crate) fn end_live(shared: &Shared, partition: &Partition) -> Result<bool, SealError> {
    // Most of it while appends go on, the rest while they wait.
    for is_last in [false, true] {
        let _nobody_commits = is_last.then(|| lock(&shared.committing));
        if let Some(live) = partition.open_live() {
            seal(shared, &live)?;
        }
        if is_last {
            close(shared, partition)?;
        }
    }
    Ok(partition.open_live().is_none())
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
