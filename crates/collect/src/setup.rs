//! What the collectors are made with.

use std::path::PathBuf;
use std::sync::Arc;

use barograph_model::Clock;

use crate::event::{EventSink, NoEvents};
use crate::process::{LatestProcesses, Watch};
use crate::service::WatchedServices;
use crate::{Changeable, Roots};

/// Where the collectors read, by which clock, and whom they tell.
#[derive(Debug, Clone)]
pub struct Setup {
    pub roots: Roots,
    pub clock: Arc<dyn Clock>,
    /// Gets what happens on the host.
    pub events: Arc<dyn EventSink>,
    /// Gets the newest list of the processes.
    pub processes: Arc<LatestProcesses>,
    /// Processes that become series.
    pub watch: Arc<Changeable<Watch>>,
    /// Services that become series, beside those that should run.
    pub services: Arc<Changeable<WatchedServices>>,
    /// Where the inventory is kept from one run to the next.
    pub inventory_file: Option<PathBuf>,
}

impl Setup {
    /// Nobody listens to events, nothing is watched by name, and nothing is kept.
    pub fn new(roots: &Roots, clock: &Arc<dyn Clock>) -> Self {
        Self {
            roots: roots.clone(),
            clock: Arc::clone(clock),
            events: Arc::new(NoEvents),
            processes: Arc::default(),
            watch: Arc::default(),
            services: Arc::default(),
            inventory_file: None,
        }
    }
}
