//! The door for StatsD and DogStatsD: datagrams are added up here, and what has come together is
//! written every few seconds.

mod aggregate;
mod distribution;
mod settings;

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use barograph_model::Clock;
use barograph_wire::statsd::lines;
use tracing_mutex::stdsync::{Condvar, Mutex, MutexGuard};

use crate::ingest::{Door, Ingest};

use aggregate::Aggregate;
pub use settings::StatsdSettings;

/// Where datagrams come from. Receiving waits a moment at most, so that an end is noticed.
pub trait Datagrams: Send {
    /// The size of the next datagram, of which as much as fits is in `buffer`.
    ///
    /// # Errors
    /// None came within the moment (`WouldBlock` or `TimedOut`), or the socket is broken.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

impl Datagrams for UdpSocket {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv(buffer)
    }
}

/// How long [`Datagrams::receive`] may wait.
pub const DATAGRAM_PATIENCE: Duration = Duration::from_millis(200);

/// The running door. Closing it writes what came since the last time.
#[derive(Debug)]
pub struct Statsd {
    shared: Arc<Shared>,
    receivers: Mutex<Vec<JoinHandle<()>>>,
    flusher: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    aggregate: Mutex<Aggregate>,
    ingest: Arc<Ingest>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    stop: AtomicBool,
    stopping: Mutex<bool>,
    told: Condvar,
}

impl Statsd {
    /// The largest datagram that there can be.
    const MAX_DATAGRAM: usize = 65_536;
    /// Datagrams that are still taken at the end, should senders not stop.
    const MAX_LEFT_AT_END: usize = 10_000;
    /// All senders share one budget: a datagram's sender is only what it says.
    const SOURCE: &str = "local";

    /// # Errors
    /// The system gives no thread.
    pub fn start(
        settings: StatsdSettings,
        host: &str,
        sockets: Vec<Box<dyn Datagrams>>,
        ingest: Arc<Ingest>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let interval = settings.flush_interval;
        let max_series = ingest.max_series();
        let shared = Arc::new(Shared {
            aggregate: Mutex::new(Aggregate::new(settings, host, max_series)),
            ingest,
            clock,
            interval,
            stop: AtomicBool::new(false),
            stopping: Mutex::new(false),
            told: Condvar::new(),
        });
        let spawn = |name: &str, run: Box<dyn FnOnce(&Shared) + Send>| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(name.into()).spawn(move || run(&shared))
        };
        let mut receivers = Vec::new();
        for socket in sockets {
            let receive = move |shared: &Shared| shared.receive(socket);
            receivers.push(spawn("statsd", Box::new(receive))?);
        }
        let flusher = spawn("statsd-flush", Box::new(Shared::flush_regularly))?;
        Ok(Self { shared, receivers: Mutex::new(receivers), flusher: Mutex::new(Some(flusher)) })
    }

    /// Takes in no more, and writes what has come.
    pub fn close(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        receivers.drain(..).for_each(join);
        *self.shared.stopping.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.told.notify_all();
        let mut flusher = self.flusher.lock().unwrap_or_else(PoisonError::into_inner);
        flusher.take().into_iter().for_each(join);
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of StatsD panicked");
    }
}

impl Drop for Statsd {
    fn drop(&mut self) {
        self.close();
    }
}

fn is_only_silence(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

impl Shared {
    fn aggregate(&self) -> MutexGuard<'_, Aggregate> {
        self.aggregate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives until the end, and then what the system holds already.
    fn receive(&self, mut socket: Box<dyn Datagrams>) {
        let mut buffer = vec![0; Statsd::MAX_DATAGRAM];
        let mut was_broken = false;
        let mut left_at_end = Statsd::MAX_LEFT_AT_END;
        while left_at_end > 0 {
            let is_end = self.stop.load(Ordering::Relaxed);
            left_at_end -= usize::from(is_end);
            match socket.receive(&mut buffer) {
                Ok(size) => {
                    was_broken = false;
                    self.take(buffer.get(..size).unwrap_or(&buffer));
                }
                Err(_) if is_end => return,
                Err(error) if is_only_silence(&error) => {}
                Err(error) => {
                    if !was_broken {
                        tracing::warn!(error = %error, "StatsD's socket gives an error");
                    }
                    was_broken = true;
                    thread::sleep(DATAGRAM_PATIENCE);
                }
            }
        }
    }

    fn take(&self, datagram: &[u8]) {
        let now = self.clock.monotonic();
        let mut aggregate = self.aggregate();
        for line in lines(datagram) {
            aggregate.take(line, now);
        }
    }

    fn flush_regularly(&self) {
        let mut stopping = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopping {
            let waited = self.told.wait_timeout_while(stopping, self.wait(), |stop| !*stop);
            stopping = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !*stopping {
                self.flush();
            }
        }
        drop(stopping);
        // The receivers have ended by now.
        self.flush();
    }

    /// Until the next whole interval of the wall clock.
    fn wait(&self) -> Duration {
        let interval_ms = i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let since_ms = self.clock.now_ms().rem_euclid(interval_ms);
        Duration::from_millis((interval_ms - since_ms).unsigned_abs())
    }

    fn flush(&self) {
        let time_ms = self.clock.now_ms();
        let flushed = self.aggregate().flush(self.clock.monotonic());
        if flushed.is_empty() {
            return;
        }
        let source = self.ingest.source(Door::StatsD, Statsd::SOURCE);
        let mut intake = self.ingest.intake(&source);
        for (labels, value) in &flushed.samples {
            match intake.labelled(labels) {
                // A flush has fewer samples than a write may have, as the budget sees to.
                Ok(series) => drop(intake.sample(series, time_ms, *value)),
                Err(reason) => intake.refuse(reason, 1),
            }
        }
        for (reason, count, example) in flushed.refused {
            intake.refuse(reason, count);
            intake.explain(reason, || example);
        }
        if let Err(error) = intake.commit() {
            tracing::error!(error = barograph_model::chain(&error), "StatsD's metrics not stored");
        }
    }
}
