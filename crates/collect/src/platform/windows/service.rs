//! Services, as the service control manager tells about them.
#![expect(unsafe_code, reason = "calls to advapi32, which fill buffers")]

use std::collections::HashMap;
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_MORE_DATA, GetLastError, NO_ERROR,
};
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ENUM_SERVICE_STATUS_PROCESSW, EnumServicesStatusExW, OpenSCManagerW,
    OpenServiceW, QUERY_SERVICE_CONFIGW, QueryServiceConfig2W, QueryServiceConfigW,
    SC_ENUM_PROCESS_INFO, SC_HANDLE, SC_MANAGER_ENUMERATE_SERVICE,
    SERVICE_CONFIG_DELAYED_AUTO_START_INFO, SERVICE_CONFIG_DESCRIPTION,
    SERVICE_CONFIG_TRIGGER_INFO, SERVICE_DELAYED_AUTO_START_INFO, SERVICE_DESCRIPTIONW,
    SERVICE_QUERY_CONFIG, SERVICE_STATE_ALL, SERVICE_STATUS_PROCESS, SERVICE_TRIGGER_INFO,
    SERVICE_WIN32,
};

use super::failure;
use super::process::ProcessReader;
use super::wide::{narrow, wide};
use crate::Error;
use crate::process::Vitals;
use crate::readings::{Service, ServiceState, ServiceStatus, StartMode};
use crate::roots::Roots;

/// `ERROR_SERVICE_SPECIFIC_ERROR`: the service has an exit code of its own.
const SPECIFIC: u32 = 1066;
/// `ERROR_SERVICE_NEVER_STARTED`
const NEVER_STARTED: u32 = 1077;

/// Asks the service control manager.
#[derive(Debug)]
pub(crate) struct ServiceReader {
    buffer: Buffer,
    /// Whether a service is set to run, by its name: it hardly changes, and costs a call each.
    should_run: HashMap<String, bool>,
    readings_until_refresh: u32,
    services: Vec<ServiceStatus>,
}

/// What is set about a service.
#[derive(Debug, Default)]
struct Settings {
    start_mode: Option<StartMode>,
    kind: Option<&'static str>,
    command: Option<String>,
    description: Option<String>,
    /// It is started when something happens, and may end when that is over.
    has_trigger: bool,
}

impl ServiceReader {
    const READINGS_PER_REFRESH: u32 = 60;

    pub(crate) fn new(_: &Roots) -> Self {
        Self {
            buffer: Buffer::default(),
            should_run: HashMap::new(),
            readings_until_refresh: 0,
            services: Vec::new(),
        }
    }

    pub(crate) fn read(
        &mut self,
        _is_watched: impl Fn(&str) -> bool,
    ) -> Result<&[ServiceStatus], Error> {
        let manager = open_manager()?;
        if self.readings_until_refresh == 0 {
            self.should_run.clear();
            self.readings_until_refresh = Self::READINGS_PER_REFRESH;
        }
        self.readings_until_refresh -= 1;
        self.services.clear();
        for row in self.buffer.enumerate(&manager)? {
            let mut status = status(&row);
            status.should_run = *self
                .should_run
                .entry(status.name.clone())
                .or_insert_with(|| settings(&manager, &status.name).should_run());
            self.services.push(status);
        }
        Ok(&self.services)
    }

    /// All services with all there is to tell.
    pub(crate) fn details(&mut self) -> Result<Vec<Service>, Error> {
        let manager = open_manager()?;
        let rows = self.buffer.enumerate(&manager)?;
        let used = used_by_pid();
        let mut sharing: HashMap<u32, u32> = HashMap::new();
        for row in &rows {
            *sharing.entry(row.status.dwProcessId).or_default() += 1;
        }
        let detail = |row: Row| {
            let status = status(&row);
            let settings = settings(&manager, &status.name);
            let pid = Some(row.status.dwProcessId).filter(|pid| *pid > 0);
            // What services share a process for cannot be told apart.
            let own = pid.filter(|pid| sharing.get(pid) == Some(&1));
            let used = own.and_then(|pid| used.get(&pid));
            Service {
                exit_code: exit_code(&row.status, status.state),
                pid,
                status: ServiceStatus { should_run: settings.should_run(), ..status },
                start_mode: settings.start_mode,
                kind: settings.kind.map(str::to_owned),
                command: settings.command,
                unit_file: None,
                memory_bytes: used.map(|(bytes, _)| *bytes),
                cpu_nanoseconds: used.map(|(_, nanoseconds)| *nanoseconds),
                description: settings.description,
            }
        };
        let mut services: Vec<Service> = rows.into_iter().map(detail).collect();
        services.sort_by(|a, b| a.status.name.cmp(&b.status.name));
        Ok(services)
    }
}

impl Settings {
    fn should_run(&self) -> bool {
        let is_automatic =
            matches!(self.start_mode, Some(StartMode::Automatic | StartMode::AutomaticDelayed));
        is_automatic && !self.has_trigger
    }
}

/// The names of the services that run in each process, with a comma between them.
pub(super) fn names_by_pid() -> HashMap<u32, String> {
    /// Before Windows 10 a process could hold dozens.
    const MAX_BYTES: usize = 1024;
    let mut names: HashMap<u32, String> = HashMap::new();
    let rows = open_manager().and_then(|manager| Buffer::default().enumerate(&manager));
    for row in rows.unwrap_or_default() {
        let pid = row.status.dwProcessId;
        if pid == 0 {
            continue;
        }
        let known = names.entry(pid).or_default();
        if known.len() + row.name.len() < MAX_BYTES {
            known.push_str(if known.is_empty() { "" } else { ", " });
            known.push_str(&row.name);
        }
    }
    names
}

/// Memory in use and processor time in nanoseconds, by process.
fn used_by_pid() -> HashMap<u32, (u64, u64)> {
    let mut reader = ProcessReader::new(&Roots::default());
    let mut used = HashMap::new();
    let mut vitals = Vitals::default();
    if reader.begin().is_ok() {
        while let Ok(true) = reader.next(&mut vitals, |_| true) {
            let seconds = vitals.user_seconds + vitals.privileged_seconds;
            let nanoseconds = Duration::try_from_secs_f64(seconds).unwrap_or_default().as_nanos();
            let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
            used.insert(vitals.id.pid, (vitals.working_set_bytes, nanoseconds));
        }
    }
    used
}

/// Closed when dropped.
struct Handle(SC_HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is ours.
        unsafe { CloseServiceHandle(self.0) };
    }
}

fn open_manager() -> Result<Handle, Error> {
    // SAFETY: no names: this machine, its active database.
    let manager = unsafe { OpenSCManagerW(ptr::null(), ptr::null(), SC_MANAGER_ENUMERATE_SERVICE) };
    if manager.is_null() {
        return Err(failure::last("OpenSCManagerW", "the service control manager"));
    }
    Ok(Handle(manager))
}

/// One service of the list.
struct Row {
    name: String,
    display_name: String,
    status: SERVICE_STATUS_PROCESS,
}

/// In words of 8 bytes, since the structures hold pointers; kept between the readings.
#[derive(Debug, Default)]
struct Buffer(Vec<u64>);

impl Buffer {
    /// Ten thousand services have four megabytes.
    const MAX_BYTES: usize = 64 * 1024 * 1024;

    fn bytes(&self) -> u32 {
        u32::try_from(self.0.len() * 8).unwrap_or(u32::MAX)
    }

    fn grow(&mut self, to_bytes: u32) {
        let wanted = (to_bytes as usize).max(self.0.len() * 8).max(4096) * 3 / 2;
        self.0.resize(wanted.min(Self::MAX_BYTES).div_ceil(8), 0);
    }

    fn enumerate(&mut self, manager: &Handle) -> Result<Vec<Row>, Error> {
        loop {
            let (mut needed, mut count, mut resume) = (0, 0, 0);
            // SAFETY: the call is told the buffer's size.
            let done = unsafe {
                EnumServicesStatusExW(
                    manager.0,
                    SC_ENUM_PROCESS_INFO,
                    SERVICE_WIN32,
                    SERVICE_STATE_ALL,
                    self.0.as_mut_ptr().cast(),
                    self.bytes(),
                    &raw mut needed,
                    &raw mut count,
                    &raw mut resume,
                    ptr::null(),
                )
            };
            if done != 0 {
                return Ok(self.rows(count as usize));
            }
            // SAFETY: it only reads this thread's last error.
            let is_too_small = unsafe { GetLastError() } == ERROR_MORE_DATA;
            if !is_too_small || self.0.len() * 8 >= Self::MAX_BYTES {
                return Err(failure::last("EnumServicesStatusExW", "services"));
            }
            self.grow(self.bytes().saturating_add(needed));
        }
    }

    fn rows(&self, count: usize) -> Vec<Row> {
        let fits = self.0.len() * 8 / size_of::<ENUM_SERVICE_STATUS_PROCESSW>();
        let start = self.0.as_ptr().cast::<ENUM_SERVICE_STATUS_PROCESSW>();
        (0..count.min(fits))
            .map(|index| {
                // SAFETY: the call has put so many structures there; their texts, which end with
                // a zero, lie in the same buffer, which is ours.
                unsafe {
                    let row = &*start.add(index);
                    Row {
                        name: text(row.lpServiceName),
                        display_name: text(row.lpDisplayName),
                        status: row.ServiceStatusProcess,
                    }
                }
            })
            .collect()
    }
}

/// # Safety
/// The pointer is null, or leads to a text that ends with a zero.
unsafe fn text(start: *const u16) -> String {
    const MAX_UNITS: usize = 32_768;
    if start.is_null() {
        return String::new();
    }
    // SAFETY: the text is read up to its zero and not beyond.
    unsafe {
        let length = (0..MAX_UNITS).take_while(|&at| *start.add(at) != 0).count();
        narrow(std::slice::from_raw_parts(start, length))
    }
}

fn status(row: &Row) -> ServiceStatus {
    let (state, native) = match row.status.dwCurrentState {
        1 => (ServiceState::Stopped, "SERVICE_STOPPED"),
        2 => (ServiceState::Starting, "SERVICE_START_PENDING"),
        3 => (ServiceState::Stopping, "SERVICE_STOP_PENDING"),
        4 => (ServiceState::Running, "SERVICE_RUNNING"),
        5 => (ServiceState::Starting, "SERVICE_CONTINUE_PENDING"),
        6 => (ServiceState::Paused, "SERVICE_PAUSE_PENDING"),
        7 => (ServiceState::Paused, "SERVICE_PAUSED"),
        _ => (ServiceState::Stopped, "unknown"),
    };
    let has_failed = state == ServiceState::Stopped
        && !matches!(row.status.dwWin32ExitCode, NO_ERROR | NEVER_STARTED);
    ServiceStatus {
        name: row.name.clone(),
        display_name: row.display_name.clone(),
        state: if has_failed { ServiceState::Failed } else { state },
        native_state: native.into(),
        should_run: false,
        run: Some(row.status.dwProcessId.into()).filter(|pid| *pid > 0),
        restarts: None,
    }
}

fn exit_code(status: &SERVICE_STATUS_PROCESS, state: ServiceState) -> Option<i64> {
    let has_ended = matches!(state, ServiceState::Stopped | ServiceState::Failed);
    match status.dwWin32ExitCode {
        NEVER_STARTED => None,
        SPECIFIC => Some(status.dwServiceSpecificExitCode.into()),
        code => Some(code.into()),
    }
    .filter(|_| has_ended)
}

/// What is set about a service; what may not be asked is absent.
fn settings(manager: &Handle, name: &str) -> Settings {
    let name = wide(name);
    // SAFETY: the name ends with a zero.
    let service = unsafe { OpenServiceW(manager.0, name.as_ptr(), SERVICE_QUERY_CONFIG) };
    if service.is_null() {
        return Settings::default();
    }
    let service = Handle(service);
    let mut settings = config(&service).unwrap_or_default();
    if settings.start_mode == Some(StartMode::Automatic) && is_delayed(&service) {
        settings.start_mode = Some(StartMode::AutomaticDelayed);
    }
    settings.has_trigger = has_trigger(&service);
    settings.description = description(&service);
    settings
}

fn config(service: &Handle) -> Option<Settings> {
    let mut buffer = Buffer(vec![0; 1024]);
    for _ in 0..2 {
        let mut needed = 0;
        let place = buffer.0.as_mut_ptr().cast::<QUERY_SERVICE_CONFIGW>();
        // SAFETY: the call is told the buffer's size.
        let done =
            unsafe { QueryServiceConfigW(service.0, place, buffer.bytes(), &raw mut needed) };
        if done != 0 {
            // SAFETY: the call has filled the structure, and its texts lie in the same buffer.
            return Some(unsafe { from_config(&*place) });
        }
        // SAFETY: it only reads this thread's last error.
        if unsafe { GetLastError() } != ERROR_INSUFFICIENT_BUFFER {
            return None;
        }
        buffer.grow(needed);
    }
    None
}

/// # Safety
/// The structure's texts are there.
unsafe fn from_config(config: &QUERY_SERVICE_CONFIGW) -> Settings {
    const SHARES_PROCESS: u32 = 0x20;
    let start_mode = match config.dwStartType {
        0..=2 => Some(StartMode::Automatic),
        3 => Some(StartMode::Manual),
        4 => Some(StartMode::Disabled),
        _ => None,
    };
    // SAFETY: as the caller promises.
    let command = unsafe { text(config.lpBinaryPathName) };
    Settings {
        start_mode,
        kind: Some(if config.dwServiceType & SHARES_PROCESS == 0 {
            "own_process"
        } else {
            "share_process"
        }),
        command: Some(command).filter(|command| !command.is_empty()),
        ..Settings::default()
    }
}

fn description(service: &Handle) -> Option<String> {
    /// The longest that Windows keeps.
    const BYTES: u32 = 8192;
    let mut buffer = vec![0_u64; BYTES as usize / 8];
    let mut needed = 0;
    let place = buffer.as_mut_ptr();
    // SAFETY: the call is told the buffer's size.
    let done = unsafe {
        QueryServiceConfig2W(
            service.0,
            SERVICE_CONFIG_DESCRIPTION,
            place.cast(),
            BYTES,
            &raw mut needed,
        )
    };
    // SAFETY: the call has filled the structure, and its text lies in the same buffer.
    let text = (done != 0)
        .then(|| unsafe { text((*place.cast::<SERVICE_DESCRIPTIONW>()).lpDescription) })?;
    Some(text).filter(|text| !text.is_empty())
}

/// Systems that lack the question have no such services.
fn is_delayed(service: &Handle) -> bool {
    let mut info = SERVICE_DELAYED_AUTO_START_INFO::default();
    let bytes = size_of::<SERVICE_DELAYED_AUTO_START_INFO>();
    let mut needed = 0;
    // SAFETY: the call is told the structure's size.
    let done = unsafe {
        QueryServiceConfig2W(
            service.0,
            SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
            (&raw mut info).cast(),
            u32::try_from(bytes).unwrap_or_default(),
            &raw mut needed,
        )
    };
    done != 0 && info.fDelayedAutostart != 0
}

fn has_trigger(service: &Handle) -> bool {
    let mut buffer = vec![0_u64; 1024];
    let mut needed = 0;
    let place = buffer.as_mut_ptr();
    // SAFETY: the call is told the buffer's size.
    let done = unsafe {
        QueryServiceConfig2W(
            service.0,
            SERVICE_CONFIG_TRIGGER_INFO,
            place.cast(),
            8192,
            &raw mut needed,
        )
    };
    // SAFETY: the call has filled the structure, which is all zeros otherwise.
    done != 0 && unsafe { (*place.cast::<SERVICE_TRIGGER_INFO>()).cTriggers > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_listed_with_their_settings() {
        let mut reader = ServiceReader::new(&Roots::default());
        let services = reader.details().unwrap();
        assert!(!services.is_empty());
        let names: Vec<_> = services.iter().map(|one| one.status.name.as_str()).collect();
        assert!(names.is_sorted(), "{names:?}");
        for service in &services {
            assert!(!service.status.display_name.is_empty(), "{service:?}");
            assert!(service.start_mode.is_some() && service.kind.is_some(), "{service:?}");
            assert!(service.pid.is_none() || service.status.state != ServiceState::Stopped);
        }
        assert!(services.iter().any(|one| one.command.is_some()));
        let running = services.iter().filter(|one| one.pid.is_some());
        let names = names_by_pid();
        for service in running {
            let pid = service.pid.unwrap();
            assert!(names[&pid].split(", ").any(|name| name == service.status.name), "{names:?}");
            let is_alone = !names[&pid].contains(", ");
            assert_eq!(
                service.memory_bytes.is_some_and(|bytes| bytes > 0),
                is_alone,
                "{service:?}"
            );
        }
        let read = reader.read(|_| false).unwrap();
        assert_eq!(read.len(), services.len());
        for status in read {
            let same = services.iter().any(|one| one.status.name == status.name);
            assert!(same, "{status:?}");
        }
    }

    #[test]
    fn a_stopped_service_with_an_error_has_failed() {
        let row = |state, code, own_code| Row {
            name: "x".into(),
            display_name: "X".into(),
            status: SERVICE_STATUS_PROCESS {
                dwCurrentState: state,
                dwWin32ExitCode: code,
                dwServiceSpecificExitCode: own_code,
                ..SERVICE_STATUS_PROCESS::default()
            },
        };
        let told = |row: Row| {
            let state = status(&row).state;
            (state, exit_code(&row.status, state))
        };
        assert_eq!(told(row(1, NEVER_STARTED, 0)), (ServiceState::Stopped, None));
        assert_eq!(told(row(1, NO_ERROR, 0)), (ServiceState::Stopped, Some(0)));
        assert_eq!(told(row(1, SPECIFIC, 7)), (ServiceState::Failed, Some(7)));
        assert_eq!(told(row(4, NO_ERROR, 0)), (ServiceState::Running, None));
    }
}
