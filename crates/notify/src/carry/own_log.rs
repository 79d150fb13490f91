//! The log of the system that this runs on.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::failure::{Failure, Receipt};
use crate::notification::{Event, Severity};
use crate::notifier::Machine;

/// The log of the system that this runs on; who knows the system gives it.
pub trait SystemLog: fmt::Debug + Send + Sync {
    /// # Errors
    /// The system does not take it.
    fn write(&self, line: &LogLine) -> io::Result<()>;
}

/// What is written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub event: Event,
    pub severity: Severity,
    /// Syslog's number of a facility.
    pub facility: u8,
    pub text: String,
}

/// A line for the log of this machine.
#[derive(Debug)]
pub(crate) struct Own(pub(crate) LogLine);

impl LogLine {
    /// Syslog's number of how bad it is (RFC 5424, 6.2.1).
    pub fn level(&self) -> u8 {
        level(self.event, self.severity)
    }
}

/// Good news is worth noting, however bad what it ends was.
pub(crate) fn level(event: Event, severity: Severity) -> u8 {
    match (event, severity) {
        (Event::Resolved | Event::Acknowledged | Event::Test, _) => 5,
        (_, Severity::Critical) => 2,
        (_, Severity::Warning) => 4,
        (_, Severity::Info) => 6,
    }
}

impl Own {
    pub(crate) async fn write(&self, machine: &Machine) -> Result<Receipt, Failure> {
        let missing = || Failure::permanent("there is no syslog here; give an `address`");
        let log = Arc::clone(machine.system_log.as_ref().ok_or_else(missing)?);
        let line = self.0.clone();
        // A system's call may wait for another program.
        let written = tokio::task::spawn_blocking(move || log.write(&line)).await;
        match written {
            Ok(Ok(())) => Ok(Receipt { text: String::new() }),
            Ok(Err(error)) => {
                Err(Failure::unreached(format!("the system's log does not take it: {error}")))
            }
            Err(error) => Err(Failure::passing(error.to_string())),
        }
    }

    pub(crate) fn shown(&self) -> String {
        format!("to this machine's log\n{}", self.0.text)
    }
}
