//! One shard's way out: in order, again and again until it is taken.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use barograph_fetch::{Client, ClientError, Credentials, SendError};
use barograph_model::{Clock, chain};
use barograph_wire::{remote_write, snappy};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Request, StatusCode};
use tokio::sync::{Notify, watch};
use tracing_mutex::stdsync::Mutex;

use super::Shard;
use super::config::Destination;
use super::spool::{Found, Position, Spool};

/// How a shard is doing.
#[derive(Debug, Default)]
pub(super) struct Health {
    pub(super) sent_samples: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) failed_requests: AtomicU64,
    /// Samples that the receiver will never take.
    pub(super) dead_samples: AtomicU64,
    /// Times that the window was sent again.
    pub(super) resends: AtomicU64,
    /// Samples sent again that the receiver refused, since it has them or newer ones.
    pub(super) resent_refused: AtomicU64,
    /// Since when what was taken is to be sent again, by the monotonic clock, until that begins.
    pub(super) again_since: Mutex<Option<Duration>>,
    /// What is left of what is sent again.
    pub(super) resend_bytes: AtomicU64,
    /// The time of the newest sample that was taken.
    pub(super) newest_ms: AtomicI64,
    /// Why the newest request failed, until one succeeds.
    pub(super) failure: Mutex<Option<String>>,
    /// What the receiver said of the newest samples that it refused for good.
    pub(super) dead_reason: Mutex<Option<String>>,
}

pub(super) struct Sender {
    destination: Arc<Destination>,
    spool: Arc<Spool>,
    health: Arc<Health>,
    more: Arc<Notify>,
    clock: Arc<dyn Clock>,
    client: Client,
    marks: PathBuf,
    /// What is sent next.
    cursor: Position,
    /// What lies before it was taken at least once.
    taken: Position,
    /// What lies before it may have been taken: its answer was lost, or the mark of it.
    doubtful: Position,
    /// What lies before it was taken longer ago than the window.
    safe: Position,
    /// Taken within the window: when, by the monotonic clock, and up to where.
    window: VecDeque<(Duration, Position)>,
    started_at: Option<f64>,
    asked_start: Option<Duration>,
    connections: u64,
    saved: Option<Duration>,
}

/// What became of a request.
enum Outcome {
    Taken,
    /// It will never be taken.
    Refused(String),
    /// Later.
    Retry {
        wait: Option<Duration>,
        reason: String,
    },
    /// No connection, or it broke: who comes back may be another process.
    Gone(String),
}

/// A larger answer is no receiver's.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The receiver's own metrics, for the time it was started.
const MAX_METRICS_BYTES: usize = 4 * 1024 * 1024;
const ASK_START_EVERY: Duration = Duration::from_secs(5);
const SAVE_EVERY: Duration = Duration::from_secs(1);
const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;

impl Sender {
    pub(super) fn new(
        destination: &Arc<Destination>,
        folder: &Path,
        shard: &Shard,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let marks = folder.join("marks");
        // Without marks everything is sent again, which changes nothing at the receiver.
        let (safe, taken) = read_marks(&marks).unwrap_or_default();
        shard.spool.sent(taken);
        Ok(Self {
            client: Client::new(&destination.url, &Credentials::None, &destination.tls)?,
            destination: Arc::clone(destination),
            spool: Arc::clone(&shard.spool),
            health: Arc::clone(&shard.health),
            more: Arc::clone(&shard.more),
            clock,
            marks,
            // The receiver may have started anew while nobody sent.
            cursor: safe,
            taken,
            // Marks are saved now and then: what was sent after the last of them is not known.
            doubtful: shard.spool.end(),
            safe,
            window: VecDeque::new(),
            started_at: None,
            asked_start: None,
            connections: 0,
            saved: None,
        })
    }

    pub(super) async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        tokio::select! {
            () = self.work() => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
        self.save();
    }

    async fn work(&mut self) {
        loop {
            self.move_window();
            self.look_for_a_new_start().await;
            self.follow_wishes();
            let bounds = [self.taken, self.doubtful];
            let until = bounds.into_iter().filter(|bound| self.cursor < *bound).min();
            match self.spool.read(self.cursor, self.destination.max_samples, until) {
                Ok(Some(found)) => self.pass_on(found).await,
                Ok(None) => {
                    const IDLE: Duration = Duration::from_secs(1);
                    match until {
                        Some(until) => self.cursor = until,
                        None => drop(tokio::time::timeout(IDLE, self.more.notified()).await),
                    }
                }
                Err(error) => {
                    self.failed(format!("the queue cannot be read: {error}"));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Sends until the records are taken, refused for good, or the receiver is gone.
    async fn pass_on(&mut self, found: Found) {
        let is_again = self.cursor < self.taken;
        let request = joined(&found.records);
        match self.deliver(&request).await {
            Outcome::Taken => {
                let sent = if is_again { 0 } else { found.samples };
                self.health.sent_samples.fetch_add(sent, Ordering::Relaxed);
            }
            Outcome::Refused(_) if is_again => {
                self.health.resent_refused.fetch_add(found.samples, Ordering::Relaxed);
            }
            Outcome::Refused(reason) => {
                let is_doubtful = self.cursor < self.doubtful;
                self.bisect(&request, found.samples, reason, is_doubtful).await;
            }
            Outcome::Gone(reason) | Outcome::Retry { reason, .. } => {
                self.failed(reason);
                self.doubtful = self.doubtful.max(found.end);
                return self.send_window_again();
            }
        }
        self.health.newest_ms.fetch_max(found.newest_ms, Ordering::Relaxed);
        self.cursor = found.end;
        self.taken = self.taken.max(self.cursor);
        self.spool.sent(self.taken);
        self.window.push_back((self.clock.monotonic(), self.cursor));
        // Another connection may lead to another process.
        let connections = self.client.connections();
        if std::mem::replace(&mut self.connections, connections) != connections
            && self.connections > 1
        {
            self.send_window_again();
        }
    }

    /// Finds the samples that the receiver refuses and drops only those. What is doubtful it may have
    /// taken before.
    async fn bisect(
        &mut self,
        request: &[u8],
        samples: u64,
        reason: String,
        mut is_doubtful: bool,
    ) {
        let Ok(pieces) = remote_write::split(request) else {
            return self.refused(samples, reason, is_doubtful);
        };
        let half = pieces.len().div_ceil(2);
        let mut stack: Vec<(&[Vec<u8>], Option<String>)> = if pieces.len() > 1 {
            pieces.chunks(half).rev().map(|one| (one, None)).collect()
        } else {
            vec![(&pieces, Some(reason))]
        };
        while let Some((part, reason)) = stack.pop() {
            if let Some(reason) = reason {
                self.refused(part.len() as u64, reason, is_doubtful);
                continue;
            }
            match self.deliver(&part.concat()).await {
                Outcome::Taken => {
                    self.health.sent_samples.fetch_add(part.len() as u64, Ordering::Relaxed);
                }
                Outcome::Refused(reason) if part.len() <= 1 => stack.push((part, Some(reason))),
                Outcome::Refused(_) => {
                    let half = part.len().div_ceil(2);
                    stack.extend(part.chunks(half).rev().map(|one| (one, None)));
                }
                Outcome::Gone(reason) | Outcome::Retry { reason, .. } => {
                    self.failed(reason);
                    is_doubtful = true;
                    stack.push((part, None));
                }
            }
        }
    }

    fn refused(&self, samples: u64, reason: String, is_doubtful: bool) {
        if is_doubtful {
            self.health.resent_refused.fetch_add(samples, Ordering::Relaxed);
            return;
        }
        let before = self.health.dead_samples.fetch_add(samples, Ordering::Relaxed);
        let mut kept = self.health.dead_reason.lock().unwrap_or_else(PoisonError::into_inner);
        if before == 0 || kept.as_ref() != Some(&reason) {
            let name = &self.destination.name;
            tracing::warn!(destination = name, samples, reason, "samples refused by the receiver");
        }
        *kept = Some(reason);
    }

    /// Sends one request until there is an answer that is not "later".
    async fn deliver(&mut self, request: &[u8]) -> Outcome {
        let Ok(body) = snap::raw::Encoder::new().compress_vec(request) else {
            return Outcome::Refused("the request is too large to be packed".to_owned());
        };
        let body = Bytes::from(body);
        for attempt in 0_u32.. {
            self.health.requests.fetch_add(1, Ordering::Relaxed);
            let outcome = self.attempt(body.clone()).await;
            match outcome {
                Outcome::Taken | Outcome::Refused(_) => {
                    self.well();
                    return outcome;
                }
                Outcome::Retry { wait, reason } => {
                    self.health.failed_requests.fetch_add(1, Ordering::Relaxed);
                    self.failed(reason);
                    tokio::time::sleep(wait.unwrap_or_else(|| self.back_off(attempt))).await;
                }
                Outcome::Gone(reason) => {
                    self.health.failed_requests.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(self.back_off(1)).await;
                    return Outcome::Gone(reason);
                }
            }
        }
        Outcome::Gone(String::new())
    }

    async fn attempt(&self, body: Bytes) -> Outcome {
        let path = self.destination.url.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(CONTENT_ENCODING, "snappy")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0")
            .body(Full::new(body));
        let mut request = match request {
            Ok(request) => request,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        // A secret may be changed in its file at any time; one that is gone for now may come back.
        match self.destination.sign_in.headers() {
            Ok(headers) => request.headers_mut().extend(headers),
            Err(reason) => return Outcome::Retry { wait: None, reason },
        }
        let patience = self.destination.timeout;
        let sent = self.client.send(request, MAX_ANSWER_BYTES);
        let answer = match tokio::time::timeout(patience, sent).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error @ (SendError::TooLarge { .. } | SendError::Tls(_)))) => {
                return Outcome::Retry { wait: None, reason: chain(&error) };
            }
            Ok(Err(error)) => return Outcome::Gone(chain(&error)),
            Err(_) => {
                return Outcome::Gone(format!("no answer within {} ms", patience.as_millis()));
            }
        };
        let said = String::from_utf8_lossy(&answer.body);
        let said: String = said.trim().chars().take(300).collect();
        let reason = format!("the receiver answered {}: {said}", answer.status);
        match answer.status {
            status if status.is_success() => Outcome::Taken,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Outcome::Retry { wait: retry_after(answer.headers.get(RETRY_AFTER)), reason }
            }
            // What is wrong is the address or the secret: waiting loses nothing.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                Outcome::Retry { wait: None, reason }
            }
            status if status.is_client_error() => Outcome::Refused(reason),
            _ => Outcome::Retry { wait: retry_after(answer.headers.get(RETRY_AFTER)), reason },
        }
    }

    /// Doubles from a tenth of a second to thirty, with chance in it so that shards do not beat
    /// together.
    fn back_off(&self, attempt: u32) -> Duration {
        const MOST_MS: u64 = 30_000;
        let most_ms = (100_u64 << attempt.min(9)).min(MOST_MS);
        let chance = u64::from(self.clock.monotonic().subsec_nanos()) % (most_ms / 2 + 1);
        Duration::from_millis(most_ms / 2 + chance)
    }

    /// A receiver that was started since it took samples may have lost them.
    async fn look_for_a_new_start(&mut self) {
        let now = self.clock.monotonic();
        if self.asked_start.is_some_and(|last| now < last + ASK_START_EVERY) {
            return;
        }
        self.asked_start = Some(now);
        let Ok(mut request) = Request::get("/metrics").body(Full::default()) else { return };
        let Ok(headers) = self.destination.sign_in.headers() else { return };
        request.headers_mut().extend(headers);
        let asked = self.client.send(request, MAX_METRICS_BYTES);
        let patience = self.destination.timeout.min(ASK_START_EVERY);
        let Ok(Ok(answer)) = tokio::time::timeout(patience, asked).await else { return };
        let text = String::from_utf8_lossy(&answer.body);
        let line = text.lines().find_map(|line| line.strip_prefix("process_start_time_seconds "));
        let Some(start) = line.and_then(|value| value.trim().parse::<f64>().ok()) else { return };
        let before = self.started_at.replace(start);
        if before.is_some_and(|before| before.total_cmp(&start).is_ne()) {
            self.send_window_again();
        }
    }

    /// Goes back to what was taken since a time that somebody named.
    fn follow_wishes(&mut self) {
        let wished = *self.health.again_since.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = wished {
            self.window.retain(|(at, _)| *at < since);
            let place = self.window.back().map_or(self.safe, |(_, position)| *position);
            if self.cursor > place {
                self.health.resends.fetch_add(1, Ordering::Relaxed);
                self.cursor = place;
            }
        }
        let left = self.spool.bytes_between(self.cursor, self.taken);
        self.health.resend_bytes.store(left, Ordering::Relaxed);
        let mut wish = self.health.again_since.lock().unwrap_or_else(PoisonError::into_inner);
        if *wish == wished {
            *wish = None;
        }
    }

    /// Goes back to what was taken longest ago within the window.
    fn send_window_again(&mut self) {
        if self.cursor > self.safe {
            self.health.resends.fetch_add(1, Ordering::Relaxed);
            self.cursor = self.safe;
        }
        // What is sent again is young again: it is kept for the window after this sending.
        self.window.clear();
    }

    /// Forgets what was taken longer ago than the window.
    fn move_window(&mut self) {
        let now = self.clock.monotonic();
        while let Some((at, position)) = self.window.front().copied() {
            if now < at + self.destination.resend_window {
                break;
            }
            self.safe = self.safe.max(position);
            self.window.pop_front();
        }
        if self.saved.is_none_or(|last| now >= last + SAVE_EVERY) {
            self.saved = Some(now);
            self.save();
        }
    }

    fn save(&self) {
        let Position { segment, offset } = self.safe;
        let text = format!("{segment} {offset} {} {}\n", self.taken.segment, self.taken.offset);
        let new = self.marks.with_extension("new");
        let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &self.marks));
        if let Err(error) = written.and_then(|()| self.spool.forget_before(self.safe)) {
            let name = &self.destination.name;
            tracing::debug!(destination = name, error = %error, "marks of the queue not written");
        }
    }

    fn failed(&self, reason: String) {
        let mut kept = self.health.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            let name = &self.destination.name;
            tracing::warn!(destination = name, reason, "samples cannot be sent on, they wait");
        }
        *kept = Some(reason);
    }

    fn well(&self) {
        let mut kept = self.health.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.take().is_some() {
            tracing::info!(destination = self.destination.name, "samples are sent on again");
        }
    }
}

/// Requests one after the other are one request.
fn joined(records: &[Vec<u8>]) -> Vec<u8> {
    let mut request = Vec::new();
    let mut one = Vec::new();
    for record in records {
        one.clear();
        // The checksum of the record was good, so that this is what was packed.
        if snappy::unpack(record, MAX_REQUEST_BYTES, &mut one).is_ok() {
            request.extend_from_slice(&one);
        }
    }
    request
}

fn retry_after(header: Option<&hyper::header::HeaderValue>) -> Option<Duration> {
    const MOST_S: u64 = 300;
    let seconds: u64 = header?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(MOST_S)))
}

fn read_marks(path: &Path) -> Option<(Position, Position)> {
    let text = fs::read_to_string(path).ok()?;
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut position = || {
        let (segment, offset) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(Position { segment, offset })
    };
    Some((position()?, position()?))
}
