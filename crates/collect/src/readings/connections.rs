//! TCP and UDP: sockets of now, and what the protocols have counted.

use std::collections::HashMap;
use std::net::SocketAddr;

/// What a TCP socket is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TcpState {
    Established,
    SynSent,
    SynReceived,
    FinWait1,
    FinWait2,
    TimeWait,
    Closed,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

impl TcpState {
    pub const ALL: [Self; 11] = [
        Self::Established,
        Self::SynSent,
        Self::SynReceived,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::Closed,
        Self::CloseWait,
        Self::LastAck,
        Self::Listen,
        Self::Closing,
    ];

    /// Whether a connection in this state can still carry data, at least one way.
    pub(crate) const fn can_carry_data(self) -> bool {
        matches!(
            self,
            Self::Established
                | Self::FinWait1
                | Self::FinWait2
                | Self::CloseWait
                | Self::LastAck
                | Self::Closing
        )
    }

    /// The word of the label `state` and of the interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::SynSent => "syn_sent",
            Self::SynReceived => "syn_received",
            Self::FinWait1 => "fin_wait_1",
            Self::FinWait2 => "fin_wait_2",
            Self::TimeWait => "time_wait",
            Self::Closed => "closed",
            Self::CloseWait => "close_wait",
            Self::LastAck => "last_ack",
            Self::Listen => "listen",
            Self::Closing => "closing",
        }
    }
}

/// The protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    /// The word of the interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// One socket as the system lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    pub transport: Transport,
    /// That of a UDP socket means little.
    pub state: TcpState,
    pub local: SocketAddr,
    /// Port 0 where there is no fixed peer.
    pub remote: SocketAddr,
    /// What leads to the process: the socket's inode on Linux, the process' number on Windows;
    /// 0 where there is none.
    pub owner: u64,
    /// Where it was asked for and the system counts it.
    pub traffic: Option<Traffic>,
}

/// Bytes that a TCP connection has carried since it was opened, or since they are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// What the other end has confirmed.
    pub sent: u64,
    pub received: u64,
}

/// What TCP has counted since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpTotals {
    /// `ipv4`, `ipv6`, or `all` where the system counts both together.
    pub family: &'static str,
    /// Now, not a total.
    pub established: u64,
    pub active_opens: u64,
    pub passive_opens: u64,
    pub failures: u64,
    pub resets: u64,
    pub segments_received: u64,
    /// With those that were sent again.
    pub segments_sent: u64,
    pub segments_retransmitted: u64,
    pub segment_errors: u64,
    pub resets_sent: u64,
}

/// What UDP has counted since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UdpTotals {
    /// `ipv4` or `ipv6`.
    pub family: &'static str,
    pub datagrams_received: u64,
    pub datagrams_sent: u64,
    pub no_port: u64,
    pub errors: u64,
}

/// What both protocols have counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TcpUdp {
    pub tcp: Vec<TcpTotals>,
    pub udp: Vec<UdpTotals>,
}

/// Which processes hold which sockets, by [`Socket::owner`]: number and, where it is told, name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocketOwners {
    pub processes: HashMap<u64, (u32, Option<String>)>,
}
