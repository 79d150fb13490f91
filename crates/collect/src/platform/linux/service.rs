//! Services, as systemd tells about them over D-Bus.

mod rest;
mod runs;

use std::collections::{HashMap, HashSet};
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
    set_to_run: HashMap<String, bool>,
    runs: runs::Runs,
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
            set_to_run: HashMap::new(),
            runs: runs::Runs::default(),
            readings_until_refresh: 0,
            services: Vec::new(),
        }
    }

    /// The services that systemd has loaded, with what they are doing; the runs of those that
    /// should run or are watched are told apart.
    pub(crate) fn read(
        &mut self,
        is_watched: impl Fn(&str) -> bool,
    ) -> Result<&[ServiceStatus], Error> {
        let mut connection = self.connect()?;
        let Units { mut services, active } = units(&mut connection)?;
        self.ask_what_is_set(&mut connection, &services)?;
        for unit in &mut services {
            let is_set = self.set_to_run.get(&unit.status.name).copied();
            unit.status.should_run = is_set.unwrap_or_default();
        }
        rest::spare(&mut connection, &mut services, &active)?;
        self.runs.tell(&mut connection, &mut services, |status| {
            status.should_run || is_watched(&status.name)
        })?;
        self.services.clear();
        self.services.extend(services.into_iter().map(|unit| unit.status));
        self.connection = Some(connection);
        Ok(&self.services)
    }

    fn ask_what_is_set(
        &mut self,
        connection: &mut Connection,
        services: &[Unit],
    ) -> Result<(), Error> {
        if self.readings_until_refresh == 0 {
            self.set_to_run.clear();
            self.readings_until_refresh = Self::READINGS_PER_REFRESH;
        }
        self.readings_until_refresh -= 1;
        let is_new = |unit: &&Unit| !self.set_to_run.contains_key(&unit.status.name);
        let new: Vec<&Unit> = services.iter().filter(is_new).collect();
        let properties = [(UNIT, "UnitFileState"), (SERVICE, "Type")];
        let answers = get(connection, &new, &properties)?;
        for (unit, answers) in new.into_iter().zip(&answers) {
            let [state, kind] = [0, 1].map(|i| value(answers, i).and_then(Value::text));
            let is_set = is_set_to_run(state.and_then(systemd::start_mode), kind);
            self.set_to_run.insert(unit.status.name.clone(), is_set);
        }
        Ok(())
    }

    /// All services, also those that are not loaded, with all there is to tell.
    pub(crate) fn details(&mut self) -> Result<Vec<Service>, Error> {
        let mut connection = self.connect()?;
        let Units { services: mut units, active } = units(&mut connection)?;
        let files = unit_files(&mut connection)?;
        let wanted: Vec<&Unit> = units.iter().collect();
        let answers = get(&mut connection, &wanted, &DETAILS)?;
        for (unit, answers) in units.iter_mut().zip(&answers) {
            let [state, kind] = [0, 2].map(|i| value(answers, i).and_then(Value::text));
            unit.status.should_run = is_set_to_run(state.and_then(systemd::start_mode), kind);
        }
        rest::spare(&mut connection, &mut units, &active)?;
        let mut services: Vec<Service> =
            units.iter().zip(&answers).map(|(unit, answers)| service(unit, answers)).collect();
        let loaded: HashSet<&str> = units.iter().map(|unit| unit.status.name.as_str()).collect();
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
fn list(
    connection: &mut Connection,
    [filters, all]: [&str; 2],
    patterns: &[&str],
) -> Result<Vec<Value>, Error> {
    let patterns = [Argument::Texts(&[]), Argument::Texts(patterns)];
    let mut answer = connection.call(&manager(filters, &patterns))?;
    if matches!(&answer, Err(refusal) if refusal.is_unknown_method()) {
        answer = connection.call(&manager(all, &[]))?;
    }
    answer.map_err(|refusal| connection.failed(io::Error::other(refusal)))
}

/// What systemd has loaded.
struct Units {
    services: Vec<Unit>,
    /// The names of services and targets that are active.
    active: HashSet<String>,
}

fn units(connection: &mut Connection) -> Result<Units, Error> {
    let methods = ["ListUnitsByPatterns", "ListUnits"];
    let answer = list(connection, methods, &["*.service", "*.target"])?;
    let mut services = systemd::units(&answer);
    services.truncate(ServiceReader::MAX_SERVICES);
    Ok(Units { services, active: systemd::active(&answer) })
}

fn unit_files(connection: &mut Connection) -> Result<Vec<(String, Option<StartMode>)>, Error> {
    let methods = ["ListUnitFilesByPatterns", "ListUnitFiles"];
    let answer = list(connection, methods, &["*.service"])?;
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
        status: unit.status.clone(),
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
            run: None,
            restarts: None,
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

fn is_set_to_run(start_mode: Option<StartMode>, kind: Option<&str>) -> bool {
    start_mode == Some(StartMode::Automatic) && kind.is_some_and(systemd::stays)
}
