//! Sockets, as the kernel's socket diagnosis lists them (`NETLINK_SOCK_DIAG`).

use std::net::SocketAddr;

use super::netlink::{NetlinkError, address, attributes, dump_request, u32_at, u64_at};
use crate::readings::{Socket, TcpState, Traffic, Transport};

/// `SOCK_DIAG_BY_FAMILY`
pub const KIND: u16 = 20;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;
/// The attribute that holds a `struct tcp_info`.
const INET_DIAG_INFO: u16 = 2;
const MESSAGE_BYTES: usize = 72;

/// The question for all sockets of a protocol, over IPv6 or IPv4.
pub fn request(transport: Transport, is_v6: bool, sequence: u32) -> Vec<u8> {
    let protocol = match transport {
        Transport::Tcp => IPPROTO_TCP,
        Transport::Udp => IPPROTO_UDP,
    };
    ask(protocol, is_v6, 0, u32::MAX, sequence)
}

/// The question for the TCP connections that can carry data, with what they carried.
pub fn traffic_request(is_v6: bool, sequence: u32) -> Vec<u8> {
    let states = TALKING.iter().fold(0, |states, number| states | 1 << number);
    ask(IPPROTO_TCP, is_v6, 1 << (INET_DIAG_INFO - 1), states, sequence)
}

/// By the kernel's `TCP_` constants: established, and those of which one end is closed.
const TALKING: [u8; 6] = [1, 4, 5, 8, 9, 11];

fn ask(protocol: u8, is_v6: bool, attributes: u8, states: u32, sequence: u32) -> Vec<u8> {
    const REQUEST_BYTES: usize = 56;
    let mut payload = [0; REQUEST_BYTES];
    payload[0] = if is_v6 { AF_INET6 } else { AF_INET };
    payload[1] = protocol;
    payload[2] = attributes;
    payload[4..8].copy_from_slice(&states.to_ne_bytes());
    dump_request(KIND, sequence, &payload)
}

/// Reads one message of the answer.
///
/// # Errors
/// A message that is too short or of a family that was not asked for.
pub fn socket(payload: &[u8], transport: Transport) -> Result<Socket, NetlinkError> {
    let short = NetlinkError { offset: payload.len(), expected: "72 bytes about a socket" };
    let [family, state, ..] = *payload.first_chunk::<MESSAGE_BYTES>().ok_or(short)?;
    let is_v6 = match family {
        AF_INET => false,
        AF_INET6 => true,
        _ => return Err(NetlinkError { offset: 0, expected: "IPv4 or IPv6" }),
    };
    let port = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
    let local = address(&payload[8..], is_v6).ok_or(short)?;
    let remote = address(&payload[24..], is_v6).ok_or(short)?;
    let mut counted = None;
    attributes(&payload[MESSAGE_BYTES..], |kind, content| {
        if kind == INET_DIAG_INFO {
            counted = traffic(content);
        }
    });
    Ok(Socket {
        transport,
        state: state_of(state)
            .ok_or(NetlinkError { offset: 1, expected: "a state of a socket" })?,
        local: SocketAddr::new(local, port(4)),
        remote: SocketAddr::new(remote, port(6)),
        owner: u32_at(payload, 68).ok_or(short)?.into(),
        traffic: counted,
    })
}

/// Of a `struct tcp_info`, which grows with the kernel: 4.1 was the first to count bytes.
fn traffic(info: &[u8]) -> Option<Traffic> {
    const BYTES_ACKED: usize = 120;
    const BYTES_RECEIVED: usize = 128;
    Some(Traffic { sent: u64_at(info, BYTES_ACKED)?, received: u64_at(info, BYTES_RECEIVED)? })
}

/// By the number of the kernel's `TCP_` constants, which `/proc/net/tcp` has as well.
pub(super) const fn state_of(number: u8) -> Option<TcpState> {
    Some(match number {
        1 => TcpState::Established,
        2 => TcpState::SynSent,
        // A connection that is being made is one, whether a socket stands for it yet or not.
        3 | 12 => TcpState::SynReceived,
        4 => TcpState::FinWait1,
        5 => TcpState::FinWait2,
        6 => TcpState::TimeWait,
        7 => TcpState::Closed,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        10 | 13 => TcpState::Listen,
        11 => TcpState::Closing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn payload(family: u8, state: u8) -> Vec<u8> {
        let mut bytes = vec![0; 72];
        bytes[0] = family;
        bytes[1] = state;
        bytes[4..8].copy_from_slice(&[0x1d, 0x97, 0, 80]);
        bytes[8..12].copy_from_slice(&[127, 0, 0, 1]);
        bytes[24..28].copy_from_slice(&[10, 0, 0, 9]);
        bytes[68..72].copy_from_slice(&4711_u32.to_ne_bytes());
        bytes
    }

    #[test]
    fn a_socket_is_read() {
        let expect = Socket {
            transport: Transport::Tcp,
            state: TcpState::Listen,
            local: "127.0.0.1:7575".parse().unwrap(),
            remote: "10.0.0.9:80".parse().unwrap(),
            owner: 4711,
            traffic: None,
        };
        assert_eq!(socket(&payload(AF_INET, 10), Transport::Tcp), Ok(expect));
        let v6 = socket(&payload(AF_INET6, 1), Transport::Udp).unwrap();
        assert_eq!(v6.local, "[7f00:1::]:7575".parse().unwrap());
    }

    #[test]
    fn bytes_are_read_where_the_kernel_counts_them() {
        let with_info = |bytes: u16| {
            let info: Vec<u8> = (0..bytes).map(|at| u8::from(at == 120) * 7).collect();
            let header = [(bytes + 4).to_ne_bytes(), INET_DIAG_INFO.to_ne_bytes()].concat();
            socket(&[payload(AF_INET, 1), header, info].concat(), Transport::Tcp).unwrap()
        };
        let sent = u64::from_ne_bytes([7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(with_info(232).traffic, Some(Traffic { sent, received: 0 }));
        // Linux 3.10.
        assert_eq!(with_info(104).traffic, None);
    }

    #[test]
    fn what_is_no_socket_is_refused_with_the_reason() {
        let text = |bytes: &[u8]| socket(bytes, Transport::Tcp).unwrap_err().to_string();
        let begins = "byte 0 of the kernel's answer: expected IPv4 or IPv6";
        assert_eq!(text(&payload(3, 1)), begins);
        assert!(text(&payload(AF_INET, 99)).ends_with("expected a state of a socket"));
        assert!(text(&payload(AF_INET, 1)[..71]).ends_with("expected 72 bytes about a socket"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            socket(&bytes, Transport::Tcp).ok();
        }
    }
}
