//! Sending on: every sample that the store takes goes to other servers, too, by Prometheus' remote
//! write 1.0.
//!
//! Samples wait in a spool on disk ([`spool`]), one for each shard of a destination; a series always
//! goes to the same shard, so that its samples arrive in order. What a receiver has taken is kept
//! for a window and sent again when the receiver started anew, since receivers acknowledge samples
//! before they are on their disks.

mod again;
mod answer;
mod config;
mod sender;
mod spool;

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use barograph_model::{Clock, Labels};
use barograph_wire::relabel::{LabelMap, relabel};
use barograph_wire::remote_write::{label_bytes, put_sample};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tracing_mutex::stdsync::Mutex;

use sender::{Health, Sender};
use spool::{Bounds, MAX_RECORD_BYTES, Spool};

pub(crate) use again::AgainError;
pub use answer::ForwardAnswer;
pub use config::{Destination, RemoteWriteConfig};

/// Sends on until it is stopped.
#[derive(Debug)]
pub struct Forward {
    destinations: Vec<Outlet>,
    clock: Arc<dyn Clock>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// One destination at work.
#[derive(Debug)]
struct Outlet {
    destination: Arc<Destination>,
    shards: Vec<Shard>,
    routes: Mutex<HashMap<Labels, Option<Route>, foldhash::quality::RandomState>>,
    /// Samples that could not be queued: the disk refused.
    unqueued: AtomicU64,
    failure: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Shard {
    spool: Arc<Spool>,
    health: Arc<Health>,
    more: Arc<Notify>,
}

/// Where a series goes, and its labels as they are written.
#[derive(Debug, Clone)]
struct Route {
    shard: usize,
    labels: Arc<[u8]>,
}

/// Why sending on cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    #[error("cannot open the queue of `{name}` in {folder}")]
    Spool { name: String, folder: String, source: io::Error },
    #[error("`{name}` cannot be sent to")]
    Client { name: String, source: Box<dyn std::error::Error + Send + Sync> },
}

/// A sample on its way out.
pub(crate) type Outgoing<'a> = (&'a Labels, i64, f64);

impl Forward {
    /// Must be called where tokio runs. Queues are in folders of `data`.
    ///
    /// # Errors
    /// A queue that cannot be opened, or certificates that cannot be used.
    pub fn start(
        destinations: Vec<Destination>,
        data: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ForwardError> {
        let (stop, stopping) = watch::channel(false);
        let (mut outlets, mut tasks) = (Vec::new(), Vec::new());
        for destination in destinations {
            let destination = Arc::new(destination);
            let mut shards = Vec::new();
            for number in 0..destination.shards {
                let folder = data.join("forward").join(&destination.name).join(number.to_string());
                let age_ms = i64::try_from(destination.queue_age.as_millis()).unwrap_or(i64::MAX);
                let bounds = Bounds { bytes: destination.queue_bytes, age_ms };
                let spool = Spool::open(&folder, bounds).map_err(|source| ForwardError::Spool {
                    name: destination.name.clone(),
                    folder: folder.display().to_string(),
                    source,
                })?;
                let shard =
                    Shard { spool: Arc::new(spool), health: Arc::default(), more: Arc::default() };
                let sender = Sender::new(&destination, &folder, &shard, Arc::clone(clock));
                let sender = sender.map_err(|source| ForwardError::Client {
                    name: destination.name.clone(),
                    source: source.into(),
                })?;
                tasks.push(tokio::spawn(sender.run(stopping.clone())));
                shards.push(shard);
            }
            outlets.push(Outlet {
                destination,
                shards,
                routes: Mutex::default(),
                unqueued: AtomicU64::new(0),
                failure: Mutex::default(),
            });
        }
        let clock = Arc::clone(clock);
        Ok(Self { destinations: outlets, clock, stop, tasks: Mutex::new(tasks) })
    }

    /// Nobody is sent to.
    pub fn is_empty(&self) -> bool {
        self.destinations.is_empty()
    }

    /// Queues samples for every destination. It waits for the disk; when it returns, the samples
    /// survive a power cut. What a full disk refuses is counted and logged, never waited for.
    pub(crate) fn offer<'a>(&self, samples: &(impl Iterator<Item = Outgoing<'a>> + Clone)) {
        let now_ms = self.clock.now_ms();
        for outlet in &self.destinations {
            outlet.queue(samples.clone(), now_ms);
        }
    }

    /// Stops sending; what is queued is sent after the next start.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if task.await.is_err() {
                tracing::error!("a task that sends samples on panicked");
            }
        }
    }
}

/// A record in the making.
#[derive(Debug, Default)]
struct Gathered {
    request: Vec<u8>,
    samples: u32,
    newest_ms: i64,
}

impl Outlet {
    /// Series whose route is remembered; beyond it all are worked out anew.
    const MAX_ROUTES: usize = 1_000_000;

    fn queue<'a>(&self, samples: impl Iterator<Item = Outgoing<'a>>, now_ms: i64) {
        let mut gathered: Vec<Gathered> = self.shards.iter().map(|_| Gathered::default()).collect();
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if routes.len() > Self::MAX_ROUTES {
            routes.clear();
        }
        for (labels, time_ms, value) in samples {
            let route = match routes.get(labels) {
                Some(route) => route.clone(),
                None => routes.entry(labels.clone()).or_insert(self.route(labels)).clone(),
            };
            let Some(route) = route else { continue };
            let Some(one) = gathered.get_mut(route.shard) else { continue };
            put_sample(&mut one.request, &route.labels, time_ms, value);
            one.samples += 1;
            one.newest_ms = if one.samples == 1 { time_ms } else { one.newest_ms.max(time_ms) };
            if one.request.len() > MAX_RECORD_BYTES / 4 {
                self.append(route.shard, &std::mem::take(one), now_ms);
            }
        }
        drop(routes);
        for (shard, one) in gathered.iter().enumerate().filter(|(_, one)| one.samples > 0) {
            self.append(shard, one, now_ms);
        }
    }

    fn append(&self, shard: usize, one: &Gathered, now_ms: i64) {
        let Some(shard) = self.shards.get(shard) else { return };
        let packed = snap::raw::Encoder::new().compress_vec(&one.request);
        let appended = packed
            .map_err(io::Error::other)
            .and_then(|packed| shard.spool.append(&packed, one.samples, one.newest_ms, now_ms));
        let failure = appended.err().map(|error| error.to_string());
        let mut known = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &failure {
            self.unqueued.fetch_add(u64::from(one.samples), Ordering::Relaxed);
            if known.as_ref() != Some(error) {
                let name = &self.destination.name;
                tracing::error!(destination = name, error, "samples to be sent on are not queued");
            }
        }
        *known = failure;
        drop(known);
        shard.more.notify_one();
    }

    /// What the rules leave of a series.
    fn route(&self, labels: &Labels) -> Option<Route> {
        let mut map: LabelMap = labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        for (name, value) in &self.destination.external_labels {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let map = relabel(&self.destination.rules, map)?;
        let labels = Labels::new(map).ok().filter(|labels| !labels.name().is_empty())?;
        // The same after a restart.
        let hash = foldhash::fast::FixedState::default().hash_one(labels.encoded());
        let shard = usize::try_from(hash % self.shards.len() as u64).unwrap_or(0);
        Some(Route { shard, labels: label_bytes(&labels).into() })
    }
}
