//! From the collectors to the store and to everybody who watches.
//!
//! A batch is shown at once and stored behind: a slow or full disk must not blind the page in the
//! very minutes it is needed. What the store refuses for now waits here, in bounded number, and is
//! stored when it recovers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use barograph_model::Batch;
use barograph_store::Store;
use tracing_mutex::stdsync::{Condvar, Mutex, MutexGuard};

use crate::forward::Forward;
use crate::latest::Latest;

/// Takes batches in. Closing it waits until everything is stored.
#[derive(Debug)]
pub struct Feed {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    latest: Arc<Latest>,
    store: Arc<Store>,
    forward: Arc<Forward>,
    queue: Mutex<Queue>,
    changed: Condvar,
    stored_ms: AtomicI64,
    lost: AtomicU64,
    failures: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Batch>>,
    closing: bool,
    /// Why the newest attempt to store failed, until one succeeds.
    failure: Option<String>,
}

/// How the feed is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// Batches that are shown but not stored yet.
    pub waiting: usize,
    /// Batches that were given up, since too many waited.
    pub lost: u64,
    /// Attempts to store that failed.
    pub failures: u64,
    /// Why the newest attempt failed; nothing when it succeeded.
    pub failure: Option<String>,
}

impl Feed {
    /// A quarter of an hour at one batch per second.
    const MAX_WAITING: usize = 900;
    const RETRY_AFTER: Duration = Duration::from_secs(1);
    /// At the end, a store that keeps refusing is given this many attempts.
    const ATTEMPTS_AT_CLOSE: u32 = 3;

    /// # Errors
    /// The system gives no thread.
    pub fn start(
        store: Arc<Store>,
        latest: Arc<Latest>,
        forward: Arc<Forward>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            latest,
            store,
            forward,
            queue: Mutex::default(),
            changed: Condvar::new(),
            stored_ms: AtomicI64::new(0),
            lost: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        });
        let for_thread = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("feed".into()).spawn(move || for_thread.run())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Shows a batch and queues it for the store. Never waits for the disk.
    pub fn offer(&self, batch: Batch) {
        self.shared.latest.publish(&batch);
        let mut queue = self.shared.queue();
        if queue.waiting.len() >= Self::MAX_WAITING {
            queue.waiting.pop_front();
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
        queue.waiting.push_back(Arc::new(batch));
        drop(queue);
        self.shared.changed.notify_one();
    }

    /// The time of the newest batch that is stored.
    pub(crate) fn stored_ms(&self) -> i64 {
        self.shared.stored_ms.load(Ordering::Acquire)
    }

    pub fn status(&self) -> FeedStatus {
        let queue = self.shared.queue();
        FeedStatus {
            waiting: queue.waiting.len(),
            lost: self.shared.lost.load(Ordering::Relaxed),
            failures: self.shared.failures.load(Ordering::Relaxed),
            failure: queue.failure.clone(),
        }
    }

    /// Stores what waits, then stops. Gives the number of batches that could not be stored.
    pub fn close(&self) -> usize {
        self.shared.queue().closing = true;
        self.shared.changed.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("feed thread panicked");
        }
        self.shared.queue().waiting.len()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut attempts_left = Feed::ATTEMPTS_AT_CLOSE;
        while let Some((batch, closing)) = self.next() {
            match self.store.append(std::slice::from_ref(&*batch)) {
                Ok(_) => {
                    let samples = batch.samples.iter();
                    self.forward.offer(&samples.map(|one| (&one.labels, batch.time_ms, one.value)));
                    self.stored(&batch);
                }
                Err(error) => {
                    self.failed(&batch, &error);
                    if closing {
                        attempts_left -= 1;
                        if attempts_left == 0 {
                            return;
                        }
                    }
                    self.wait_before_retry();
                }
            }
        }
    }

    /// The oldest waiting batch, which stays in the queue until it is stored; nothing at the end.
    fn next(&self) -> Option<(Arc<Batch>, bool)> {
        let mut queue = self.queue();
        loop {
            if let Some(batch) = queue.waiting.front() {
                return Some((Arc::clone(batch), queue.closing));
            }
            if queue.closing {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stored(&self, batch: &Arc<Batch>) {
        let mut queue = self.queue();
        if queue.waiting.front().is_some_and(|front| Arc::ptr_eq(front, batch)) {
            queue.waiting.pop_front();
        }
        if queue.failure.take().is_some() {
            tracing::info!(waiting = queue.waiting.len(), "store takes samples again");
        }
        drop(queue);
        self.stored_ms.store(batch.time_ms, Ordering::Release);
    }

    fn failed(&self, batch: &Batch, error: &barograph_store::AppendError) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let text = barograph_model::chain(error);
        let mut queue = self.queue();
        let repeated = queue.failure.as_ref() == Some(&text);
        queue.failure = Some(text.clone());
        drop(queue);
        if !repeated {
            tracing::error!(
                error = text,
                time_ms = batch.time_ms,
                "samples not stored, kept for later"
            );
        }
    }

    fn wait_before_retry(&self) {
        let queue = self.queue();
        if queue.closing {
            drop(queue);
            std::thread::sleep(Duration::from_millis(100));
            return;
        }
        let waited = self
            .changed
            .wait_timeout_while(queue, Feed::RETRY_AFTER, |queue| !queue.closing)
            .unwrap_or_else(PoisonError::into_inner);
        drop(waited);
    }
}
