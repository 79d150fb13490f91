//! Delivering, as the configuration wants it.

use std::sync::Arc;

use barograph_model::{Clock, Desc, SystemClock};
use barograph_promql::Engine;
use barograph_server::{
    Alerting, Dispatch, DispatchParts, EventLog, Gatherer, Machine, NotifySetup, Processes,
};
use barograph_store::Store;

use crate::config::Config;

/// Begins to deliver what alerting wants told.
pub(super) fn start(
    config: &Config,
    alerting: &Arc<Alerting>,
    (store, processes, events): (&Arc<Store>, &Arc<Processes>, &Arc<EventLog>),
    (host, descs): (&str, &[&'static Desc]),
) -> Arc<Dispatch> {
    alerting.note_processes_of(processes);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let settings = barograph_promql::Settings { threads: 1, ..config.query.clone() };
    let gatherer = Gatherer {
        store: Arc::clone(store),
        engine: Engine::new(settings, Arc::clone(&clock)),
        processes: Arc::clone(processes),
        events: Arc::clone(events),
        host: host.to_owned(),
        units: Gatherer::units(descs),
    };
    let setup = NotifySetup { internal_networks: config.internal_networks.clone() };
    let machine = Machine {
        commands: config.notify_commands.clone(),
        system_log: crate::service::system_log(),
    };
    let parts = DispatchParts { setup, machine, gatherer, clock };
    Arc::new(Dispatch::start(alerting, parts))
}
