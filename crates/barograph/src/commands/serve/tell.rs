//! Delivering, as the configuration wants it.

use std::sync::Arc;

use barograph_model::{Clock, Desc, SystemClock};
use barograph_promql::Engine;
use barograph_server::{
    Alerting, Dispatch, DispatchParts, EventLog, Gatherer, Hands, Machine, NotifySetup, Processes,
    Remedy,
};
use barograph_store::Store;

use crate::config::Config;
use crate::service;

/// What follows from alerts.
pub(super) struct Told {
    pub(super) dispatch: Arc<Dispatch>,
    remedy: Remedy,
}

impl Told {
    pub(super) async fn close(&self) {
        self.remedy.close().await;
        self.dispatch.close().await;
    }
}

/// Begins to deliver what alerting wants told, and to do what it wants done.
pub(super) fn start(
    config: &Config,
    alerting: &Arc<Alerting>,
    (store, processes, events): (&Arc<Store>, &Arc<Processes>, &Arc<EventLog>),
    (host, descs): (&str, &[&'static Desc]),
) -> Told {
    alerting.note_processes_of(processes);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let settings = barograph_promql::Settings { threads: 1, ..config.query.clone() };
    let gatherer = Gatherer {
        store: Arc::clone(store),
        engine: Engine::new(settings, clock),
        processes: Arc::clone(processes),
        events: Arc::clone(events),
        host: host.to_owned(),
        units: Gatherer::units(descs),
    };
    let setup = NotifySetup { internal_networks: config.internal_networks.clone() };
    let machine = Machine {
        commands: config.notify_commands.clone(),
        system_log: service::system_log(&config.syslog_socket),
        event_log: service::event_log(),
    };
    let hands = Hands { run: service::runner(), restart_service: service::restarter() };
    let parts = DispatchParts { setup, machine, gatherer };
    Told {
        dispatch: Arc::new(Dispatch::start(alerting, parts)),
        remedy: Remedy::start(alerting, processes, hands),
    }
}
