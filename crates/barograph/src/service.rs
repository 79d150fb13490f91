//! How the system tells the program to stop: the one place here that depends on the system.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::stop_requested;
#[cfg(windows)]
pub(crate) use windows::stop_requested;
