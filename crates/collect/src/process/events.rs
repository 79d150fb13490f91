//! Starts and ends of processes as events.

use super::reading::Facts;
use crate::event::Event;

pub const STARTED: &str = "process_started";
/// A process that had run before became another program.
pub const EXECUTED: &str = "process_executed";
pub const ENDED: &str = "process_ended";

/// How a process ended, where the system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Unknown,
    Code(i64),
    /// Killed by a signal.
    Signal(u32),
}

pub fn started(time_ms: i64, pid: u32, parent: u32, facts: &Facts) -> Event {
    about(time_ms, STARTED, pid, parent, facts)
}

pub fn executed(time_ms: i64, pid: u32, parent: u32, facts: &Facts) -> Event {
    about(time_ms, EXECUTED, pid, parent, facts)
}

pub fn ended(time_ms: i64, pid: u32, parent: u32, facts: &Facts, exit: Exit) -> Event {
    let (code, signal) = match exit {
        Exit::Unknown => (None, None),
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    };
    about(time_ms, ENDED, pid, parent, facts).with("exit_code", code).with("signal", signal)
}

fn about(time_ms: i64, kind: &'static str, pid: u32, parent: u32, facts: &Facts) -> Event {
    Event::new(time_ms, kind, &format!("{} ({pid})", facts.name))
        .with("pid", Some(pid))
        .with("parent", Some(parent).filter(|parent| *parent > 0))
        .with("name", Some(facts.name.as_str()))
        .with("path", facts.path.as_deref())
        .with("command_line", facts.command_line.as_deref())
        .with("user", facts.user.as_deref())
        .with("service", facts.service.as_deref())
}
