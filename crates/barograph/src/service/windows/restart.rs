//! Restarts services by the service control manager.

use std::ffi::OsStr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use barograph_model::{Clock, SystemClock};
use barograph_server::RestartService;
use windows_service::Error;
use windows_service::service::{Service, ServiceAccess, ServiceExitCode, ServiceState};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

const LOOKED_EVERY: Duration = Duration::from_millis(200);
/// `ERROR_SERVICE_CANNOT_ACCEPT_CTRL`: it is about to change its state by itself.
const BUSY: i32 = 1061;
/// `ERROR_DEPENDENT_SERVICES_RUNNING`
const DEPENDENTS: i32 = 1051;

/// Restarts one service within a time. Services that depend on it are not touched.
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
pub(crate) fn restarter() -> Option<RestartService> {
    Some(Arc::new(|name, within| {
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || restart(&name, within)).await;
            done.unwrap_or_else(|_| Err("it could not be done; the log tells why".to_owned()))
        })
    }))
}

fn restart(name: &str, within: Duration) -> Result<String, String> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
        .map_err(|error| format!("the service control manager: {}", told(&error)))?;
    let access = ServiceAccess::QUERY_STATUS | ServiceAccess::START | ServiceAccess::STOP;
    let service =
        manager.open_service(name, access).map_err(|it| format!("`{name}`: {}", told(&it)))?;
    let clock = SystemClock::new();
    let attempt = Attempt { name, service, until: clock.monotonic() + within, clock };
    let was_running = attempt.stop()?;
    attempt.start()?;
    Ok(if was_running { "stopped and started" } else { "started; it did not run" }.to_owned())
}

struct Attempt<'a> {
    name: &'a str,
    service: Service,
    clock: SystemClock,
    /// By the monotonic clock.
    until: Duration,
}

impl Attempt<'_> {
    /// Tells whether it ran before.
    fn stop(&self) -> Result<bool, String> {
        let mut is_asked = false;
        loop {
            match self.state()?.0 {
                ServiceState::Stopped => return Ok(is_asked),
                ServiceState::Running | ServiceState::Paused if !is_asked => {
                    is_asked = match self.service.stop() {
                        Ok(_) => true,
                        Err(error) if code(&error) == Some(BUSY) => false,
                        Err(error) if code(&error) == Some(DEPENDENTS) => {
                            let name = self.name;
                            return Err(format!(
                                "`{name}` is not stopped: services that run depend on it"
                            ));
                        }
                        Err(error) => {
                            return Err(format!("`{}` does not stop: {}", self.name, told(&error)));
                        }
                    };
                }
                // It was about to stop anyway, or is still on its way to something.
                _ => {}
            }
            self.wait("stop")?;
        }
    }

    fn start(&self) -> Result<(), String> {
        self.service
            .start::<&OsStr>(&[])
            .map_err(|error| format!("`{}` does not start: {}", self.name, told(&error)))?;
        loop {
            match self.state()? {
                (ServiceState::Running, _) => return Ok(()),
                (ServiceState::Stopped, code) => {
                    return Err(format!("`{}` ended while it started: {code:?}", self.name));
                }
                _ => self.wait("start")?,
            }
        }
    }

    fn state(&self) -> Result<(ServiceState, ServiceExitCode), String> {
        let status = self.service.query_status();
        let status = status.map_err(|error| format!("`{}`: {}", self.name, told(&error)))?;
        Ok((status.current_state, status.exit_code))
    }

    fn wait(&self, what: &str) -> Result<(), String> {
        if self.clock.monotonic() >= self.until {
            return Err(format!("`{}` did not {what} in time", self.name));
        }
        thread::sleep(LOOKED_EVERY);
        Ok(())
    }
}

fn code(error: &Error) -> Option<i32> {
    match error {
        Error::Winapi(error) => error.raw_os_error(),
        _ => None,
    }
}

fn told(error: &Error) -> String {
    match error {
        Error::Winapi(error) => error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that every Windows has, and Wine too.
    const SERVICE: &str = "Spooler";

    fn state() -> ServiceState {
        let manager =
            ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT).unwrap();
        let service = manager.open_service(SERVICE, ServiceAccess::QUERY_STATUS).unwrap();
        service.query_status().unwrap().current_state
    }

    #[test]
    fn a_service_is_stopped_and_started() {
        restart(SERVICE, Duration::from_secs(60)).unwrap();
        assert_eq!(state(), ServiceState::Running);
        let told = restart(SERVICE, Duration::from_secs(60)).unwrap();
        assert_eq!((told.as_str(), state()), ("stopped and started", ServiceState::Running));
    }

    #[test]
    fn a_service_that_is_not_there_is_told() {
        let error = restart("no-such-service", Duration::from_secs(5)).unwrap_err();
        assert!(error.starts_with("`no-such-service`: "), "{error}");
    }
}
