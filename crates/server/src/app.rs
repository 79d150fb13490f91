//! What every request can reach.

use std::collections::HashMap;
use std::sync::Arc;

use barograph_collect::{HostFacts, RunnerStatus};
use barograph_model::{Clock, Desc};
use barograph_store::Store;
use tokio::sync::{Semaphore, watch};

use crate::alerting::Alerting;
use crate::dispatch::Dispatch;
use crate::documents::Documents;
use crate::doors::Doors;
use crate::events::EventLog;
use crate::feed::Feed;
use crate::ingest::Ingest;
use crate::latest::Latest;
use crate::processes::Processes;
use crate::queries::Queries;
use crate::readings::Readings;
use crate::thrift::Thrift;

/// The parts that the program wires together and the interfaces read.
#[derive(Debug)]
pub struct App {
    pub store: Arc<Store>,
    pub queries: Arc<Queries>,
    pub documents: Arc<Documents>,
    pub alerting: Arc<Alerting>,
    pub dispatch: Arc<Dispatch>,
    pub latest: Arc<Latest>,
    pub feed: Arc<Feed>,
    pub processes: Arc<Processes>,
    pub events: Arc<EventLog>,
    pub ingest: Arc<Ingest>,
    pub doors: Arc<Doors>,
    pub readings: Readings,
    pub clock: Arc<dyn Clock>,
    /// When the server began, milliseconds since 1970.
    pub started_ms: i64,
    pub host: HostFacts,
    pub runner: RunnerView,
    /// Whether this program keeps within limits of its own.
    pub thrift: Arc<Thrift>,
    /// Every metric that the collectors can emit.
    pub descs: Vec<&'static Desc>,
    /// The names of `/api/current_metrics`.
    pub headline: Vec<&'static str>,
    /// Time between two readings.
    pub interval_ms: i64,
    pub limits: Limits,
}

/// Asks the runner how its collectors are doing; nothing when it has stopped.
pub struct RunnerView(pub Box<dyn Fn() -> Option<RunnerStatus> + Send + Sync>);

impl std::fmt::Debug for RunnerView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunnerView")
    }
}

/// Bounds on what all clients together may use.
#[derive(Debug)]
pub struct Limits {
    /// Histories read at once; more would take the cores from the collectors.
    pub(crate) histories: Arc<Semaphore>,
    /// Live connections, sockets and event streams together.
    pub(crate) live: Arc<Semaphore>,
    pub(crate) max_live: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MAX_LIVE: usize = 256;
        Self {
            histories: Arc::new(Semaphore::new(2)),
            live: Arc::new(Semaphore::new(MAX_LIVE)),
            max_live: MAX_LIVE,
        }
    }
}

/// What a handler gets: the parts, and the word that the server stops.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) app: Arc<App>,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Context {
    /// Ready when the server stops.
    pub(crate) async fn stopped(&mut self) {
        // The sender is gone only when the server is, which is a stop, too.
        drop(self.stopping.wait_for(|stop| *stop).await);
    }
}

impl std::ops::Deref for Context {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl App {
    pub(crate) fn descs_by_name(&self) -> HashMap<&'static str, &'static Desc> {
        self.descs.iter().map(|desc| (desc.name, *desc)).collect()
    }

    /// The time of the oldest that there is, of samples or of what they were summed up to.
    pub(crate) fn oldest_ms(&self) -> Option<i64> {
        self.store.stats().begins_ms()
    }
}
