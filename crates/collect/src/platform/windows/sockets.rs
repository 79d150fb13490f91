//! Sockets and whom they belong to.
#![expect(unsafe_code, reason = "calls to iphlpapi, which fill a buffer with rows")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::slice;
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_NOT_SUPPORTED, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetExtendedTcpTable, GetExtendedUdpTable, MIB_TCP6ROW_OWNER_PID, MIB_TCPROW_OWNER_PID,
    MIB_UDP6ROW_OWNER_PID, MIB_UDPROW_OWNER_PID, TCP_TABLE_OWNER_PID_ALL, UDP_TABLE_OWNER_PID,
};

use super::failure;
use super::process_name::process_name;
use super::tcp_bytes::TcpBytes;
use crate::Error;
use crate::readings::{Socket, SocketOwners, TcpState, Transport};
use crate::roots::Roots;

pub(super) const AF_INET: u16 = 2;
pub(super) const AF_INET6: u16 = 23;

/// Asks for the tables of TCP and UDP, over IPv4 and IPv6.
#[derive(Debug)]
pub(crate) struct SocketReader {
    /// In words of 8 bytes, since rows hold aligned numbers; kept between the readings.
    buffer: Vec<u64>,
    bytes: TcpBytes,
}

impl SocketReader {
    /// A table of some million sockets.
    const MAX_BYTES: usize = 256 * 1024 * 1024;

    pub(crate) fn new(_: &Roots) -> Self {
        Self { buffer: vec![0; 1024], bytes: TcpBytes::default() }
    }

    /// Hands on every TCP and UDP socket.
    pub(crate) fn each(&mut self, mut each: impl FnMut(Socket)) -> Result<(), Error> {
        self.rows(Transport::Tcp, AF_INET, |row: &MIB_TCPROW_OWNER_PID| {
            each(tcp_v4(row));
        })?;
        self.rows(Transport::Udp, AF_INET, |row: &MIB_UDPROW_OWNER_PID| {
            each(udp(v4(row.dwLocalAddr), row.dwLocalPort, row.dwOwningPid));
        })?;
        self.rows(Transport::Tcp, AF_INET6, |row: &MIB_TCP6ROW_OWNER_PID| {
            each(tcp_v6(row));
        })?;
        self.rows(Transport::Udp, AF_INET6, |row: &MIB_UDP6ROW_OWNER_PID| {
            let local = Ipv6Addr::from(row.ucLocalAddr).into();
            each(udp(local, row.dwLocalPort, row.dwOwningPid));
        })
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
        let mut bytes = std::mem::take(&mut self.bytes);
        let done = self
            .rows(Transport::Tcp, AF_INET, |row: &MIB_TCPROW_OWNER_PID| {
                let socket = tcp_v4(row);
                if socket.state.can_carry_data() {
                    each(Socket { traffic: bytes.of_v4(row), ..socket });
                }
            })
            .and_then(|()| {
                self.rows(Transport::Tcp, AF_INET6, |row: &MIB_TCP6ROW_OWNER_PID| {
                    let socket = tcp_v6(row);
                    if socket.state.can_carry_data() {
                        each(Socket { traffic: bytes.of_v6(row), ..socket });
                    }
                })
            });
        let refused = bytes.refused();
        self.bytes = bytes;
        done.map(|()| refused)
    }

    /// The rows of a table, which are of type `T` and follow their number. A family that the
    /// system lacks has none.
    fn rows<T>(
        &mut self,
        transport: Transport,
        family: u16,
        each: impl FnMut(&T),
    ) -> Result<(), Error> {
        let name = transport.as_str();
        loop {
            let capacity = self.buffer.len() * 8;
            let mut bytes = u32::try_from(capacity).unwrap_or(u32::MAX);
            let table = self.buffer.as_mut_ptr().cast();
            // SAFETY: the call is told the buffer's size.
            let code = unsafe {
                match transport {
                    Transport::Tcp => GetExtendedTcpTable(
                        table,
                        &raw mut bytes,
                        0,
                        family.into(),
                        TCP_TABLE_OWNER_PID_ALL,
                        0,
                    ),
                    Transport::Udp => GetExtendedUdpTable(
                        table,
                        &raw mut bytes,
                        0,
                        family.into(),
                        UDP_TABLE_OWNER_PID,
                        0,
                    ),
                }
            };
            match code {
                NO_ERROR => break,
                ERROR_NOT_SUPPORTED if family == AF_INET6 => return Ok(()),
                // Sockets come and go between the calls: some room is added.
                ERROR_INSUFFICIENT_BUFFER if capacity < Self::MAX_BYTES => {
                    let wanted = (bytes as usize).max(capacity) * 5 / 4;
                    self.buffer.resize(wanted.div_ceil(8), 0);
                }
                code => return Err(failure::code("GetExtendedTcpTable", name, code)),
            }
        }
        let n_rows = self.buffer.first().map_or(0, |word| *word & u64::from(u32::MAX));
        let n_rows = usize::try_from(n_rows).unwrap_or(usize::MAX);
        let first = 4_usize.next_multiple_of(align_of::<T>());
        let fits = (self.buffer.len() * 8 - first) / size_of::<T>();
        // SAFETY: the rows lie in the buffer behind their number, aligned as the type asks, and
        // no more are read than fit into it.
        let rows = unsafe {
            let start = self.buffer.as_ptr().cast::<u8>().add(first).cast::<T>();
            slice::from_raw_parts(start, n_rows.min(fits))
        };
        rows.iter().for_each(each);
        Ok(())
    }

    /// The processes of these numbers, by name.
    #[expect(clippy::unused_self, reason = "every system's readers have the same form")]
    pub(crate) fn owners(&self, wanted: &[u64], _elapsed: impl Fn() -> Duration) -> SocketOwners {
        let mut owners = SocketOwners::default();
        for owner in wanted {
            if let Some(pid) = u32::try_from(*owner).ok().filter(|pid| *pid != 0) {
                owners.processes.entry(*owner).or_insert_with(|| (pid, process_name(pid)));
            }
        }
        owners
    }
}

fn v4(address: u32) -> IpAddr {
    Ipv4Addr::from(address.to_ne_bytes()).into()
}

fn tcp_v4(row: &MIB_TCPROW_OWNER_PID) -> Socket {
    let local = SocketAddr::new(v4(row.dwLocalAddr), port(row.dwLocalPort));
    let remote = SocketAddr::new(v4(row.dwRemoteAddr), port(row.dwRemotePort));
    tcp(local, remote, row.dwState, row.dwOwningPid)
}

fn tcp_v6(row: &MIB_TCP6ROW_OWNER_PID) -> Socket {
    let address = |bytes| Ipv6Addr::from(bytes).into();
    let local = SocketAddr::new(address(row.ucLocalAddr), port(row.dwLocalPort));
    let remote = SocketAddr::new(address(row.ucRemoteAddr), port(row.dwRemotePort));
    tcp(local, remote, row.dwState, row.dwOwningPid)
}

fn tcp(local: SocketAddr, mut remote: SocketAddr, state: u32, pid: u32) -> Socket {
    let state = state_of(state);
    // That of a socket without a peer may hold anything.
    if state == TcpState::Listen {
        remote.set_port(0);
    }
    Socket { transport: Transport::Tcp, state, local, remote, owner: pid.into(), traffic: None }
}

fn udp(ip: IpAddr, local_port: u32, pid: u32) -> Socket {
    let nobody = match ip {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    Socket {
        transport: Transport::Udp,
        state: TcpState::Closed,
        local: SocketAddr::new(ip, port(local_port)),
        remote: SocketAddr::new(nobody, 0),
        owner: pid.into(),
        traffic: None,
    }
}

/// In network order in the lower half; the upper half may hold anything.
fn port(value: u32) -> u16 {
    let [a, b, ..] = value.to_le_bytes();
    u16::from_be_bytes([a, b])
}

/// By the number of the `MIB_TCP_STATE_` constants.
fn state_of(number: u32) -> TcpState {
    match number {
        2 => TcpState::Listen,
        3 => TcpState::SynSent,
        4 => TcpState::SynReceived,
        5 => TcpState::Established,
        6 => TcpState::FinWait1,
        7 => TcpState::FinWait2,
        8 => TcpState::CloseWait,
        9 => TcpState::Closing,
        10 => TcpState::LastAck,
        11 => TcpState::TimeWait,
        _ => TcpState::Closed,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn ports_are_turned_and_states_are_known() {
        assert_eq!(port(0xFFFF_901F), 0x1F90);
        assert_eq!(state_of(5), TcpState::Established);
        assert_eq!(v4(u32::from_ne_bytes([127, 0, 0, 1])).to_string(), "127.0.0.1");
    }

    #[test]
    fn own_sockets_are_found_with_their_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut reader = SocketReader::new(&Roots::default());
        let mut found = Vec::new();
        reader.each(|socket| found.push(socket)).unwrap();
        let of = |address| found.iter().find(|socket: &&Socket| socket.local == address).unwrap();
        let ours = of(listener.local_addr().unwrap());
        assert_eq!((ours.state, ours.remote.port()), (TcpState::Listen, 0));
        assert_eq!(of(udp.local_addr().unwrap()).transport, Transport::Udp);
        let owners = reader.owners(&[ours.owner], || Duration::ZERO);
        let (pid, name) = &owners.processes[&ours.owner];
        assert_eq!(*pid, std::process::id());
        assert!(name.is_some());
    }
}
