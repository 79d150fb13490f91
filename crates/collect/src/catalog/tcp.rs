//! `\TCPv4`, `\TCPv6`, `\UDPv4` and `\UDPv6`

use barograph_model::{Desc, Unit};

use super::formula::{Formula, Sign, Term};
use super::row::{Instances, PdhType, Row};
use crate::tcp_udp::{
    ACTIVE_OPENS, DATAGRAM_ERRORS, DATAGRAMS_RECEIVED, DATAGRAMS_SENT, ESTABLISHED, FAILURES,
    NO_PORT, PASSIVE_OPENS, RESETS, SEGMENTS_RECEIVED, SEGMENTS_RETRANSMITTED, SEGMENTS_SENT,
};

/// Linux counts TCP over both families together; that stands under `TCPv4`.
const V4: &[&str] = &["ipv4", "all"];
const V6: &[&str] = &["ipv6"];

const fn of(desc: &'static Desc, family: &'static [&'static str]) -> Term {
    Term { only: Some(("family", family)), ..Term::of(desc) }
}

const fn less(desc: &'static Desc, family: &'static [&'static str]) -> Term {
    Term { sign: Sign::Minus, ..of(desc, family) }
}

const fn row(
    object: &'static str,
    counter: &'static str,
    sum: &'static [Term],
    is_rate: bool,
    help: &'static str,
) -> Row {
    let (pdh_type, unit, formula) = if is_rate {
        (PdhType::Counter, Unit::PerSecond, Formula::rate(sum))
    } else {
        (PdhType::RawCount, Unit::Count, Formula::level(sum))
    };
    Row { object, counter, pdh_type, unit, help, instances: Instances::None, formula }
}

macro_rules! tcp {
    ($object:literal, $family:ident) => {
        [
            row(
                $object,
                "Connections Established",
                &[of(&ESTABLISHED, $family)],
                false,
                "Connections that are open.",
            ),
            row(
                $object,
                "Connections Active",
                &[of(&ACTIVE_OPENS, $family)],
                false,
                "Connections opened from here, since the system started.",
            ),
            row(
                $object,
                "Connections Passive",
                &[of(&PASSIVE_OPENS, $family)],
                false,
                "Connections accepted from others, since the system started.",
            ),
            row(
                $object,
                "Connection Failures",
                &[of(&FAILURES, $family)],
                false,
                "Connections that did not come to be, since the system started.",
            ),
            row(
                $object,
                "Connections Reset",
                &[of(&RESETS, $family)],
                false,
                "Open connections that were broken off, since the system started.",
            ),
            row(
                $object,
                "Segments Received/sec",
                &[of(&SEGMENTS_RECEIVED, $family)],
                true,
                "Segments received per second.",
            ),
            row(
                $object,
                "Segments Sent/sec",
                &[of(&SEGMENTS_SENT, $family), less(&SEGMENTS_RETRANSMITTED, $family)],
                true,
                "Segments sent per second, without those that were sent again.",
            ),
            row(
                $object,
                "Segments Retransmitted/sec",
                &[of(&SEGMENTS_RETRANSMITTED, $family)],
                true,
                "Segments sent again per second, since no answer came.",
            ),
            row(
                $object,
                "Segments/sec",
                &[
                    of(&SEGMENTS_RECEIVED, $family),
                    of(&SEGMENTS_SENT, $family),
                    less(&SEGMENTS_RETRANSMITTED, $family),
                ],
                true,
                "Segments received and sent per second, without those that were sent again.",
            ),
        ]
    };
}

macro_rules! udp {
    ($object:literal, $family:ident) => {
        [
            row(
                $object,
                "Datagrams Received/sec",
                &[of(&DATAGRAMS_RECEIVED, $family)],
                true,
                "Datagrams received per second.",
            ),
            row(
                $object,
                "Datagrams Sent/sec",
                &[of(&DATAGRAMS_SENT, $family)],
                true,
                "Datagrams sent per second.",
            ),
            row(
                $object,
                "Datagrams/sec",
                &[of(&DATAGRAMS_RECEIVED, $family), of(&DATAGRAMS_SENT, $family)],
                true,
                "Datagrams received and sent per second.",
            ),
            row(
                $object,
                "Datagrams No Port/sec",
                &[of(&NO_PORT, $family)],
                true,
                "Datagrams per second for a port where nobody listens.",
            ),
            row(
                $object,
                "Datagrams Received Errors",
                &[of(&DATAGRAM_ERRORS, $family)],
                false,
                "Datagrams that could not be delivered, since the system started.",
            ),
        ]
    };
}

pub(super) static TCP_V4: [Row; 9] = tcp!("TCPv4", V4);
pub(super) static TCP_V6: [Row; 9] = tcp!("TCPv6", V6);
pub(super) static UDP_V4: [Row; 5] = udp!("UDPv4", V4);
pub(super) static UDP_V6: [Row; 5] = udp!("UDPv6", V6);
