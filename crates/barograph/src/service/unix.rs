//! Signals, sockets and the system's log.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barograph_notify::{LogLine, SystemLog};
use barograph_server::{DATAGRAM_PATIENCE, Datagrams, RestartService};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
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

/// The user to whom a folder belongs, if this is root and the folder somebody else's: what root
/// makes in it could not be changed by its owner.
pub(crate) fn foreign_owner(folder: &Path) -> Option<u32> {
    let owner = fs::metadata(folder).ok()?.uid();
    (rustix::process::geteuid().is_root() && owner != 0).then_some(owner)
}

/// Allows this process as many open files as the system lets it have; how many these are.
pub(crate) fn raise_handle_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Programs that are started inherit it, and some go through all numbers up to it.
    let wanted = maximum.map_or(ENOUGH_HANDLES, |maximum| maximum.min(ENOUGH_HANDLES));
    if current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum };
        setrlimit(Resource::Nofile, raised).ok()?;
        return Some(wanted);
    }
    current
}

/// Live files of 128 days, as many again for readers, and a thousand connections.
const ENOUGH_HANDLES: u64 = 16_384;

/// The syslog of the system, where one listens at `socket`.
pub(crate) fn system_log(socket: &Path) -> Option<Arc<dyn SystemLog>> {
    let log: Arc<dyn SystemLog> = Arc::new(Syslog(socket.to_owned()));
    socket.exists().then_some(log)
}

/// None: only Windows has one.
pub(crate) fn event_log() -> Option<Arc<dyn SystemLog>> {
    None
}

/// None: `systemctl` is run for it.
pub(crate) fn restarter() -> Option<RestartService> {
    None
}

/// The socket that journald and every syslog daemon offer.
#[derive(Debug)]
struct Syslog(PathBuf);

impl SystemLog for Syslog {
    fn write(&self, line: &LogLine) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        // Who writes waits for nobody: a log that is full is tried again later.
        socket.set_nonblocking(true)?;
        socket.connect(&self.0)?;
        let priority = u32::from(line.facility) * 8 + u32::from(line.level());
        let line = format!("<{priority}>barograph[{}]: {}", std::process::id(), line.text);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use barograph_notify::{Event, Severity};

    use super::*;

    #[test]
    fn the_syslog_gets_a_line_with_its_priority() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(system_log(&path).is_none(), "nothing listens there");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let log = system_log(&path).unwrap();
        let text = "[FIRING critical] Disk C:".to_owned();
        let (event, severity) = (Event::Firing, Severity::Critical);
        log.write(&LogLine { event, severity, facility: 16, text }).unwrap();
        let mut bytes = [0; 200];
        let length = socket.recv(&mut bytes).unwrap();
        let line = std::str::from_utf8(&bytes[..length]).unwrap();
        let own = std::process::id();
        assert_eq!(line, format!("<130>barograph[{own}]: [FIRING critical] Disk C:"));
        drop(socket);
        let line = LogLine { event, severity, facility: 3, text: "x".to_owned() };
        assert!(log.write(&line).is_err(), "nobody listens any more");
    }
}
