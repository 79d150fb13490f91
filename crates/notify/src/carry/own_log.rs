//! The logs of the system that this runs on.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::failure::{Failure, Receipt};
use crate::notification::{Event, Severity};
use crate::notifier::Machine;

/// A log of the system that this runs on; who knows the system gives it.
pub trait SystemLog: fmt::Debug + Send + Sync {
    /// # Errors
    /// The system does not take it.
    fn write(&self, line: &LogLine) -> io::Result<()>;
}

/// What is written to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub event: Event,
    pub severity: Severity,
    /// Syslog's number of a facility.
    pub facility: u8,
    pub text: String,
}

/// Which log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Syslog,
    EventLog,
}

/// A line for a log of this machine.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) which: Which,
    pub(crate) line: LogLine,
}

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
        let (log, missing) = match self.which {
            Which::Syslog => {
                (&machine.system_log, "there is no syslog here; give an `address`".to_owned())
            }
            Which::EventLog => {
                (&machine.event_log, "there is no event log here: only Windows has one".to_owned())
            }
        };
        let log = Arc::clone(log.as_ref().ok_or_else(|| Failure::permanent(missing))?);
        let line = self.line.clone();
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
        let log = match self.which {
            Which::Syslog => "syslog",
            Which::EventLog => "event log",
        };
        format!("to this machine's {log}\n{}", self.line.text)
    }
}
