//! Services, as systemd tells about them over D-Bus.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use super::dbus::{Answer, Connection};
use crate::Error;
use crate::parse::dbus::{Argument, Call, Value};
use crate::parse::systemd::{self, Unit};
use crate::readings::{Service, ServiceState, ServiceStatus, StartMode};
use crate::roots::Roots;

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";

/// Asks systemd at its own socket, which only root may, or else over the system's bus.
#[derive(Debug)]
pub(crate) struct ServiceReader {
    root: PathBuf,
    connection: Option<Connection>,
    /// Whether a service is set to run, by its name: it hardly changes, and costs a call each.
    should_run: HashMap<String, bool>,
    readings_until_refresh: u32,
    services: Vec<ServiceStatus>,
}

impl ServiceReader {
    const READINGS_PER_REFRESH: u32 = 60;
    /// More than any host has; a list that is longer is cut.
    const MAX_SERVICES: usize = 10_000;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            root: roots.root.clone(),
            connection: None,
            should_run: HashMap::new(),
            readings_until_refresh: 0,
            services: Vec::new(),
        }
    }

    /// The services that systemd has loaded, with what they are doing.
    pub(crate) fn read(&mut self) -> Result<&[ServiceStatus], Error> {
        let mut connection = self.connect()?;
        let units = units(&mut connection)?;
        if self.readings_until_refresh == 0 {
            self.should_run.clear();
            self.readings_until_refresh = Self::READINGS_PER_REFRESH;
        }
        self.readings_until_refresh -= 1;
        let new: Vec<&Unit> =
            units.iter().filter(|unit| !self.should_run.contains_key(&unit.status.name)).collect();
        if !new.is_empty() {
            let properties = [(UNIT, "UnitFileState"), (SERVICE, "Type")];
            let answers = get(&mut connection, &new, &properties)?;
            for (unit, answers) in new.into_iter().zip(&answers) {
                let [state, kind] = [0, 1].map(|i| value(answers, i).and_then(Value::text));
                let should_run = should_run(state.and_then(systemd::start_mode), kind);
                self.should_run.insert(unit.status.name.clone(), should_run);
            }
        }
        self.services.clear();
        for Unit { status, .. } in units {
            let should_run = self.should_run.get(&status.name).copied().unwrap_or_default();
            self.services.push(ServiceStatus { should_run, ..status });
        }
        self.connection = Some(connection);
        Ok(&self.services)
    }

    /// All services, also those that are not loaded, with all there is to tell.
    pub(crate) fn details(&mut self) -> Result<Vec<Service>, Error> {
        let mut connection = self.connect()?;
        let units = units(&mut connection)?;
        let files = unit_files(&mut connection)?;
        let wanted: Vec<&Unit> = units.iter().collect();
        let answers = get(&mut connection, &wanted, &DETAILS)?;
        let mut services: Vec<Service> =
            units.iter().zip(&answers).map(|(unit, answers)| service(unit, answers)).collect();
        let loaded: std::collections::HashSet<&str> =
            units.iter().map(|unit| unit.status.name.as_str()).collect();
        services.extend(
            files
                .into_iter()
                .filter(|(name, _)| !loaded.contains(name.as_str()))
                .map(|(name, mode)| not_loaded(name, mode)),
        );
        services.sort_by(|a, b| a.status.name.cmp(&b.status.name));
        services.truncate(Self::MAX_SERVICES);
        self.connection = Some(connection);
        Ok(services)
    }

    /// The connection of the reading before, if that went well, or a new one.
    fn connect(&mut self) -> Result<Connection, Error> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let run = self.root.join("run");
        if !run.join("systemd/system").is_dir() {
            let why = format!("{} is missing (no systemd)", run.join("systemd/system").display());
            return Err(Error::Absent { what: "services", why });
        }
        let own = Connection::open(&run.join("systemd/private"), false);
        let Err(Error::Call { source, .. }) = &own else { return own };
        let may_be_on_the_bus =
            [io::ErrorKind::PermissionDenied, io::ErrorKind::NotFound].contains(&source.kind());
        if !may_be_on_the_bus {
            return own;
        }
        let Ok(mut bus) = Connection::open(&run.join("dbus/system_bus_socket"), true) else {
            return own;
        };
        // Who does not say hello first is thrown out.
        let hello = Call {
            destination: Some("org.freedesktop.DBus"),
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "Hello",
            arguments: &[],
        };
        let answer = bus.call(&hello)?;
        answer.map_err(|refusal| bus.failed(io::Error::other(refusal)))?;
        Ok(bus)
    }
}

fn manager<'a>(member: &'a str, arguments: &'a [Argument<'a>]) -> Call<'a> {
    Call { destination: Some(SYSTEMD), path: MANAGER_PATH, interface: MANAGER, member, arguments }
}

/// Calls the method that filters, which systemd has since version 230, or the one that does not.
fn list(connection: &mut Connection, filters: &str, all: &str) -> Result<Vec<Value>, Error> {
    let patterns = [Argument::Texts(&[]), Argument::Texts(&["*.service"])];
    let mut answer = connection.call(&manager(filters, &patterns))?;
    if matches!(&answer, Err(refusal) if refusal.is_unknown_method()) {
        answer = connection.call(&manager(all, &[]))?;
    }
    answer.map_err(|refusal| connection.failed(io::Error::other(refusal)))
}

fn units(connection: &mut Connection) -> Result<Vec<Unit>, Error> {
    let answer = list(connection, "ListUnitsByPatterns", "ListUnits")?;
    let mut units = systemd::units(&answer);
    units.truncate(ServiceReader::MAX_SERVICES);
    Ok(units)
}

fn unit_files(connection: &mut Connection) -> Result<Vec<(String, Option<StartMode>)>, Error> {
    let answer = list(connection, "ListUnitFilesByPatterns", "ListUnitFiles")?;
    Ok(systemd::unit_files(&answer))
}

/// Properties of many units: for each unit as many answers as properties.
fn get(
    connection: &mut Connection,
    units: &[&Unit],
    properties: &[(&str, &str)],
) -> Result<Vec<Vec<Answer>>, Error> {
    let arguments: Vec<[Argument<'_>; 2]> = properties
        .iter()
        .map(|(interface, name)| [Argument::Text(interface), Argument::Text(name)])
        .collect();
    let calls: Vec<Call<'_>> = units
        .iter()
        .flat_map(|unit| arguments.iter().map(move |arguments| (unit, arguments)))
        .map(|(unit, arguments)| Call {
            destination: Some(SYSTEMD),
            path: &unit.path,
            interface: "org.freedesktop.DBus.Properties",
            member: "Get",
            arguments,
        })
        .collect();
    let answers = connection.call_all(&calls)?;
    let mut answers = answers.into_iter();
    let per_unit = |_| answers.by_ref().take(properties.len()).collect();
    Ok(units.iter().map(per_unit).collect())
}

/// The value, unless the service went in between or systemd is older than the property.
fn value(answers: &[Answer], index: usize) -> Option<&Value> {
    answers.get(index)?.as_ref().ok()?.first()
}

const DETAILS: [(&str, &str); 8] = [
    (UNIT, "UnitFileState"),
    (UNIT, "FragmentPath"),
    (SERVICE, "Type"),
    (SERVICE, "ExecStart"),
    (SERVICE, "MainPID"),
    (SERVICE, "ExecMainStatus"),
    (SERVICE, "MemoryCurrent"),
    (SERVICE, "CPUUsageNSec"),
];

fn service(unit: &Unit, answers: &[Answer]) -> Service {
    let text = |index| value(answers, index).and_then(Value::text).filter(|text| !text.is_empty());
    let start_mode = text(0).and_then(systemd::start_mode);
    let kind = text(2);
    let pid = value(answers, 4).and_then(Value::unsigned);
    let pid = pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0);
    let has_ended = pid.is_none() && unit.status.state != ServiceState::Starting;
    Service {
        status: ServiceStatus { should_run: should_run(start_mode, kind), ..unit.status.clone() },
        start_mode,
        kind: kind.map(str::to_owned),
        command: value(answers, 3).and_then(systemd::command),
        unit_file: text(1).map(str::to_owned),
        pid,
        exit_code: value(answers, 5).and_then(Value::signed).filter(|_| has_ended),
        memory_bytes: value(answers, 6).and_then(systemd::measured),
        cpu_nanoseconds: value(answers, 7).and_then(systemd::measured),
        description: None,
    }
}

fn not_loaded(name: String, start_mode: Option<StartMode>) -> Service {
    Service {
        status: ServiceStatus {
            display_name: name.clone(),
            name,
            state: ServiceState::Stopped,
            native_state: "not loaded".into(),
            should_run: false,
        },
        start_mode,
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

fn should_run(start_mode: Option<StartMode>, kind: Option<&str>) -> bool {
    start_mode == Some(StartMode::Automatic) && kind.is_some_and(systemd::stays)
}
