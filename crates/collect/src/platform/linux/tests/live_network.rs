//! Sockets in a network of their own, where nobody else opens any, against what `ss` says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};

use barograph_model::SystemClock;

use super::inside::{is_inside, run_inside};
use super::live_facts::output;
use crate::Roots;
use crate::connections::Connections;
use crate::readings::{TcpState, Transport};

#[test]
fn ss_counts_as_many_sockets_by_state_and_the_same_udp_ports() {
    if is_inside() {
        return inside();
    }
    if !super::systemd::may_administrate() {
        println!("only root can make a network");
        return;
    }
    let test =
        concat!(module_path!(), "::ss_counts_as_many_sockets_by_state_and_the_same_udp_ports");
    run_inside("unshare", &["--net"], test);
}

const fn as_ss_says(state: TcpState) -> &'static str {
    match state {
        TcpState::Established => "ESTAB",
        TcpState::SynSent => "SYN-SENT",
        TcpState::SynReceived => "SYN-RECV",
        TcpState::FinWait1 => "FIN-WAIT-1",
        TcpState::FinWait2 => "FIN-WAIT-2",
        TcpState::TimeWait => "TIME-WAIT",
        TcpState::Closed => "UNCONN",
        TcpState::CloseWait => "CLOSE-WAIT",
        TcpState::LastAck => "LAST-ACK",
        TcpState::Listen => "LISTEN",
        TcpState::Closing => "CLOSING",
    }
}

fn inside() {
    let Some(_) = output("ip", &["link", "set", "lo", "up"]) else { return };
    let listeners: Vec<TcpListener> =
        (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let connect = || {
        let client = TcpStream::connect(listeners[0].local_addr().unwrap()).unwrap();
        (client, listeners[0].accept().unwrap().0)
    };
    let pairs: Vec<_> = (0..5).map(|_| connect()).collect();
    let half_closed: Vec<_> = (0..2).map(|_| connect()).collect();
    for (client, _) in &half_closed {
        client.shutdown(Shutdown::Write).unwrap();
    }
    // One is over, and waits in the kernel.
    let (client, server) = connect();
    drop(client);
    drop(server);
    let udp: Vec<UdpSocket> = (0..4).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    udp[0].connect(udp[1].local_addr().unwrap()).unwrap();

    let read = || Connections::read(&Roots::default(), &SystemClock::new()).unwrap();
    // The other end confirms a little later that it was told of the end.
    let settled = |ours: &Connections| {
        let mut counts = TcpState::ALL.into_iter().zip(ours.tcp_by_state);
        counts.all(|(state, count)| state != TcpState::FinWait1 || count == 0)
    };
    let ours = std::iter::repeat_with(read).find(settled).unwrap();
    let Some(tcp) = output("ss", &["-H", "-t", "-a", "-n"]) else { return };
    let mut theirs: BTreeMap<&str, u64> = BTreeMap::new();
    for line in tcp.lines() {
        *theirs.entry(line.split_whitespace().next().unwrap()).or_default() += 1;
    }
    let counted = TcpState::ALL.into_iter().zip(ours.tcp_by_state).filter(|(_, count)| *count > 0);
    let counted: BTreeMap<&str, u64> =
        counted.map(|(state, count)| (as_ss_says(state), count)).collect();
    assert_eq!(counted, theirs, "{tcp}");
    assert_eq!((counted["ESTAB"], counted["CLOSE-WAIT"]), (2 * pairs.len() as u64, 2));

    let Some(text) = output("ss", &["-H", "-u", "-a", "-n"]) else { return };
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(ours.udp_sockets, rows.len() as u64, "{text}");
    let theirs: BTreeSet<u16> = rows
        .iter()
        .filter(|row| row[0] == "UNCONN")
        .map(|row| row[3].rsplit(':').next().unwrap().parse().unwrap())
        .collect();
    let ports = ours.listening.iter().filter(|one| one.transport == Transport::Udp);
    let ports: BTreeSet<u16> = ports.map(|one| one.port).collect();
    assert_eq!(ports, theirs, "{text}");
    assert_eq!(ports.len(), udp.len() - 1);
}
