//! Services.

use barograph_collect::readings::{Service, ServiceState, StartMode};
use barograph_model::Pattern;
use serde::Serialize;

use crate::timestamp::iso;

/// The services that were asked for.
#[derive(Debug, Serialize)]
pub struct ServicesAnswer {
    time_ms: i64,
    timestamp: String,
    /// All that the system knows, also those that are not listed.
    total: usize,
    failed: usize,
    services: Vec<ServiceAnswer>,
}

#[derive(Debug, Serialize)]
struct ServiceAnswer {
    name: String,
    display_name: String,
    state: &'static str,
    native_state: String,
    start_mode: Option<&'static str>,
    should_run: bool,
    kind: Option<String>,
    command: Option<String>,
    unit_file: Option<String>,
    pid: Option<u32>,
    exit_code: Option<i64>,
    memory_bytes: Option<u64>,
    cpu_seconds: Option<f64>,
    description: Option<String>,
}

/// Which services are wanted.
#[derive(Debug, Clone, Default)]
pub struct ServiceFilter {
    /// The name or the display name fits.
    pub pattern: Option<Pattern>,
    pub only_failed: bool,
    /// Also those that are stopped and are not set to run.
    pub all: bool,
}

impl ServiceFilter {
    pub fn wants(&self, service: &Service) -> bool {
        let status = &service.status;
        let is_of_interest = status.should_run || status.state != ServiceState::Stopped;
        let fits = self.pattern.as_ref().is_none_or(|pattern| {
            pattern.matches(&status.name) || pattern.matches(&status.display_name)
        });
        let state_fits = if self.only_failed {
            is_failed(service)
        } else {
            // Who asks by name wants to see what has that name.
            self.all || self.pattern.is_some() || is_of_interest
        };
        fits && state_fits
    }
}

/// It has failed, or should run and does not.
fn is_failed(service: &Service) -> bool {
    let status = &service.status;
    status.state == ServiceState::Failed
        || status.should_run && status.state == ServiceState::Stopped
}

impl ServicesAnswer {
    pub fn new(services: &[Service], filter: &ServiceFilter, time_ms: i64) -> Self {
        let wanted = services.iter().filter(|service| filter.wants(service));
        Self {
            time_ms,
            timestamp: iso(time_ms),
            total: services.len(),
            failed: services.iter().filter(|service| is_failed(service)).count(),
            services: wanted.map(answer).collect(),
        }
    }
}

fn answer(service: &Service) -> ServiceAnswer {
    let status = &service.status;
    ServiceAnswer {
        name: status.name.clone(),
        display_name: status.display_name.clone(),
        state: status.state.as_str(),
        native_state: status.native_state.clone(),
        start_mode: service.start_mode.map(StartMode::as_str),
        should_run: status.should_run,
        kind: service.kind.clone(),
        command: service.command.clone(),
        unit_file: service.unit_file.clone(),
        pid: service.pid,
        exit_code: service.exit_code,
        memory_bytes: service.memory_bytes,
        cpu_seconds: service.cpu_nanoseconds.map(|nanoseconds| nanoseconds as f64 / 1e9),
        description: service.description.clone(),
    }
}

#[cfg(test)]
mod tests {
    use barograph_collect::readings::ServiceStatus;

    use super::*;

    fn service(name: &str, state: ServiceState, should_run: bool) -> Service {
        Service {
            status: ServiceStatus {
                name: name.into(),
                display_name: format!("The {name}"),
                state,
                native_state: String::new(),
                should_run,
                run: None,
                restarts: None,
            },
            start_mode: Some(StartMode::Manual),
            kind: None,
            command: None,
            unit_file: None,
            pid: None,
            exit_code: None,
            memory_bytes: None,
            cpu_nanoseconds: None,
            description: None,
        }
    }

    fn names(filter: &ServiceFilter) -> Vec<String> {
        let services = [
            service("a", ServiceState::Running, true),
            service("b", ServiceState::Stopped, false),
            service("c", ServiceState::Stopped, true),
            service("d", ServiceState::Failed, false),
        ];
        let answer = ServicesAnswer::new(&services, filter, 0);
        assert_eq!((answer.total, answer.failed), (4, 2));
        answer.services.into_iter().map(|one| one.name).collect()
    }

    #[test]
    fn what_is_stopped_and_need_not_run_is_shown_when_asked_for() {
        let filter = ServiceFilter::default();
        assert_eq!(names(&filter), ["a", "c", "d"]);
        assert_eq!(names(&ServiceFilter { all: true, ..filter.clone() }), ["a", "b", "c", "d"]);
        assert_eq!(names(&ServiceFilter { only_failed: true, ..filter.clone() }), ["c", "d"]);
        let pattern = Some(Pattern::new("the B"));
        assert_eq!(names(&ServiceFilter { pattern, ..filter }), ["b"]);
    }
}
