//! Signals and sockets.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;

use barograph_notify::{Severity, SystemLog};
use barograph_server::{DATAGRAM_PATIENCE, Datagrams};

use tokio::signal::unix::{SignalKind, signal};

/// Listens for Ctrl-C, SIGTERM and a closing terminal from now on; the future is ready at the first.
///
/// # Errors
/// The system refuses to install a handler.
pub(crate) fn stop_requested() -> io::Result<impl Future<Output = &'static str>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "interrupt",
            _ = terminate.recv() => "terminate",
            _ = hangup.recv() => "hangup",
        }
    })
}

/// The log of the system, where one listens.
pub(crate) fn system_log() -> Option<Arc<dyn SystemLog>> {
    let log: Arc<dyn SystemLog> = Arc::new(DevLog);
    Path::new(DevLog::PATH).exists().then_some(log)
}

/// `/dev/log`, which journald and every syslog daemon offer.
#[derive(Debug)]
struct DevLog;

impl DevLog {
    const PATH: &str = "/dev/log";
    /// Of the facility `daemon`.
    const DAEMON: u8 = 3 << 3;
}

impl SystemLog for DevLog {
    fn write(&self, severity: Severity, text: &str) -> io::Result<()> {
        let level = match severity {
            Severity::Critical => 2,
            Severity::Warning => 4,
            Severity::Info => 6,
        };
        let socket = UnixDatagram::unbound()?;
        // Who writes waits for nobody: a log that is full is tried again later.
        socket.set_nonblocking(true)?;
        socket.connect(Self::PATH)?;
        let line = format!("<{}>barograph: {text}", Self::DAEMON | level);
        socket.send(line.as_bytes()).map(drop)
    }
}

/// Everybody on this machine may send there, as they may to a port of the loopback address.
const SOCKET_MODE: u32 = 0o722;

/// Makes a socket for datagrams at a path; what an earlier run left there is replaced.
///
/// # Errors
/// The path cannot be used, or another program receives there.
pub(crate) fn datagram_socket(path: &Path) -> io::Result<Box<dyn Datagrams>> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        if UnixDatagram::unbound()?.connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another program receives there"));
        }
        fs::remove_file(path)?;
    }
    let socket = UnixDatagram::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(SOCKET_MODE))?;
    socket.set_read_timeout(Some(DATAGRAM_PATIENCE))?;
    Ok(Box::new(Socket(socket)))
}

struct Socket(UnixDatagram);

impl Datagrams for Socket {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer)
    }
}
