//! Commits: one transaction per partition. Whoever appends while nobody else does commits on its own
//! thread, since waking another and being woken by it costs more than the commit; what comes
//! meanwhile gathers in a queue, and the writer thread commits it together.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{PoisonError, TryLockError};
use std::time::Duration;

use crate::error::{AppendError, OpenError};
use crate::live::{CommitError, Refused, Rows};
use crate::shared::Shared;
use crate::span::Span;
use crate::stats::count;
use crate::sync::lock;

/// Samples that go into one transaction, unless one append alone has more.
const GROUP_SAMPLES: usize = 262_144;

/// One append on its way.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) rows: Vec<(Span, Rows)>,
    pub(crate) reply: SyncSender<Result<Outcome, AppendError>>,
}

/// What became of an append.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outcome {
    pub(crate) stored: u64,
    pub(crate) refused: Refused,
}

impl Job {
    fn samples(&self) -> usize {
        self.rows.iter().map(|(_, rows)| rows.series.len()).sum()
    }
}

pub(crate) fn run(shared: &Shared) {
    loop {
        let mut samples = 0;
        let enough = |job: &Job| {
            samples += job.samples();
            samples >= GROUP_SAMPLES
        };
        let Some(jobs) = shared.queue.take(enough) else { return };
        let (rows, replies): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|Job { rows, reply }| (rows, reply)).unzip();
        let turn = lock(&shared.committing);
        // Who waits for a group that panicked sees the end of its channel.
        let results = commit_or_count(shared, rows).unwrap_or_default();
        drop(turn);
        for (reply, result) in replies.into_iter().zip(results) {
            // Who does not wait for the answer any more does not need it.
            drop(reply.send(result));
        }
    }
}

/// Commits an append now if nobody else commits or waits for it; otherwise gives it back.
pub(crate) fn commit_at_once(
    shared: &Shared,
    rows: Vec<(Span, Rows)>,
) -> Result<Result<Outcome, AppendError>, Vec<(Span, Rows)>> {
    let _turn = match shared.committing.try_lock() {
        Ok(turn) => turn,
        Err(TryLockError::Poisoned(turn)) => PoisonError::into_inner(turn),
        Err(TryLockError::WouldBlock) => return Err(rows),
    };
    if !shared.queue.is_idle() {
        return Err(rows);
    }
    let results = commit_or_count(shared, vec![rows]);
    Ok(results.and_then(|mut results| results.pop()).unwrap_or(Err(AppendError::Failed)))
}

/// Nothing if it panicked.
fn commit_or_count(
    shared: &Shared,
    appends: Vec<Vec<(Span, Rows)>>,
) -> Option<Vec<Result<Outcome, AppendError>>> {
    let done = catch_unwind(AssertUnwindSafe(|| commit_all(shared, appends)));
    count(&shared.counters.panics, u64::from(done.is_err()));
    done.ok()
}

fn commit_all(
    shared: &Shared,
    appends: Vec<Vec<(Span, Rows)>>,
) -> Vec<Result<Outcome, AppendError>> {
    let mut groups: BTreeMap<Span, (Vec<Rows>, Vec<usize>)> = BTreeMap::new();
    let mut results: Vec<Result<Outcome, AppendError>> = Vec::with_capacity(appends.len());
    for (index, append) in appends.into_iter().enumerate() {
        for (span, rows) in append {
            let (group, owners) = groups.entry(span).or_default();
            group.push(rows);
            owners.push(index);
        }
        results.push(Ok(Outcome::default()));
    }
    for (span, (rows, owners)) in groups {
        match commit(shared, span, &rows) {
            Ok(refused) => {
                for ((rows, owner), refused) in rows.iter().zip(owners).zip(refused) {
                    if let Ok(outcome) = &mut results[owner] {
                        let left_out = refused.too_many + refused.expired + refused.too_old;
                        outcome.stored += rows.series.len() as u64 - left_out;
                        outcome.refused.too_many += refused.too_many;
                        outcome.refused.expired += refused.expired;
                        outcome.refused.too_old += refused.too_old;
                    }
                }
            }
            Err(error) => {
                count(&shared.counters.failed_commits, 1);
                for owner in owners {
                    results[owner] = Err(error.clone());
                }
            }
        }
    }
    results
}

fn commit(shared: &Shared, span: Span, rows: &[Rows]) -> Result<Vec<Refused>, AppendError> {
    let started = shared.clock.monotonic();
    let max_series = shared.settings.max_series;
    let mut tries = 0;
    let (live, refused) = loop {
        let live = shared.live(span).map_err(|error| open_error(&error))?;
        let Some(live) = live else { return Ok(all_too_old(shared, rows)) };
        match live.commit(rows, &shared.registry, max_series, started) {
            Ok(refused) => break (live, refused),
            Err(CommitError { error, damaged }) => {
                drop(live);
                let may_retry = damaged && tries == 0;
                if !may_retry || !matches!(shared.partition(span).abandon(), Ok(true)) {
                    return Err(error);
                }
                tries += 1;
            }
        }
    };
    let samples: u64 = rows.iter().map(|rows| rows.series.len() as u64).sum();
    let too_many: u64 = refused.iter().map(|refused| refused.too_many).sum();
    let expired: u64 = refused.iter().map(|refused| refused.expired).sum();
    let stored = samples - too_many - expired;
    count(&shared.counters.refused_samples, samples - stored);
    if stored > 0 {
        shared.counters.committed(stored, shared.clock.monotonic().saturating_sub(started));
        let newest_ms = rows.iter().map(|rows| rows.time_ms).max().unwrap_or(i64::MIN);
        shared.counters.newest_ms.fetch_max(newest_ms, Ordering::Relaxed);
    }
    shared.count_head_bytes();
    if live.wants_sealing(&shared.settings, started) || shared.is_short_of_memory() {
        shared.wake_maintenance();
    }
    Ok(refused)
}

/// The partition's samples expired while these waited.
fn all_too_old(shared: &Shared, rows: &[Rows]) -> Vec<Refused> {
    let refused = |rows: &Rows| {
        let too_old = rows.series.len() as u64;
        count(&shared.counters.too_old_samples, too_old);
        Refused { too_old, ..Refused::default() }
    };
    rows.iter().map(refused).collect()
}

fn open_error(error: &OpenError) -> AppendError {
    match error {
        OpenError::TooManyLive { .. } => AppendError::Busy {
            reason: "samples of too many days come at the same time",
            retry_after: Duration::from_secs(5),
        },
        OpenError::Database { path, source } => {
            let path = path.display().to_string();
            if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
                return AppendError::DiskFull { path };
            }
            AppendError::Write { path, problem: source.to_string() }
        }
        OpenError::Foreign { path, .. } | OpenError::Newer { path, .. } => {
            AppendError::Write { path: path.display().to_string(), problem: error.to_string() }
        }
        other => AppendError::Write { path: String::new(), problem: other.to_string() },
    }
}
