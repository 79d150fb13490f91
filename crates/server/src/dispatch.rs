//! Takes messages from the outbox and delivers them.
//!
//! A message that failed for now waits and is tried again; those behind it in its lane wait with it.
//! What became of a message is written in one transaction with the line in the incident's
//! timeline. A crash between delivering and writing delivers again, under the same id.

mod counts;
mod digests;
mod hands;
mod postman;
mod sort;
#[cfg(test)]
mod tests;
mod trials;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::chain;
use barograph_notify::{Machine, Notifier, Setup};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tracing_mutex::stdsync::Mutex;

use crate::alerting::Alerting;
use crate::documents::secret_finder;
use crate::evidence::Gatherer;
use crate::link::Links;

pub use counts::{ChannelCounts, DispatchStatus};
pub(crate) use postman::Postman;

use hands::Hands;
use postman::Posted;
use sort::Sorter;

/// What delivering takes.
#[derive(Debug)]
pub struct DispatchParts {
    pub setup: Setup,
    /// What of this machine channels may use.
    pub machine: Machine,
    pub gatherer: Gatherer,
}

/// Delivers until it is closed.
#[derive(Debug)]
pub struct Dispatch {
    postman: Arc<Postman>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Dispatch {
    /// Deliveries at once; what is due waits for a place.
    const MAX_UNDER_WAY: usize = 16;
    /// Lanes of which a message is in memory.
    const MAX_LANES: usize = 200;
    /// It is not looked more often than this for what is due by its time …
    const NOT_BEFORE: Duration = Duration::from_secs(1);
    /// … nor less often: the clock may have been set.
    const AT_LATEST: Duration = Duration::from_secs(10);
    const PRUNE_EVERY: Duration = Duration::from_secs(3600);
    /// How long deliveries under way may take when the server stops.
    const STOP_PATIENCE: Duration = Duration::from_secs(5);

    /// Begins to deliver.
    pub fn start(alerting: &Arc<Alerting>, parts: DispatchParts) -> Self {
        let DispatchParts { setup, machine, gatherer } = parts;
        let clock = Arc::clone(alerting.clock());
        let secrets = secret_finder(alerting.state());
        let notifier = Notifier::new(setup, secrets, Arc::clone(&clock)).on(machine);
        let links = Links {
            state: Arc::clone(alerting.state()),
            clock: Arc::clone(&clock),
            external_url: alerting.external_url().to_owned(),
        };
        let postman = Postman::new(Arc::clone(alerting), notifier, gatherer, links, clock);
        let postman = Arc::new(postman);
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(run(Arc::clone(&postman), stopping));
        Self { postman, stop, task: Mutex::new(Some(task)) }
    }

    /// Lets deliveries under way finish. What is cut off is delivered again after the next start.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        let task = self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(mut task) = task
            && tokio::time::timeout(Self::STOP_PATIENCE, &mut task).await.is_err()
        {
            tracing::warn!(
                "deliveries under way were cut off; they are tried again at the next start"
            );
            task.abort();
        }
    }

    pub(crate) fn postman(&self) -> &Arc<Postman> {
        &self.postman
    }
}

async fn run(postman: Arc<Postman>, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(Dispatch::MAX_UNDER_WAY));
    let mut under_way: JoinSet<Vec<String>> = JoinSet::new();
    let mut lanes: BTreeSet<String> = BTreeSet::new();
    let mut sorter = Sorter::default();
    let mut pruned: Option<Duration> = None;
    let mut hands = Hands::read(postman.clock());
    loop {
        mind_clock(&postman, &mut hands).await;
        let mut pause = Dispatch::AT_LATEST;
        if lanes.len() < Dispatch::MAX_LANES {
            let (mut letters, next) = due(&postman).await;
            pause = next.clamp(Dispatch::NOT_BEFORE, Dispatch::AT_LATEST);
            letters.retain(|it| !lanes.contains(&it.message.lane));
            let sorted = sorter.sort(letters, &postman);
            for batch in sorted.batches {
                lanes.extend(batch.iter().map(|it| it.message.lane.clone()));
                let (postman, places) = (Arc::clone(&postman), Arc::clone(&places));
                under_way.spawn(async move {
                    let lanes = batch.iter().map(|it| it.message.lane.clone()).collect();
                    // It is never closed.
                    let _place = places.acquire().await.ok();
                    postman.deliver(batch).await;
                    lanes
                });
            }
            if !sorted.later.is_empty() {
                pause = Dispatch::NOT_BEFORE;
            }
            postpone(&postman, sorted.later).await;
        }
        prune(&postman, &mut pruned).await;
        tokio::select! {
            Some(ended) = under_way.join_next() => forget(&mut lanes, ended),
            () = postman.alerting.posted() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|stop| *stop) => break,
        }
    }
    while let Some(ended) = under_way.join_next().await {
        forget(&mut lanes, ended);
    }
}

fn forget(lanes: &mut BTreeSet<String>, ended: Result<Vec<String>, tokio::task::JoinError>) {
    match ended {
        Ok(those) => lanes.retain(|it| !those.contains(it)),
        // Which lanes they were is not told; at worst a message is sent twice.
        Err(error) => {
            tracing::error!(%error, "a delivery panicked");
            lanes.clear();
        }
    }
}

/// Lets nobody wait because the clock was put back.
async fn mind_clock(postman: &Arc<Postman>, hands: &mut Hands) {
    let Some(by_ms) = hands.put_back(postman.clock()) else { return };
    let for_writing = Arc::clone(postman);
    let written = tokio::task::spawn_blocking(move || for_writing.bring_forward(by_ms));
    if let Ok(Err(error)) = written.await {
        postman.report_trouble(&chain(&error));
    }
}

/// What may not go yet by its channel's limits does not hold up others.
async fn postpone(postman: &Arc<Postman>, later: Vec<(String, i64)>) {
    if later.is_empty() {
        return;
    }
    let for_writing = Arc::clone(postman);
    let written = tokio::task::spawn_blocking(move || for_writing.postpone(&later));
    if let Ok(Err(error)) = written.await {
        postman.report_trouble(&chain(&error));
    }
}

/// Forgets what was finished long ago, now and then.
async fn prune(postman: &Arc<Postman>, pruned: &mut Option<Duration>) {
    let now = postman.monotonic();
    if pruned.is_some_and(|it| now.saturating_sub(it) < Dispatch::PRUNE_EVERY) {
        return;
    }
    *pruned = Some(now);
    let for_writing = Arc::clone(postman);
    let written = tokio::task::spawn_blocking(move || for_writing.prune());
    if let Ok(Err(error)) = written.await {
        postman.report_trouble(&chain(&error));
    }
}

/// What is due, and how long it is until something is: not at all if it is under way.
async fn due(postman: &Arc<Postman>) -> (Vec<Posted>, Duration) {
    // Those under way are among them.
    const MAX: usize = 2 * Dispatch::MAX_LANES;
    let for_reading = Arc::clone(postman);
    let read = tokio::task::spawn_blocking(move || for_reading.due(MAX));
    match read.await {
        Ok(Ok(due)) => due,
        Ok(Err(error)) => {
            postman.report_trouble(&chain(&error));
            (Vec::new(), Dispatch::NOT_BEFORE)
        }
        Err(error) => {
            tracing::error!(%error, "messages could not be read");
            (Vec::new(), Dispatch::NOT_BEFORE)
        }
    }
}
