//! The sockets on which the kernel's process connector tells of processes.
//!
//! There are two, since not all news is equally urgent: a program that has just begun may be gone
//! in a millisecond with all that its files tell, while nobody misses anything if forks and ends
//! are heard a little later. So the thread sleeps on the first kind of news, takes each program as
//! it comes, and fetches the rest a few times a second. Filters in the kernel keep threads from
//! waking it: on most machines they come and go more often than processes.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, sendto, socket_with,
    sockopt,
};
use rustix::time::{ClockId, clock_gettime};
use socket2::{SockFilter, SockRef};

use crate::parse::proc_connector::{self, CONNECTOR_INDEX, Instruction, News, ProcEvent};

/// The kernel's news of processes.
#[derive(Debug)]
pub(super) struct ProcessConnector {
    /// Of programs that begin.
    programs: OwnedFd,
    /// Of forks and ends.
    lives: OwnedFd,
    /// Whether the kernel has agreed to each.
    agreed: [bool; 2],
    buffer: Vec<u8>,
}

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) event: ProcEvent,
    /// By the system's monotonic clock.
    pub(super) at: Duration,
}

impl ProcessConnector {
    /// Room for some ten thousand events, while details of one are being read.
    const BUFFER_BYTES: usize = 4 * 1024 * 1024;
    /// How long the wait for a program is at most.
    const PATIENCE: Duration = Duration::from_secs(1);
    /// What is fetched at once; the rest is fetched next.
    const MAX_HEARD: usize = 20_000;

    /// Asks for the news. Whether the kernel agrees, [`ProcessConnector::is_agreed`] tells.
    ///
    /// # Errors
    /// The kernel has no connector, or a capability is missing.
    pub(super) fn open() -> Result<Self, Errno> {
        Ok(Self {
            programs: open_socket(News::Programs)?,
            lives: open_socket(News::Lives)?,
            agreed: [false; 2],
            buffer: vec![0; 16 * 1024],
        })
    }

    /// Whether the kernel has agreed to both sockets; waits a moment for its answer.
    ///
    /// # Errors
    /// It refuses.
    pub(super) fn is_agreed(&mut self) -> Result<bool, io::Error> {
        let Self { programs, lives, agreed, buffer, .. } = self;
        for (socket, agreed) in [programs, lives].into_iter().zip(&mut *agreed) {
            if *agreed {
                continue;
            }
            let Ok((length, _)) = recv(&*socket, &mut buffer[..], RecvFlags::empty()) else {
                continue;
            };
            let mut answer = None;
            proc_connector::parse(buffer.get(..length).unwrap_or_default(), |event, _| {
                if let ProcEvent::Listening { error } = event {
                    answer = Some(error);
                }
            });
            match answer {
                Some(0) => *agreed = true,
                Some(error) => return Err(io::Error::from_raw_os_error(error.cast_signed())),
                None => {}
            }
        }
        Ok(*agreed == [true; 2])
    }

    /// The clock of [`Heard::at`].
    pub(super) fn now() -> Duration {
        Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
    }

    /// Adds the next program that begins to `heard`; nothing after a while without one.
    ///
    /// # Errors
    /// [`Errno::NOBUFS`] if the kernel had more to tell than there was room for.
    pub(super) fn wait(&mut self, heard: &mut Vec<Heard>) -> Result<(), Errno> {
        match hear(&self.programs, RecvFlags::empty(), &mut self.buffer, heard) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            result => result,
        }
    }

    /// Adds all forks and ends that have come to `heard`: first the forks.
    ///
    /// # Errors
    /// As for [`ProcessConnector::wait`].
    pub(super) fn lives(&mut self, heard: &mut Vec<Heard>) -> Result<(), Errno> {
        while heard.len() < Self::MAX_HEARD {
            match hear(&self.lives, RecvFlags::DONTWAIT, &mut self.buffer, heard) {
                Ok(()) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(errno),
            }
        }
        heard.sort_by_key(|heard| matches!(heard.event, ProcEvent::Exited { .. }));
        Ok(())
    }
}

/// Takes in one datagram.
fn hear(
    socket: &OwnedFd,
    flags: RecvFlags,
    buffer: &mut [u8],
    heard: &mut Vec<Heard>,
) -> Result<(), Errno> {
    let (length, _) = recv(socket, &mut *buffer, flags)?;
    proc_connector::parse(buffer.get(..length).unwrap_or_default(), |event, at| {
        heard.push(Heard { event, at });
    });
    Ok(())
}

fn open_socket(news: News) -> Result<OwnedFd, Errno> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::CONNECTOR),
    )?;
    let bytes = ProcessConnector::BUFFER_BYTES;
    // More than the usual limit takes a privilege; without it the usual limit it is.
    if sockopt::set_socket_recv_buffer_size_force(&socket, bytes).is_err() {
        sockopt::set_socket_recv_buffer_size(&socket, bytes)?;
    }
    let patience = Some(ProcessConnector::PATIENCE);
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, patience)?;
    let instruction = |Instruction { code, if_true, if_false, value }| {
        SockFilter::new(code, if_true, if_false, value)
    };
    let filter: Vec<_> = news.filter().into_iter().map(instruction).collect();
    // Without it more comes than is wanted, which is passed over later.
    if let Err(error) = SockRef::from(&socket).attach_filter(&filter) {
        tracing::debug!(%error, "the kernel takes no filter for news of processes");
    }
    bind(&socket, &SocketAddrNetlink::new(0, CONNECTOR_INDEX))?;
    let kernel = SocketAddrNetlink::new(0, 0);
    for request in news.listen_requests() {
        sendto(&socket, &request, SendFlags::empty(), &kernel)?;
    }
    Ok(socket)
}
