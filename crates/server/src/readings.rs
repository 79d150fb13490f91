//! What this machine is asked for when somebody wants to know.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use barograph_collect::Roots;
use barograph_collect::connections::{Connections, connections};
use barograph_collect::inventory::inventory;
use barograph_collect::readings::{Inventory, Service};
use barograph_collect::service::services;
use barograph_collect::talkers::{LiveTalkers, Talkers};
use barograph_model::Clock;
use tracing_mutex::stdsync::Mutex;

use crate::on_demand::OnDemand;

/// The readings that are taken when they are asked for.
#[derive(Debug)]
pub struct Readings {
    pub(crate) services: OnDemand<Vec<Service>>,
    pub(crate) connections: OnDemand<Connections>,
    pub(crate) inventory: OnDemand<Inventory>,
    pub(crate) talkers: OnDemand<Talkers>,
}

impl Readings {
    /// Of the machine at these roots. Touches nothing before somebody asks.
    pub fn new(roots: &Roots, clock: &Arc<dyn Clock>) -> Self {
        const SERVICES_AGE: Duration = Duration::from_secs(2);
        // Whose a socket is takes a look at every process.
        const CONNECTIONS_AGE: Duration = Duration::from_secs(10);
        const INVENTORY_AGE: Duration = Duration::from_secs(10);
        // The same look, but rates are looked at while they change.
        const TALKERS_AGE: Duration = Duration::from_secs(4);
        let roots = || roots.clone();
        Self {
            services: OnDemand::new(clock, SERVICES_AGE, {
                let roots = roots();
                move || services(&roots)
            }),
            connections: OnDemand::new(clock, CONNECTIONS_AGE, {
                let (roots, clock) = (roots(), Arc::clone(clock));
                move || connections(&roots, &clock)
            }),
            inventory: OnDemand::new(clock, INVENTORY_AGE, {
                let roots = roots();
                move || inventory(&roots)
            }),
            talkers: OnDemand::new(clock, TALKERS_AGE, {
                let live = Mutex::new(LiveTalkers::new(&roots(), Arc::clone(clock)));
                move || live.lock().unwrap_or_else(PoisonError::into_inner).read_with_rates()
            }),
        }
    }
}
