//! The one way in for samples from others: every door hands them over here.
//!
//! A door is an interface that samples come in by (remote write, scraping, StatsD, …), a source is
//! one sender at one door. Each source has a budget of series: past it, new series are refused,
//! the known ones are kept, and it is said who and why — in the sender's answer, once in the log,
//! in `/api/ingest`, in Barograph's own metrics and by `barograph doctor`.

mod answer;
mod deltas;
mod door;
mod intake;
mod metadata;
mod report;
mod room;
mod settings;
mod source;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use barograph_model::Clock;
use barograph_store::{AppendError, Store};
use tokio::sync::Semaphore;
use tracing_mutex::stdsync::RwLock;

use crate::forward::Forward;
use deltas::Deltas;

pub use answer::{IngestAnswer, SourceAnswer};
pub use door::{Door, Reason};
pub use intake::{Intake, TooManySamples};
pub use metadata::{MetricInfo, MetricInfos};
pub use report::Report;
pub use room::{NoRoom, Place, Room};
pub use settings::IngestSettings;
pub use source::Source;

/// Takes in samples from others, within bounds.
#[derive(Debug)]
pub struct Ingest {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    settings: IngestSettings,
    sources: RwLock<HashMap<(Door, String), Arc<Source>>>,
    infos: MetricInfos,
    deltas: Deltas,
    room: Room,
    /// Writes at once; each takes a thread that waits for the disk.
    writers: Arc<Semaphore>,
    busy: AtomicU64,
    /// Who else gets every sample.
    forward: Option<Arc<Forward>>,
}

/// Why nothing of a write was stored.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The door's own reason.
    #[error(transparent)]
    Refused(E),
    #[error("too many writes wait for the disk; try again in a moment")]
    TooManyWriters,
    #[error(transparent)]
    Store(AppendError),
    /// A bug; the panic is in the log.
    #[error("taking in the samples failed")]
    Panicked,
}

impl Ingest {
    /// Together with the page's histories these stay below the threads that may wait.
    const MAX_WRITERS: usize = 8;
    const PATIENCE: Duration = Duration::from_secs(10);
    /// More senders than one server should have; what is beyond shares one budget.
    const MAX_SOURCES: usize = 2000;
    const OTHERS: &str = "(others)";

    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>, settings: IngestSettings) -> Self {
        let room = Room::new(settings.max_bytes_in_flight);
        Self {
            store,
            clock,
            settings,
            sources: RwLock::default(),
            infos: MetricInfos::default(),
            deltas: Deltas::default(),
            room,
            writers: Arc::new(Semaphore::new(Self::MAX_WRITERS)),
            busy: AtomicU64::new(0),
            forward: None,
        }
    }

    /// Queues every sample that is stored to be sent on, before its write is acknowledged.
    #[must_use]
    pub fn with_forward(self, forward: Arc<Forward>) -> Self {
        Self { forward: Some(forward).filter(|one| !one.is_empty()), ..self }
    }

    /// What senders say about their metrics.
    pub fn infos(&self) -> &MetricInfos {
        &self.infos
    }

    /// Series that one source may have.
    pub(crate) fn max_series(&self) -> usize {
        self.settings.max_series
    }

    /// Attributes of OTLP's resources that become labels.
    pub(crate) fn promoted_attributes(&self) -> &[String] {
        &self.settings.promote_resource_attributes
    }

    pub(crate) fn deltas(&self) -> &Deltas {
        &self.deltas
    }

    /// Adds to a series whose sender tells only what was added; gives its total.
    pub(crate) fn add_delta(&self, labels: &barograph_model::Labels, value: f64) -> Option<f64> {
        let now_s = self.clock.monotonic().as_secs();
        self.deltas.add(labels, value, now_s, self.settings.max_series)
    }

    /// The memory for bodies.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Counts a write that is told to come back.
    pub fn count_busy(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    /// A sender at a door; a new one when it is not known.
    pub fn source(&self, door: Door, name: &str) -> Arc<Source> {
        let key = (door, name.to_owned());
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.get(&key) {
            return Arc::clone(source);
        }
        drop(sources);
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= Self::MAX_SOURCES {
            let day_ago_ms = self.clock.now_ms() - source::DAY_MS;
            sources.retain(|_, one| one.counts.last_ms.load(Ordering::Relaxed) >= day_ago_ms);
        }
        let key =
            if sources.len() < Self::MAX_SOURCES { key } else { (door, Self::OTHERS.to_owned()) };
        let new = || Arc::new(Source::new(door, &key.1));
        Arc::clone(sources.entry(key.clone()).or_insert_with(new))
    }

    fn sources(&self) -> Vec<Arc<Source>> {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        sources.values().map(Arc::clone).collect()
    }

    /// Begins a write, for a caller whose thread may wait.
    pub fn intake<'a>(&'a self, source: &'a Source) -> Intake<'a> {
        Intake::new(self, source)
    }

    /// Gathers on a thread that may wait, and stores what was gathered.
    ///
    /// # Errors
    /// Nothing was stored.
    pub async fn write<E, G>(
        self: &Arc<Self>,
        source: Arc<Source>,
        gather: G,
    ) -> Result<Report, WriteError<E>>
    where
        E: Send + 'static,
        G: FnOnce(&mut Intake<'_>) -> Result<(), E> + Send + 'static,
    {
        let turn = Arc::clone(&self.writers).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(Self::PATIENCE, turn).await else {
            return Err(WriteError::TooManyWriters);
        };
        let ingest = Arc::clone(self);
        let write = move || {
            let _turn = turn;
            let mut intake = ingest.intake(&source);
            gather(&mut intake).map_err(WriteError::Refused)?;
            intake.commit().map_err(WriteError::Store)
        };
        tokio::task::spawn_blocking(write).await.map_err(|_| WriteError::Panicked)?
    }
}
