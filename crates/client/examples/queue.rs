//! A program with a queue that exports how many jobs wait and how long each took.
//!
//!     cargo run -p barograph-client --example queue -- --listen 127.0.0.1:9300
//!     cargo run -p barograph-client --example queue -- --push http://127.0.0.1:7575/api/v1/push
//!
//! Five jobs come in each second and the worker manages two, so the queue grows and the rules in
//! `queue.rules.yml` beside this file fire. `docs/guide/own-program.md` goes through it.

use std::error::Error;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use barograph_client::{Counter, Gauge, Histogram, PushSettings, Registry};

/// Upper bounds of the buckets, in seconds: close together where the rule looks.
const BOUNDS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const MOST_WAITING: usize = 10_000;

/// What the program tells about its queue.
struct Metrics {
    waiting: Gauge,
    turned_away: Counter,
    latency: Histogram,
}

impl Metrics {
    fn new(registry: &Registry, queue: &str) -> Result<Self, Box<dyn Error>> {
        let labels = [("queue", queue)];
        Ok(Self {
            waiting: registry.gauge("queue_length", "Jobs that wait.", &labels)?,
            turned_away: registry.counter(
                "jobs_turned_away_total",
                "Jobs that found the queue full.",
                &labels,
            )?,
            latency: registry.histogram(
                "job_seconds",
                "From a job's arrival to its end.",
                &labels,
                BOUNDS,
            )?,
        })
    }
}

/// Where the metrics go, and how busy the program is.
pub(crate) struct Settings {
    pub(crate) listen: Option<String>,
    pub(crate) push: Option<String>,
    pub(crate) every_job: Duration,
    pub(crate) one_job: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings {
        listen: None,
        push: None,
        every_job: Duration::from_millis(200),
        one_job: Duration::from_millis(500),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` wants an address"))?;
        match word.as_str() {
            "--listen" => settings.listen = Some(value),
            "--push" => settings.push = Some(value),
            _ => return Err(format!("`{word}` is neither --listen nor --push").into()),
        }
    }
    run(&settings, || true)
}

/// Takes jobs for as long as it should.
pub(crate) fn run(
    settings: &Settings,
    goes_on: impl Fn() -> bool + Sync,
) -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let metrics = Metrics::new(&registry, "mail")?;
    // Both end when they are dropped.
    let _page = settings.listen.as_deref().map(|address| registry.serve(address)).transpose()?;
    let _pusher = match &settings.push {
        Some(url) => Some(registry.push(&PushSettings::new(url).every(Duration::from_secs(1)))?),
        None => None,
    };
    let (queue, jobs) = sync_channel::<Instant>(MOST_WAITING);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for arrived in jobs {
                metrics.waiting.add(-1.0);
                if goes_on() {
                    // The work itself.
                    std::thread::sleep(settings.one_job);
                    metrics.latency.observe_duration(arrived.elapsed());
                }
            }
        });
        while goes_on() {
            take(&queue, &metrics);
            std::thread::sleep(settings.every_job);
        }
        drop(queue);
    });
    Ok(())
}

fn take(queue: &SyncSender<Instant>, metrics: &Metrics) {
    #[expect(clippy::disallowed_methods, reason = "a program of its own has no other clock")]
    let now = Instant::now();
    // Counted before the worker can take it: a queue is never shorter than empty.
    metrics.waiting.add(1.0);
    if let Err(TrySendError::Full(_)) = queue.try_send(now) {
        metrics.waiting.add(-1.0);
        metrics.turned_away.increment();
    }
}
