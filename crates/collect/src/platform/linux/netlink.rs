//! Questions to the kernel over a netlink socket.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::Error;
use crate::parse::netlink::{Message, messages};

/// A socket for whole tables.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    name: &'static str,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// What the kernel puts into one answer at most.
    const BUFFER_BYTES: usize = 64 * 1024;
    const PATIENCE: Duration = Duration::from_secs(2);
    /// A table of a million sockets.
    const MAX_TABLE_BYTES: usize = 256 * 1024 * 1024;

    /// `protocol` is the part of the kernel that is asked, `name` what errors call it.
    pub(super) fn open(protocol: Option<Protocol>, name: &'static str) -> Result<Self, Error> {
        let failed = |call: &'static str| {
            move |errno: rustix::io::Errno| Error::Call {
                call,
                object: name.into(),
                source: errno.into(),
            }
        };
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            protocol,
        )
        .map_err(failed("socket"))?;
        set_socket_timeout(&socket, Timeout::Recv, Some(Self::PATIENCE))
            .map_err(failed("setsockopt"))?;
        rustix::net::connect(&socket, &SocketAddrNetlink::new(0, 0)).map_err(failed("connect"))?;
        Ok(Self { socket, name, sequence: 0, buffer: vec![0; Self::BUFFER_BYTES] })
    }

    /// Asks for a table and hands on its rows: kind and payload. `request` is made with the
    /// number that it is to carry.
    ///
    /// # Errors
    /// The kernel refuses, or answers what is not understood, or not at all.
    pub(super) fn table(
        &mut self,
        request: impl FnOnce(u32) -> Vec<u8>,
        mut each: impl FnMut(u16, &[u8]),
    ) -> Result<(), Error> {
        self.sequence = self.sequence.wrapping_add(1);
        let name = self.name;
        let failed = |call: &'static str, source: io::Error| Error::Call {
            call,
            object: name.into(),
            source,
        };
        let request = request(self.sequence);
        rustix::net::send(&self.socket, &request, SendFlags::empty())
            .map_err(|errno| failed("send", errno.into()))?;
        let mut left = Self::MAX_TABLE_BYTES;
        loop {
            let (length, _) =
                match rustix::net::recv(&self.socket, &mut *self.buffer, RecvFlags::empty()) {
                    Err(rustix::io::Errno::INTR) => continue,
                    other => other.map_err(|errno| failed("recv", errno.into()))?,
                };
            left = left.checked_sub(length).ok_or_else(|| {
                failed("recv", io::Error::other("the table is larger than 256 MiB"))
            })?;
            let mut end = None;
            messages(&self.buffer[..length], self.sequence, |message| match message {
                Message::Data { kind, payload } => each(kind, payload),
                Message::Done => end = Some(Ok(())),
                Message::Refused { errno } => end = Some(Err(errno)),
            })
            .map_err(|error| failed("recv", io::Error::other(error)))?;
            match end {
                None => {}
                // Without an error number it only says that the question has come.
                Some(Ok(()) | Err(0)) => return Ok(()),
                Some(Err(errno)) => {
                    return Err(failed("recv", io::Error::from_raw_os_error(errno)));
                }
            }
        }
    }
}
