//! Sockets and whom they belong to.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::netlink::SOCK_DIAG;

use super::kept_file::KeptFile;
use super::netlink::Netlink;
use crate::Error;
use crate::parse::{inet_diag, proc_net_tcp};
use crate::readings::{Socket, SocketOwners, TcpState, Transport};
use crate::roots::Roots;

/// Asks the kernel's socket diagnosis; where that is refused, and of a machine that is not this
/// one, `/proc/net/tcp` and its like, which take the kernel longer to write.
#[derive(Debug)]
pub(crate) struct SocketReader {
    source: Source,
    proc: PathBuf,
}

#[derive(Debug)]
enum Source {
    Diagnosis(Netlink),
    Files(Vec<(Transport, KeptFile)>),
    NotOpened,
}

impl SocketReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { source: Source::NotOpened, proc: roots.proc.clone() }
    }

    /// Hands on every TCP and UDP socket.
    pub(crate) fn each(&mut self, mut each: impl FnMut(Socket)) -> Result<(), Error> {
        self.open_if_needed();
        match &mut self.source {
            Source::Diagnosis(netlink) => diagnose_all(netlink, &mut each),
            Source::Files(files) => read_files(files.iter_mut(), &mut each),
            Source::NotOpened => Ok(()),
        }
        .inspect_err(|_| self.source = Source::NotOpened)
    }

    /// Hands on the TCP connections that can carry data, with the bytes that they carried; else
    /// says why there are none.
    ///
    /// # Errors
    /// The system does not list its connections.
    pub(crate) fn each_with_traffic(
        &mut self,
        mut each: impl FnMut(Socket),
    ) -> Result<Option<&'static str>, Error> {
        const OLD: &str = "this kernel does not count the bytes of connections, 4.1 and later do";
        const FILES: &str =
            "the kernel refuses its socket diagnosis, and /proc/net/tcp counts no bytes";
        self.open_if_needed();
        let mut is_counted = true;
        let mut talking = |socket: Socket| {
            if socket.state.can_carry_data() {
                // What waits for the other end to close is kept without its numbers.
                is_counted &= socket.traffic.is_some() || socket.state != TcpState::Established;
                each(socket);
            }
        };
        let done = match &mut self.source {
            Source::Diagnosis(netlink) => [false, true].into_iter().try_for_each(|is_v6| {
                let request = |sequence| inet_diag::traffic_request(is_v6, sequence);
                diagnose(netlink, Transport::Tcp, request, &mut talking)
            }),
            Source::Files(files) => {
                let tcp = files.iter_mut().filter(|(transport, _)| *transport == Transport::Tcp);
                read_files(tcp, &mut talking)
            }
            Source::NotOpened => Ok(()),
        };
        done.inspect_err(|_| self.source = Source::NotOpened)?;
        Ok(match &self.source {
            Source::Diagnosis(_) => (!is_counted).then_some(OLD),
            _ => Some(FILES),
        })
    }

    fn open_if_needed(&mut self) {
        if matches!(self.source, Source::NotOpened) {
            self.source = self.open();
        }
    }

    fn open(&self) -> Source {
        let is_this_machine = self.proc == Path::new("/proc");
        if is_this_machine
            && let Ok(mut netlink) = Netlink::open(Some(SOCK_DIAG), "the kernel's list of sockets")
        {
            // Kernels without it open the socket all the same, and refuse the question.
            let asked = netlink.table(|n| inet_diag::request(Transport::Udp, false, n), |_, _| ());
            if asked.is_ok() {
                return Source::Diagnosis(netlink);
            }
        }
        let file = |(transport, name): (Transport, &str)| {
            (transport, KeptFile::new(self.proc.join("net").join(name)))
        };
        let names = [
            (Transport::Tcp, "tcp"),
            (Transport::Tcp, "tcp6"),
            (Transport::Udp, "udp"),
            (Transport::Udp, "udp6"),
        ];
        Source::Files(names.map(file).into())
    }

    /// The processes that hold the sockets of these inodes. Looks through the open files of every
    /// process that may be looked at, so it is for questions that somebody asks, not for every
    /// tick; and it ends after a second, with what was found by then.
    pub(crate) fn owners(&self, wanted: &[u64], elapsed: impl Fn() -> Duration) -> SocketOwners {
        const PATIENCE: Duration = Duration::from_secs(1);
        let mut owners = SocketOwners::default();
        let mut left: HashSet<u64> = wanted.iter().copied().filter(|inode| *inode != 0).collect();
        let Ok(processes) = fs::read_dir(&self.proc) else { return owners };
        for process in processes.flatten() {
            if left.is_empty() || elapsed() > PATIENCE {
                break;
            }
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // Gone in between, or another user's.
            let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
            for file in files.flatten() {
                let Some(inode) = socket_inode(&file.path()) else { continue };
                if left.remove(&inode) {
                    let name = fs::read_to_string(process.path().join("comm")).ok();
                    let name = name.map(|name| name.trim_end().to_owned());
                    owners.processes.insert(inode, (pid, name));
                }
            }
        }
        owners
    }
}

fn socket_inode(link: &Path) -> Option<u64> {
    let target = fs::read_link(link).ok()?;
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn diagnose_all(netlink: &mut Netlink, each: &mut impl FnMut(Socket)) -> Result<(), Error> {
    for transport in [Transport::Tcp, Transport::Udp] {
        for is_v6 in [false, true] {
            let request = |sequence| inet_diag::request(transport, is_v6, sequence);
            diagnose(netlink, transport, request, each)?;
        }
    }
    Ok(())
}

fn diagnose(
    netlink: &mut Netlink,
    transport: Transport,
    request: impl FnOnce(u32) -> Vec<u8>,
    each: &mut impl FnMut(Socket),
) -> Result<(), Error> {
    let mut broken = None;
    netlink.table(request, |kind, payload| {
        if kind != inet_diag::KIND {
            return;
        }
        match inet_diag::socket(payload, transport) {
            Ok(socket) => each(socket),
            Err(error) => broken = Some(error),
        }
    })?;
    broken.map_or(Ok(()), |error| {
        let source = std::io::Error::other(error);
        let object = "a socket of the kernel's list".into();
        Err(Error::Call { call: "recv", object, source })
    })
}

fn read_files<'a>(
    files: impl Iterator<Item = &'a mut (Transport, KeptFile)>,
    each: &mut impl FnMut(Socket),
) -> Result<(), Error> {
    let mut n_read = 0;
    let mut last = None;
    for (transport, file) in files {
        let parse = |text: &[u8]| proc_net_tcp::parse(text, *transport, &mut *each);
        match file.read_if_there("TCP and UDP sockets", "kernel without network", parse) {
            Ok(()) => n_read += 1,
            // A kernel without IPv6 lacks two of the four.
            Err(error) if error.is_absent() => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    match last {
        Some(error) if n_read == 0 => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;
    use crate::readings::TcpState;

    fn sockets(reader: &mut SocketReader) -> Vec<Socket> {
        let mut found = Vec::new();
        reader.each(|socket| found.push(socket)).unwrap();
        found
    }

    /// Through either source, our own sockets are there with their states and their process.
    #[test]
    fn own_sockets_are_found_by_diagnosis_and_in_the_files() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let live = SocketReader::new(&Roots::default());
        // The same place by another name is not known to be this machine's.
        let other_name = Roots { proc: "/proc/../proc".into(), ..Roots::default() };
        let files = SocketReader::new(&other_name);
        for mut reader in [live, files] {
            let found = sockets(&mut reader);
            let state_of = |local, remote: u16| {
                let is_it = |s: &&Socket| s.local == local && s.remote.port() == remote;
                found.iter().find(is_it).map(|socket| (socket.transport, socket.state))
            };
            assert_eq!(state_of(address, 0), Some((Transport::Tcp, TcpState::Listen)));
            let client_end = client.local_addr().unwrap();
            let established = Some((Transport::Tcp, TcpState::Established));
            assert_eq!(state_of(client_end, address.port()), established);
            let bound = state_of(udp.local_addr().unwrap(), 0).unwrap();
            assert_eq!(bound.0, Transport::Udp);
            let socket = found.iter().find(|s| s.local == address && s.remote.port() == 0).unwrap();
            let owners = reader.owners(&[socket.owner, 0], || Duration::ZERO);
            let (pid, name) = owners.processes.get(&socket.owner).unwrap();
            assert_eq!(*pid, std::process::id());
            assert!(name.as_ref().is_some_and(|name| !name.is_empty()));
        }
    }

    #[test]
    fn a_machine_without_the_files_has_no_sockets_to_tell() {
        let tree = barograph_testkit::Tree::empty().unwrap();
        let mut reader = SocketReader::new(&Roots::recorded(tree.path()));
        assert!(reader.each(|_| ()).unwrap_err().is_absent());
    }
}
