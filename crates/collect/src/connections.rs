//! TCP connections by state and by listening port.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Desc, Unit};

use crate::desc::gauge;
use crate::platform::SocketReader;
use crate::readings::{Socket, TcpState, Transport};
use crate::{Collector, Error, Roots, Sink};

pub(crate) static CONNECTIONS: Desc = gauge(
    "tcp_connections",
    Unit::Count,
    &["state"],
    "TCP sockets of IPv4 and IPv6 by what they do; those that listen are state `listen`.",
);
pub(crate) static PORT_CONNECTIONS: Desc = gauge(
    "tcp_port_connections",
    Unit::Count,
    &["port"],
    "Open TCP connections to a port where a program here listens; of the 64 lowest such ports.",
);
pub(crate) static UDP_SOCKETS: Desc =
    gauge("udp_sockets", Unit::Count, &[], "UDP sockets of IPv4 and IPv6.");

static DESCS: [&Desc; 3] = [&CONNECTIONS, &PORT_CONNECTIONS, &UDP_SOCKETS];

/// Sockets, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connections {
    /// In the order of [`TcpState::ALL`].
    pub tcp_by_state: [u64; TcpState::ALL.len()],
    pub udp_sockets: u64,
    /// By protocol and port.
    pub listening: Vec<ListeningPort>,
    /// There are more than [`Connections::MAX_LISTENING`].
    pub more_listening: bool,
}

/// A port where a program waits: a TCP port that listens, or a UDP port without a fixed peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListeningPort {
    pub transport: Transport,
    pub port: u16,
    /// Where it listens; `0.0.0.0` and `::` are all addresses.
    pub addresses: Vec<IpAddr>,
    /// Open connections to it; nothing for UDP, which has none.
    pub connections: Option<u64>,
    /// Nothing where the system does not tell whose it is, as a rule for lack of rights.
    pub pid: Option<u32>,
    pub process: Option<String>,
}

impl Connections {
    pub const MAX_LISTENING: usize = 1024;
    const MAX_ADDRESSES: usize = 16;

    /// Counts what this machine has now, with the processes that listen.
    ///
    /// # Errors
    /// The system does not list its sockets.
    pub fn read(roots: &Roots, clock: &dyn Clock) -> Result<Self, Error> {
        let mut reader = SocketReader::new(roots);
        let mut tally = Tally::default();
        reader.each(|socket| tally.add(&socket))?;
        let wanted: Vec<u64> = tally.listening.values().map(|place| place.owner).collect();
        let since = clock.monotonic();
        let owners = reader.owners(&wanted, || clock.monotonic().saturating_sub(since));
        let mut connections = tally.finish();
        for (port, owner) in connections.listening.iter_mut().zip(wanted) {
            if let Some((pid, process)) = owners.processes.get(&owner) {
                port.pid = Some(*pid);
                port.process.clone_from(process);
            }
        }
        Ok(connections)
    }
}

/// Counts sockets one by one, in memory that is bounded by the number of ports.
#[derive(Debug, Default)]
struct Tally {
    by_state: [u64; TcpState::ALL.len()],
    udp_sockets: u64,
    listening: BTreeMap<(Transport, u16), Place>,
    more_listening: bool,
    established: HashMap<u16, u64>,
}

#[derive(Debug, Default)]
struct Place {
    addresses: BTreeSet<IpAddr>,
    owner: u64,
}

impl Tally {
    fn add(&mut self, socket: &Socket) {
        match (socket.transport, socket.state) {
            (Transport::Tcp, state) => {
                let place = TcpState::ALL.iter().position(|known| *known == state);
                if let Some(count) = place.and_then(|place| self.by_state.get_mut(place)) {
                    *count += 1;
                }
                match state {
                    TcpState::Listen => self.listens(socket),
                    TcpState::Established => {
                        *self.established.entry(socket.local.port()).or_default() += 1;
                    }
                    _ => {}
                }
            }
            (Transport::Udp, _) => {
                self.udp_sockets += 1;
                if socket.remote.port() == 0 && socket.local.port() != 0 {
                    self.listens(socket);
                }
            }
        }
    }

    fn listens(&mut self, socket: &Socket) {
        let key = (socket.transport, socket.local.port());
        let is_full = self.listening.len() >= Connections::MAX_LISTENING;
        if is_full && !self.listening.contains_key(&key) {
            self.more_listening = true;
            return;
        }
        let place = self.listening.entry(key).or_default();
        if place.addresses.len() < Connections::MAX_ADDRESSES {
            place.addresses.insert(socket.local.ip());
        }
        if place.owner == 0 {
            place.owner = socket.owner;
        }
    }

    fn finish(self) -> Connections {
        let listening = self.listening.into_iter().map(|((transport, port), place)| {
            let connections = self.established.get(&port).copied().unwrap_or_default();
            ListeningPort {
                transport,
                port,
                addresses: place.addresses.into_iter().collect(),
                connections: (transport == Transport::Tcp).then_some(connections),
                pid: None,
                process: None,
            }
        });
        Connections {
            tcp_by_state: self.by_state,
            udp_sockets: self.udp_sockets,
            listening: listening.collect(),
            more_listening: self.more_listening,
        }
    }
}

/// Emits [`Connections`].
#[derive(Debug)]
pub(crate) struct ConnectionCollector {
    reader: SocketReader,
}

impl ConnectionCollector {
    const MAX_PORT_SERIES: usize = 64;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: SocketReader::new(roots) }
    }
}

impl Collector for ConnectionCollector {
    fn name(&self) -> &'static str {
        "connections"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    /// The system writes a row for each socket, and there may be a hundred thousand.
    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let mut tally = Tally::default();
        self.reader.each(|socket| tally.add(&socket))?;
        let connections = tally.finish();
        for (state, count) in TcpState::ALL.iter().zip(connections.tcp_by_state) {
            out.push(&CONNECTIONS, &[state.as_str()], count as f64);
        }
        out.push(&UDP_SOCKETS, &[], connections.udp_sockets as f64);
        let ports =
            connections.listening.iter().filter_map(|port| Some((port.port, port.connections?)));
        for (port, count) in ports.take(Self::MAX_PORT_SERIES) {
            out.push(&PORT_CONNECTIONS, &[&port.to_string()], count as f64);
        }
        Ok(())
    }
}

/// What this machine's sockets are now, by the system's own clock.
///
/// # Errors
/// The system does not list its sockets.
pub fn connections(roots: &Roots, clock: &Arc<dyn Clock>) -> Result<Connections, Error> {
    Connections::read(roots, &**clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(transport: Transport, state: TcpState, local: &str, remote_port: u16) -> Socket {
        let local: std::net::SocketAddr = local.parse().unwrap();
        let remote = (local.ip(), remote_port).into();
        Socket { transport, state, local, remote, owner: 7, traffic: None }
    }

    #[test]
    fn connections_are_counted_at_the_port_that_listens() {
        let mut tally = Tally::default();
        for socket in [
            socket(Transport::Tcp, TcpState::Established, "10.0.0.1:80", 4000),
            socket(Transport::Tcp, TcpState::Established, "[::1]:80", 4001),
            socket(Transport::Tcp, TcpState::TimeWait, "10.0.0.1:80", 4002),
            socket(Transport::Tcp, TcpState::Established, "10.0.0.1:5000", 443),
            socket(Transport::Tcp, TcpState::Listen, "0.0.0.0:80", 0),
            socket(Transport::Tcp, TcpState::Listen, "[::]:80", 0),
            socket(Transport::Udp, TcpState::Closed, "0.0.0.0:53", 0),
            socket(Transport::Udp, TcpState::Established, "10.0.0.1:6000", 53),
        ] {
            tally.add(&socket);
        }
        let found = tally.finish();
        assert_eq!((found.tcp_by_state[0], found.tcp_by_state[5], found.udp_sockets), (3, 1, 2));
        let ports: Vec<_> =
            found.listening.iter().map(|p| (p.port, p.addresses.len(), p.connections)).collect();
        assert_eq!(ports, [(80, 2, Some(2)), (53, 1, None)]);
        assert!(!found.more_listening);
    }

    #[test]
    fn a_flood_of_listening_ports_is_bounded() {
        let mut tally = Tally::default();
        for port in 1..=5000_u16 {
            tally.add(&socket(Transport::Tcp, TcpState::Listen, &format!("0.0.0.0:{port}"), 0));
        }
        let found = tally.finish();
        assert_eq!(found.listening.len(), Connections::MAX_LISTENING);
        assert!(found.more_listening && found.tcp_by_state[9] == 5000);
    }
}
