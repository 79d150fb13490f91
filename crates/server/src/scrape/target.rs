//! One target: when it is asked, what became of it.

use std::hash::{Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use barograph_fetch::{Client, ClientError, Credentials, SendError};
use barograph_model::{Clock, Labels, METRIC_NAME, STALE, chain};
use barograph_wire::text::Format;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION};
use hyper::{Request, StatusCode, Uri};
use tokio::sync::{OnceCell, watch};
use tracing_mutex::stdsync::{Mutex, MutexGuard};

use super::job::{Job, Spec};
use crate::ingest::{Door, Ingest, Intake, Source, TooManySamples, WriteError};
use crate::page::{Page, Refused, Seen, Stored, put};

/// An address and how it is doing.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) spec: Spec,
    /// Made when it is first asked, again and again while its certificates cannot be used.
    client: OnceCell<(Client, Uri)>,
    health: Mutex<Health>,
    pub(crate) scrapes: AtomicU64,
    pub(crate) failures: AtomicU64,
}

/// What became of the newest scrape.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    /// Nothing before the first scrape.
    pub(crate) is_up: Option<bool>,
    pub(crate) error: Option<String>,
    pub(crate) time_ms: i64,
    pub(crate) took: Duration,
}

/// Whether a target is to be asked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    /// It is no target any more: its series end.
    Gone,
    /// The server stops.
    Stop,
}

/// Why a target gave no samples.
#[derive(Debug, thiserror::Error)]
enum ScrapeError {
    #[error("no answer within {} ms", .0.as_millis())]
    TooSlow(Duration),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("the answer is {status}{hint}")]
    Status { status: StatusCode, hint: String },
    #[error("the answer is of type `{content_type}`, not a page of metrics")]
    NoMetrics { content_type: String },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0}")]
    SignIn(String),
    #[error(transparent)]
    BrokenOff(#[from] tokio::task::JoinError),
    #[error("the request cannot be made")]
    Request(#[source] hyper::http::Error),
}

/// Why a write of a scrape is given up.
#[derive(Debug, thiserror::Error)]
enum GatherError {
    #[error(transparent)]
    TooMany(#[from] TooManySamples),
}

/// What a target's task has.
pub(super) struct AtWork {
    pub(super) target: Arc<Target>,
    pub(super) job: Arc<Job>,
    pub(super) ingest: Arc<Ingest>,
    pub(super) clock: Arc<dyn Clock>,
}

/// The series that say how scraping went.
const REPORT: [&str; 8] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
];

/// Those of them that every target has.
const USUAL: usize = 5;

impl Target {
    pub(super) fn new(spec: Spec) -> Self {
        Self {
            spec,
            client: OnceCell::new(),
            health: Mutex::default(),
            scrapes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where in the interval it is asked: spread, and the same after a restart.
    fn offset_ms(&self, interval_ms: i64) -> i64 {
        let mut hasher = std::hash::DefaultHasher::new();
        (&self.spec.url, &self.spec.labels).hash(&mut hasher);
        let spread = hasher.finish() % interval_ms.unsigned_abs().max(1);
        i64::try_from(spread).unwrap_or(0)
    }
}

fn client(url: &str, job: &Job) -> Result<(Client, Uri), ClientError> {
    let uri: Uri = url.parse().map_err(|_| ClientError::Url { url: url.to_owned() })?;
    Ok((Client::new(&uri, &Credentials::None, &job.tls)?, uri))
}

impl AtWork {
    pub(super) async fn run(self, mut going: watch::Receiver<Go>) {
        let interval_ms =
            i64::try_from(self.target.spec.pace.interval.as_millis()).unwrap_or(i64::MAX);
        let offset_ms = self.target.offset_ms(interval_ms);
        let name = |label| {
            let found = self.target.spec.labels.iter().find(|(name, _)| name == label);
            found.map_or("", |(_, value)| value.as_str())
        };
        let source = format!("{}/{}", name("job"), name("instance"));
        let source = self.ingest.source(Door::Scrape, &source);
        let seen = Arc::new(Mutex::new(Seen::default()));
        loop {
            let now_ms = self.clock.now_ms();
            let wait_ms = interval_ms - (now_ms - offset_ms).rem_euclid(interval_ms);
            let wait = Duration::from_millis(wait_ms.unsigned_abs());
            let changed = async { going.wait_for(|go| *go != Go::On).await.map(|go| *go) };
            if let Ok(go) = tokio::time::timeout(wait, changed).await {
                let is_gone = go.is_ok_and(|go| go == Go::Gone);
                if is_gone {
                    self.end(source, &seen).await;
                }
                return;
            }
            self.scrape(&source, &seen, now_ms + wait_ms).await;
        }
    }

    async fn scrape(&self, source: &Arc<Source>, seen: &Arc<Mutex<Seen>>, time_ms: i64) {
        let started = self.clock.monotonic();
        let timeout = self.target.spec.pace.timeout;
        let answer = match tokio::time::timeout(timeout, self.ask()).await {
            Ok(answer) => answer,
            Err(_) => Err(ScrapeError::TooSlow(timeout)),
        };
        let took = self.clock.monotonic().saturating_sub(started);
        let (job, target) = (Arc::clone(&self.job), Arc::clone(&self.target));
        let (seen, ingest) = (Arc::clone(seen), Arc::clone(&self.ingest));
        let gather = move |intake: &mut Intake<'_>| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let labels = &target.spec.labels;
            let body_bytes = answer.as_ref().map_or(0, |(_, body)| body.len());
            let refused = |refused: Refused| {
                let Refused { error, scraped, kept } = refused;
                (Page { scraped, kept, ..Page::default() }, chain(&error))
            };
            let read = answer.map_err(|error| (Page::default(), chain(&error))).and_then(
                |(format, body)| {
                    let page = seen.read(&body, format, &job.reading, labels, ingest.infos());
                    page.map_err(refused)
                },
            );
            let (page, error) = match read {
                Ok(page) => (page, None),
                Err((page, error)) => (Page { samples: seen.end_all(), ..page }, Some(error)),
            };
            let is_up = error.is_none();
            let values = [
                f64::from(u8::from(is_up)),
                took.as_secs_f64(),
                page.scraped as f64,
                page.kept as f64,
                page.added as f64,
                timeout.as_secs_f64(),
                job.reading.limits.samples as f64,
                body_bytes as f64,
            ];
            let report = report(&job, labels, values);
            for sample in page.samples.into_iter().chain(report) {
                put(intake, &sample, time_ms)?;
            }
            target.tell(&job, Health { is_up: Some(is_up), error, time_ms, took });
            Ok::<_, GatherError>(())
        };
        self.stored(self.ingest.write(Arc::clone(source), gather).await.map(drop));
    }

    /// The target is gone: nothing of it goes on.
    async fn end(&self, source: Arc<Source>, seen: &Arc<Mutex<Seen>>) {
        let time_ms = self.clock.now_ms();
        let (job, target) = (Arc::clone(&self.job), Arc::clone(&self.target));
        let seen = Arc::clone(seen);
        let gather = move |intake: &mut Intake<'_>| {
            let ended = seen.lock().unwrap_or_else(PoisonError::into_inner).end_all();
            let report = report(&job, &target.spec.labels, [STALE; REPORT.len()]);
            for sample in ended.into_iter().chain(report) {
                put(intake, &sample, time_ms)?;
            }
            Ok::<_, GatherError>(())
        };
        self.stored(self.ingest.write(source, gather).await.map(drop));
    }

    fn stored(&self, outcome: Result<(), WriteError<GatherError>>) {
        if let Err(error) = outcome {
            let error = format!("not stored: {}", chain(&error));
            let before = self.target.health().clone();
            self.target
                .tell(&self.job, Health { error: Some(error), is_up: Some(false), ..before });
        }
    }

    async fn ask(&self) -> Result<(Format, Bytes), ScrapeError> {
        let (client, uri) =
            self.target.client.get_or_try_init(async || self.client().await).await?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::get(path)
            .header(ACCEPT, &self.job.asking.accept)
            .header(
                "X-Prometheus-Scrape-Timeout-Seconds",
                self.target.spec.pace.timeout.as_secs_f64().to_string(),
            )
            .body(Full::default())
            .map_err(ScrapeError::Request)?;
        request.headers_mut().extend(self.signed_in().await.map_err(ScrapeError::SignIn)?);
        let answer = client.send(request, self.job.reading.limits.body_bytes).await?;
        let header = |name| {
            let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default()
        };
        if answer.status != StatusCode::OK {
            let hint = match header(LOCATION) {
                "" => String::new(),
                place => {
                    let place: String = place.chars().take(200).collect();
                    format!(" to `{place}`; redirects are not followed")
                }
            };
            return Err(ScrapeError::Status { status: answer.status, hint });
        }
        let content_type = header(CONTENT_TYPE);
        let format = self.job.asking.format(content_type).ok_or_else(|| {
            ScrapeError::NoMetrics { content_type: content_type.chars().take(100).collect() }
        })?;
        Ok((format, answer.body))
    }

    /// Certificates are read where waiting is allowed.
    async fn client(&self) -> Result<(Client, Uri), ScrapeError> {
        let (target, job) = (Arc::clone(&self.target), Arc::clone(&self.job));
        Ok(tokio::task::spawn_blocking(move || client(&target.spec.url, &job)).await??)
    }

    /// What says who we are. Files are read where waiting is allowed.
    async fn signed_in(&self) -> Result<HeaderMap, String> {
        if !self.job.sign_in.has_files() {
            return self.job.sign_in.headers();
        }
        let job = Arc::clone(&self.job);
        let read = tokio::task::spawn_blocking(move || job.sign_in.headers()).await;
        read.unwrap_or_else(|error| Err(error.to_string()))
    }
}

impl Target {
    /// Takes down how it went, and logs when that changes.
    fn tell(&self, job: &Job, health: Health) {
        self.scrapes.fetch_add(1, Ordering::Relaxed);
        let mut kept = self.health();
        let was_up = kept.is_up;
        if let Some(error) = &health.error {
            self.failures.fetch_add(1, Ordering::Relaxed);
            if was_up != Some(false) {
                tracing::warn!(job = job.name, url = self.spec.url, error, "target is down");
            }
        } else if was_up == Some(false) {
            tracing::info!(job = job.name, url = self.spec.url, "target is up again");
        }
        *kept = health;
    }
}

fn report(job: &Job, target: &[(String, String)], values: [f64; REPORT.len()]) -> Vec<Stored> {
    let count = if job.tells_more { REPORT.len() } else { USUAL };
    let sample = |(name, value): (&str, f64)| {
        let name = (METRIC_NAME, name);
        let pairs = target.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain([name]);
        // The target's labels were checked when it was made.
        Labels::new(pairs).ok().map(|labels| Stored { labels, value, time_ms: None })
    };
    REPORT.into_iter().zip(values).take(count).filter_map(sample).collect()
}
