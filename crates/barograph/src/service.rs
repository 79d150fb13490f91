//! What depends on the system here: how it tells the program to stop, and sockets that only some
//! systems have.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{datagram_socket, stop_requested};
#[cfg(windows)]
pub(crate) use windows::{datagram_socket, stop_requested};
