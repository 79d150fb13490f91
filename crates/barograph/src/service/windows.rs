//! Console events, and what Windows has logs and services for.

mod event_log;
mod restart;

use std::io;
use std::path::Path;
use std::sync::Arc;

use barograph_notify::SystemLog;
use barograph_server::Datagrams;

pub(crate) use restart::restarter;
use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

use event_log::EventLog;

/// Listens for Ctrl-C, Ctrl-Break, a closing console and a system shutdown from now on; the future
/// is ready at the first.
///
/// # Errors
/// The system refuses to install a handler.
pub(crate) fn stop_requested() -> io::Result<impl Future<Output = &'static str>> {
    let mut interrupt = ctrl_c()?;
    let mut pause = ctrl_break()?;
    let mut close = ctrl_close()?;
    let mut shutdown = ctrl_shutdown()?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "ctrl-c",
            _ = pause.recv() => "ctrl-break",
            _ = close.recv() => "console closed",
            _ = shutdown.recv() => "system shutdown",
        }
    })
}

/// Nobody: who may write a file is told by the folder that it is in.
pub(crate) fn foreign_owner(_folder: &Path) -> Option<u32> {
    None
}

/// None: Windows has no such limit.
pub(crate) fn raise_handle_limit() -> Option<u64> {
    None
}

/// None: Windows has no syslog.
pub(crate) fn system_log(_socket: &Path) -> Option<Arc<dyn SystemLog>> {
    None
}

/// The event log of Windows.
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
pub(crate) fn event_log() -> Option<Arc<dyn SystemLog>> {
    Some(Arc::new(EventLog::default()))
}

/// # Errors
/// Always: Windows has no such sockets.
pub(crate) fn datagram_socket(_path: &Path) -> io::Result<Box<dyn Datagrams>> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "Windows has no Unix sockets for datagrams; use `statsd.listen`",
    ))
}
