//! Readings that are taken when somebody asks: what is too much to be read every second.

use std::sync::Arc;
use std::time::Duration;

use barograph_collect::Error;
use barograph_model::Clock;
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

/// Takes a reading on a thread of its own. One at a time, however many ask, and whoever asks soon
/// after another gets the same: a reading that hangs costs one thread.
pub(crate) struct OnDemand<T> {
    read: Arc<dyn Fn() -> Result<T, Error> + Send + Sync>,
    clock: Arc<dyn Clock>,
    max_age: Duration,
    state: Mutex<State<T>>,
}

struct State<T> {
    newest: Option<(Duration, Arc<Taken<T>>)>,
    under_way: Option<oneshot::Receiver<Result<T, Error>>>,
}

/// A reading and its time.
#[derive(Debug)]
pub(crate) struct Taken<T> {
    pub(crate) time_ms: i64,
    pub(crate) value: T,
}

/// Why there is no reading.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("the system takes longer than {} s to answer; ask again later", PATIENCE.as_secs())]
    TooSlow,
    #[error("the reading broke down; see the log")]
    Broken,
    #[error(transparent)]
    Refused(#[from] Error),
}

/// Longer than any system takes that is well.
const PATIENCE: Duration = Duration::from_secs(10);

impl<T> std::fmt::Debug for OnDemand<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnDemand").finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> OnDemand<T> {
    pub(crate) fn new(
        clock: &Arc<dyn Clock>,
        max_age: Duration,
        read: impl Fn() -> Result<T, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            read: Arc::new(read),
            clock: Arc::clone(clock),
            max_age,
            state: Mutex::new(State { newest: None, under_way: None }),
        }
    }

    pub(crate) async fn get(&self) -> Result<Arc<Taken<T>>, NotTaken> {
        let mut state =
            timeout(PATIENCE, self.state.lock()).await.map_err(|_| NotTaken::TooSlow)?;
        if let Some((at, taken)) = &state.newest
            && self.clock.monotonic().saturating_sub(*at) < self.max_age
        {
            return Ok(Arc::clone(taken));
        }
        let mut under_way = match state.under_way.take() {
            Some(under_way) => under_way,
            None => self.start()?,
        };
        let Ok(answer) = timeout(PATIENCE, &mut under_way).await else {
            state.under_way = Some(under_way);
            return Err(NotTaken::TooSlow);
        };
        let value = answer.map_err(|_| NotTaken::Broken)??;
        let taken = Arc::new(Taken { time_ms: self.clock.now_ms(), value });
        state.newest = Some((self.clock.monotonic(), Arc::clone(&taken)));
        Ok(taken)
    }

    /// Not on the runtime's threads: stopping the program would wait for one that hangs.
    fn start(&self) -> Result<oneshot::Receiver<Result<T, Error>>, NotTaken> {
        let (sender, receiver) = oneshot::channel();
        let read = Arc::clone(&self.read);
        let started = std::thread::Builder::new().name("barograph-ask".into()).spawn(move || {
            // Nobody waits any more if the program ends.
            drop(sender.send(read()));
        });
        started.map(|_| receiver).map_err(|error| {
            tracing::warn!(error = %error, "no thread for a reading");
            NotTaken::Broken
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;

    use barograph_testkit::FakeClock;

    use super::*;

    fn counting(clock: &Arc<FakeClock>) -> OnDemand<u64> {
        let count = AtomicU64::new(0);
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        OnDemand::new(&clock, Duration::from_secs(10), move || {
            Ok(count.fetch_add(1, Ordering::Relaxed))
        })
    }

    #[tokio::test]
    async fn a_reading_serves_all_who_ask_until_it_is_old() {
        let clock = Arc::new(FakeClock::new(5000));
        let reading = counting(&clock);
        for _ in 0..3 {
            let taken = reading.get().await.unwrap();
            assert_eq!((taken.value, taken.time_ms), (0, 5000));
        }
        clock.advance(Duration::from_secs(10));
        assert_eq!(reading.get().await.unwrap().value, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_that_hangs_is_waited_for_and_not_started_again() {
        let (go_on, hang) = mpsc::channel::<()>();
        let hang = tracing_mutex::stdsync::Mutex::new(hang);
        let clock: Arc<dyn Clock> = Arc::new(FakeClock::new(0));
        let starts = Arc::new(AtomicU64::new(0));
        let reading = OnDemand::new(&clock, Duration::from_secs(1), {
            let starts = Arc::clone(&starts);
            move || {
                hang.lock().unwrap().recv().ok();
                Ok(starts.fetch_add(1, Ordering::Relaxed))
            }
        });
        for _ in 0..2 {
            assert!(matches!(reading.get().await, Err(NotTaken::TooSlow)));
        }
        go_on.send(()).unwrap();
        tokio::time::resume();
        assert_eq!(reading.get().await.unwrap().value, 0);
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_reading_that_panics_is_an_error_and_the_next_is_tried() {
        let clock: Arc<dyn Clock> = Arc::new(FakeClock::new(0));
        let count = AtomicU64::new(0);
        let reading = OnDemand::new(&clock, Duration::from_secs(1), move || {
            assert!(count.fetch_add(1, Ordering::Relaxed) > 0, "the first one fails");
            Ok(7)
        });
        assert!(matches!(reading.get().await, Err(NotTaken::Broken)));
        assert_eq!(reading.get().await.unwrap().value, 7);
    }
}
