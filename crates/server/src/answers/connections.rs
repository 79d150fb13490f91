//! Connections.

use std::collections::BTreeMap;

use barograph_collect::connections::{Connections, ListeningPort};
use barograph_collect::readings::TcpState;
use serde::Serialize;

use crate::timestamp::iso;

/// Connections by state and by listening port.
#[derive(Debug, Serialize)]
pub struct ConnectionsAnswer {
    time_ms: i64,
    timestamp: String,
    tcp: BTreeMap<&'static str, u64>,
    udp_sockets: u64,
    listening: Vec<ListeningAnswer>,
    /// Whether these are all the ports where somebody listens.
    complete: bool,
}

#[derive(Debug, Serialize)]
struct ListeningAnswer {
    protocol: &'static str,
    port: u16,
    addresses: Vec<String>,
    connections: Option<u64>,
    pid: Option<u32>,
    process: Option<String>,
}

impl ConnectionsAnswer {
    pub fn new(connections: &Connections, time_ms: i64) -> Self {
        let states = TcpState::ALL.iter().map(|state| state.as_str());
        Self {
            time_ms,
            timestamp: iso(time_ms),
            tcp: states.zip(connections.tcp_by_state).collect(),
            udp_sockets: connections.udp_sockets,
            listening: connections.listening.iter().map(answer).collect(),
            complete: !connections.more_listening,
        }
    }
}

fn answer(port: &ListeningPort) -> ListeningAnswer {
    ListeningAnswer {
        protocol: port.transport.as_str(),
        port: port.port,
        addresses: port.addresses.iter().map(ToString::to_string).collect(),
        connections: port.connections,
        pid: port.pid,
        process: port.process.clone(),
    }
}
