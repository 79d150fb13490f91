//! What depends on the system here: how it tells the program to stop, sockets that only some
//! systems have, and how programs are run and ended.

mod program;
pub(crate) mod trust;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

/// Where a syslog takes datagrams unless the configuration says otherwise.
pub(crate) const SYSLOG_SOCKET: &str = "/dev/log";

pub(crate) use program::runner;
#[cfg(unix)]
pub(crate) use unix::{
    datagram_socket, event_log, foreign_owner, raise_handle_limit, restarter, stop_requested,
    system_log,
};
#[cfg(windows)]
pub(crate) use windows::{
    datagram_socket, event_log, foreign_owner, raise_handle_limit, restarter, stop_requested,
    system_log,
};
