//! Services: which are up, which should be, and what changed.

mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Desc, Unit};

use crate::desc::gauge;
use crate::event::{Event, EventSink};
use crate::platform::ServiceReader;
use crate::readings::{Service, ServiceState, ServiceStatus};
use crate::{Changeable, Collector, Error, Roots, Setup, Sink};

pub use watch::{WatchServicesError, WatchedServices};

pub(crate) static SERVICE_UP: Desc = gauge(
    "service_up",
    Unit::Count,
    &["service"],
    "1 while the service is up, else 0; of services that should run and of those that are watched.",
);
pub(crate) static SERVICES: Desc = gauge(
    "services",
    Unit::Count,
    &["state"],
    "Services by what they do: `running`, `done`, `starting`, `stopping`, `paused`, `stopped`, \
     `failed`; on Linux those that systemd has loaded.",
);

static DESCS: [&Desc; 2] = [&SERVICE_UP, &SERVICES];

/// Everything about the services of this machine, by name.
///
/// # Errors
/// [`Error::Absent`] where nothing manages services; else the service manager does not answer.
pub fn services(roots: &Roots) -> Result<Vec<Service>, Error> {
    ServiceReader::new(roots).details()
}

/// Emits [`SERVICE_UP`], and tells of services that started, stopped or failed.
#[derive(Debug)]
pub(crate) struct ServiceCollector {
    reader: ServiceReader,
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    watched: Arc<Changeable<WatchedServices>>,
    /// The reading before; nothing before the first.
    before: Option<BTreeMap<String, Seen>>,
}

/// What a reading is compared with.
#[derive(Debug, Clone, Copy)]
struct Seen {
    state: ServiceState,
    run: Option<u64>,
    restarts: Option<u64>,
}

impl ServiceCollector {
    /// Series of services; the rest of a host with more that should run is left out.
    const MAX_SERIES: usize = 500;

    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            reader: ServiceReader::new(&setup.roots),
            clock: Arc::clone(&setup.clock),
            events: Arc::clone(&setup.events),
            watched: Arc::clone(&setup.services),
            before: None,
        }
    }
}

impl Collector for ServiceCollector {
    fn name(&self) -> &'static str {
        "services"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// The service manager may be busy starting something.
    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let watched = self.watched.get();
        let services = self.reader.read(|name| watched.contains(name))?;
        for state in ServiceState::ALL {
            let count = services.iter().filter(|service| service.state == state).count();
            out.push(&SERVICES, &[state.as_str()], count as f64);
        }
        let ups = ups(services, &watched);
        for (name, is_up) in ups.iter().take(Self::MAX_SERIES) {
            out.push(&SERVICE_UP, &[name], f64::from(u8::from(*is_up)));
        }
        let now_ms = self.clock.now_ms();
        if let Some(before) = &self.before {
            for event in changes(before, services, now_ms) {
                self.events.happened(event);
            }
        }
        self.before = Some(seen(services));
        Ok(())
    }
}

fn seen(services: &[ServiceStatus]) -> BTreeMap<String, Seen> {
    let seen = |service: &ServiceStatus| {
        let ServiceStatus { state, run, restarts, .. } = *service;
        (service.name.clone(), Seen { state, run, restarts })
    };
    services.iter().map(seen).collect()
}

/// The services that have a series: those that should run, those that are watched; and what is
/// watched by its whole name and not there is down.
fn ups<'a>(services: &'a [ServiceStatus], watched: &'a WatchedServices) -> BTreeMap<&'a str, bool> {
    let missing = watched.whole_names().map(|name| (name, false));
    let there = services
        .iter()
        .filter(|service| service.should_run || watched.contains(&service.name))
        .map(|service| (service.name.as_str(), service.state.is_up()));
    // One that is there takes the place of the same name; Windows writes names in either case.
    let mut ups: BTreeMap<&str, bool> = there.collect();
    for (name, is_up) in missing {
        if !ups.keys().any(|known| WatchedServices::is_same(known, name)) {
            ups.insert(name, is_up);
        }
    }
    ups
}

/// What is told about the services that are in another state than before, or run anew. Being on
/// the way to a state is none, unless it lasts from one reading to the next.
fn changes<'a>(
    before: &'a BTreeMap<String, Seen>,
    services: &'a [ServiceStatus],
    now_ms: i64,
) -> impl Iterator<Item = Event> + 'a {
    const UNKNOWN: Seen = Seen { state: ServiceState::Stopped, run: None, restarts: None };
    let changed = services.iter().filter_map(move |service| {
        event(now_ms, service, before.get(&service.name).unwrap_or(&UNKNOWN))
    });
    let gone = before.iter().filter(move |(name, seen)| {
        // Loaded units that have nothing to do any more are unloaded.
        !matches!(seen.state, ServiceState::Stopped | ServiceState::Failed)
            && !services.iter().any(|service| service.name == **name)
    });
    changed.chain(gone.map(move |(name, from)| {
        Event::new(now_ms, kind(ServiceState::Stopped), name)
            .with("from", Some(from.state.as_str()))
            .with("to", Some(ServiceState::Stopped.as_str()))
    }))
}

fn event(now_ms: i64, service: &ServiceStatus, from: &Seen) -> Option<Event> {
    // The count begins anew when somebody starts the service.
    let restarts = from.restarts.and_then(|before| service.restarts?.checked_sub(before));
    let restarts = restarts.filter(|count| *count > 0);
    let is_other_run =
        from.state.is_up() && from.run.is_some_and(|run| service.run.is_some_and(|now| now != run));
    let kind = if service.state.is_up() && (is_other_run || restarts.is_some()) {
        "service_restarted"
    } else if from.state != service.state {
        kind(service.state)
    } else {
        return None;
    };
    let event = Event::new(now_ms, kind, &service.name)
        .with("from", Some(from.state.as_str()))
        .with("to", Some(service.state.as_str()))
        .with("display_name", Some(service.display_name.as_str()))
        .with("native_state", Some(service.native_state.as_str()))
        .with("should_run", service.should_run.then_some(1_u32))
        .with("restarts", restarts);
    Some(event)
}

fn kind(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Running | ServiceState::Done => "service_started",
        ServiceState::Starting => "service_starting",
        ServiceState::Stopping => "service_stopping",
        ServiceState::Paused => "service_paused",
        ServiceState::Stopped => "service_stopped",
        ServiceState::Failed => "service_failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, state: ServiceState, should_run: bool) -> ServiceStatus {
        ServiceStatus {
            name: name.into(),
            display_name: name.to_uppercase(),
            state,
            native_state: state.as_str().into(),
            should_run,
            run: None,
            restarts: None,
        }
    }

    #[test]
    fn series_are_of_those_that_should_run_and_those_that_are_watched() {
        let watched = WatchedServices::new(["ssh*".to_owned(), "backup".into()]).unwrap();
        let services = [
            service("cron", ServiceState::Running, true),
            service("nginx", ServiceState::Failed, true),
            service("sshd", ServiceState::Stopped, false),
            service("other", ServiceState::Running, false),
        ];
        let found: Vec<_> = ups(&services, &watched).into_iter().collect();
        assert_eq!(found, [("backup", false), ("cron", true), ("nginx", false), ("sshd", false)]);
    }

    #[test]
    fn changes_are_told_with_both_states() {
        let before = seen(&[
            service("a", ServiceState::Running, true),
            service("b", ServiceState::Running, true),
            service("c", ServiceState::Stopped, true),
            service("d", ServiceState::Failed, true),
        ]);
        let now = [
            service("a", ServiceState::Failed, true),
            service("b", ServiceState::Running, true),
            service("new", ServiceState::Running, false),
        ];
        let found: Vec<_> = changes(&before, &now, 5)
            .map(|event| (event.kind.into_owned(), event.subject, event.fields.len()))
            .collect();
        let expect = [
            ("service_failed".to_owned(), "a".to_owned(), 5),
            ("service_started".into(), "new".into(), 4),
        ];
        assert_eq!(found, expect);
        let running = seen(&[service("a", ServiceState::Running, true)]);
        let gone: Vec<_> = changes(&running, &[], 5).map(|event| event.kind).collect();
        assert_eq!(gone, ["service_stopped"]);
    }

    #[test]
    fn a_service_that_runs_anew_between_two_readings_is_told() {
        let run =
            |state, run, restarts| ServiceStatus { run, restarts, ..service("a", state, true) };
        let told = |from: ServiceStatus, to: ServiceStatus| {
            let events: Vec<Event> = changes(&seen(&[from]), &[to], 5).collect();
            let of = |event: &Event| {
                (event.kind.to_string(), event.get("restarts").map(ToString::to_string))
            };
            events.iter().map(of).collect::<Vec<_>>()
        };
        let running = |id, restarts| run(ServiceState::Running, Some(id), restarts);
        let expect = |kind: &str, restarts: Option<&str>| {
            vec![(kind.to_owned(), restarts.map(str::to_owned))]
        };
        assert_eq!(told(running(1, Some(2)), running(1, Some(2))), []);
        assert_eq!(
            told(running(1, Some(2)), running(9, Some(5))),
            expect("service_restarted", Some("3"))
        );
        // Somebody restarted it, and the count began anew; Windows does not count.
        assert_eq!(
            told(running(1, Some(2)), running(9, Some(0))),
            expect("service_restarted", None)
        );
        assert_eq!(told(running(1, None), running(9, None)), expect("service_restarted", None));
        let starting = run(ServiceState::Starting, Some(5), Some(4));
        assert_eq!(
            told(running(1, Some(2)), starting.clone()),
            expect("service_starting", Some("2"))
        );
        assert_eq!(told(starting, running(9, Some(5))), expect("service_restarted", Some("1")));
        // It is told for the first time which run this is.
        assert_eq!(told(run(ServiceState::Running, None, None), running(9, Some(1))), []);
        let stopped = run(ServiceState::Stopped, None, None);
        assert_eq!(told(stopped, running(9, Some(0))), expect("service_started", None));
    }
}
