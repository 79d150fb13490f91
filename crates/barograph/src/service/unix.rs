//! Signals and sockets.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

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
