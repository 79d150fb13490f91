//! TCP and UDP: connections, segments, datagrams, and what went wrong with them.

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::platform::TcpUdpReader;
use crate::{Collector, Error, Roots, Sink};

macro_rules! totals {
    ($($desc:ident $name:literal $labels:expr, $help:literal;)*) => {
        $(pub(crate) static $desc: Desc = counter($name, Unit::Count, $labels, $help);)*
    };
}

/// `ipv4`, `ipv6`, or `all` where the system counts both together.
const BY_FAMILY: &[&str] = &["family"];

pub(crate) static ESTABLISHED: Desc = gauge(
    "tcp_established_connections",
    Unit::Count,
    BY_FAMILY,
    "TCP connections that are open; Linux counts IPv4 and IPv6 together, as family `all`.",
);

totals! {
    ACTIVE_OPENS "tcp_connection_active_opens_total" BY_FAMILY, "TCP connections opened from here.";
    PASSIVE_OPENS "tcp_connection_passive_opens_total" BY_FAMILY,
        "TCP connections accepted from others.";
    FAILURES "tcp_connection_failures_total" BY_FAMILY,
        "TCP connections that did not come to be, opened from here or by others.";
    RESETS "tcp_connection_resets_total" BY_FAMILY, "Open TCP connections that were broken off.";
    SEGMENTS_RECEIVED "tcp_segments_received_total" BY_FAMILY, "TCP segments received.";
    SEGMENTS_SENT "tcp_segments_sent_total" BY_FAMILY,
        "TCP segments sent, with those that were sent again.";
    SEGMENTS_RETRANSMITTED "tcp_segments_retransmitted_total" BY_FAMILY,
        "TCP segments sent again, since no answer came.";
    SEGMENT_ERRORS "tcp_segment_errors_total" BY_FAMILY, "TCP segments received damaged.";
    RESETS_SENT "tcp_resets_sent_total" BY_FAMILY,
        "TCP segments sent that break a connection off.";
    DATAGRAMS_RECEIVED "udp_datagrams_received_total" BY_FAMILY, "UDP datagrams received.";
    DATAGRAMS_SENT "udp_datagrams_sent_total" BY_FAMILY, "UDP datagrams sent.";
    NO_PORT "udp_datagrams_no_port_total" BY_FAMILY,
        "UDP datagrams received for a port where nobody listens.";
    DATAGRAM_ERRORS "udp_datagram_errors_total" BY_FAMILY,
        "UDP datagrams received that could not be delivered, damaged or for lack of memory.";
}

static DESCS: [&Desc; 14] = [
    &ESTABLISHED,
    &ACTIVE_OPENS,
    &PASSIVE_OPENS,
    &FAILURES,
    &RESETS,
    &SEGMENTS_RECEIVED,
    &SEGMENTS_SENT,
    &SEGMENTS_RETRANSMITTED,
    &SEGMENT_ERRORS,
    &RESETS_SENT,
    &DATAGRAMS_RECEIVED,
    &DATAGRAMS_SENT,
    &NO_PORT,
    &DATAGRAM_ERRORS,
];

/// Emits what [`crate::readings::TcpUdp`] holds.
#[derive(Debug)]
pub(crate) struct TcpUdpCollector {
    reader: TcpUdpReader,
}

impl TcpUdpCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: TcpUdpReader::new(roots) }
    }
}

impl Collector for TcpUdpCollector {
    fn name(&self) -> &'static str {
        "tcp_udp"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let totals = self.reader.read()?;
        for tcp in &totals.tcp {
            for (desc, value) in [
                (&ESTABLISHED, tcp.established),
                (&ACTIVE_OPENS, tcp.active_opens),
                (&PASSIVE_OPENS, tcp.passive_opens),
                (&FAILURES, tcp.failures),
                (&RESETS, tcp.resets),
                (&SEGMENTS_RECEIVED, tcp.segments_received),
                (&SEGMENTS_SENT, tcp.segments_sent),
                (&SEGMENTS_RETRANSMITTED, tcp.segments_retransmitted),
                (&SEGMENT_ERRORS, tcp.segment_errors),
                (&RESETS_SENT, tcp.resets_sent),
            ] {
                out.push(desc, &[tcp.family], value as f64);
            }
        }
        for udp in &totals.udp {
            for (desc, value) in [
                (&DATAGRAMS_RECEIVED, udp.datagrams_received),
                (&DATAGRAMS_SENT, udp.datagrams_sent),
                (&NO_PORT, udp.no_port),
                (&DATAGRAM_ERRORS, udp.errors),
            ] {
                out.push(desc, &[udp.family], value as f64);
            }
        }
        Ok(())
    }
}
