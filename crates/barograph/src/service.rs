//! What depends on the system here: how it tells the program to stop, sockets that only some
//! systems have, and how programs are run and ended.

mod program;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub(crate) use program::runner;
#[cfg(unix)]
pub(crate) use unix::{datagram_socket, stop_requested, system_log};
#[cfg(windows)]
pub(crate) use windows::{datagram_socket, stop_requested, system_log};
