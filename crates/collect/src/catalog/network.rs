//! `\Network Interface`

use barograph_model::Unit;

use super::formula::{Formula, Term};
use super::row::{Instances, PdhType, Row, Total};
use crate::network::{
    RECEIVE_BYTES, RECEIVE_DROPPED, RECEIVE_ERRORS, RECEIVE_MULTICAST, RECEIVE_PACKETS,
    RECEIVE_UNKNOWN, SPEED, TRANSMIT_BYTES, TRANSMIT_DROPPED, TRANSMIT_ERRORS, TRANSMIT_PACKETS,
};

const fn row(
    counter: &'static str,
    pdh_type: PdhType,
    unit: Unit,
    formula: Formula,
    help: &'static str,
) -> Row {
    let instances = Instances::Each { label: "adapter", total: Total::Absent };
    Row { object: "Network Interface", counter, pdh_type, unit, help, instances, formula }
}

const fn bytes(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    row(counter, PdhType::BulkCount, Unit::BytesPerSecond, Formula::rate(sum), help)
}

const fn packets(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    row(counter, PdhType::Counter, Unit::PerSecond, Formula::rate(sum), help)
}

/// Windows gives these as they stand, although they only grow.
const fn count(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    row(counter, PdhType::RawCount, Unit::Count, Formula::level(sum), help)
}

pub(super) static ROWS: [Row; 14] = [
    bytes("Bytes Received/sec", &[Term::of(&RECEIVE_BYTES)], "Bytes received per second."),
    bytes("Bytes Sent/sec", &[Term::of(&TRANSMIT_BYTES)], "Bytes sent per second."),
    bytes(
        "Bytes Total/sec",
        &[Term::of(&RECEIVE_BYTES), Term::of(&TRANSMIT_BYTES)],
        "Bytes sent and received per second.",
    ),
    packets("Packets Received/sec", &[Term::of(&RECEIVE_PACKETS)], "Packets received per second."),
    packets("Packets Sent/sec", &[Term::of(&TRANSMIT_PACKETS)], "Packets sent per second."),
    packets(
        "Packets/sec",
        &[Term::of(&RECEIVE_PACKETS), Term::of(&TRANSMIT_PACKETS)],
        "Packets sent and received per second.",
    ),
    packets(
        "Packets Received Non-Unicast/sec",
        &[Term::of(&RECEIVE_MULTICAST)],
        "Packets per second that were addressed to many.",
    ),
    count(
        "Packets Received Errors",
        &[Term::of(&RECEIVE_ERRORS)],
        "Packets received damaged, since the adapter came up.",
    ),
    count(
        "Packets Outbound Errors",
        &[Term::of(&TRANSMIT_ERRORS)],
        "Packets that could not be sent, since the adapter came up.",
    ),
    count(
        "Packets Received Discarded",
        &[Term::of(&RECEIVE_DROPPED)],
        "Packets received whole and thrown away, since the adapter came up.",
    ),
    count(
        "Packets Outbound Discarded",
        &[Term::of(&TRANSMIT_DROPPED)],
        "Packets thrown away instead of being sent, since the adapter came up.",
    ),
    count(
        "Packets Received Unknown",
        &[Term::of(&RECEIVE_UNKNOWN)],
        "Packets of a protocol that nobody here speaks, since the adapter came up.",
    ),
    row(
        "Output Queue Length",
        PdhType::RawCount,
        Unit::Count,
        Formula::only_windows(
            "Linux queues in disciplines that are set up at will, whose lengths add up to no such \
             number",
        ),
        "Packets that wait to be sent.",
    ),
    row(
        "Current Bandwidth",
        PdhType::LargeRawCount,
        Unit::BitsPerSecond,
        Formula::level(&[Term::of(&SPEED)]),
        "Speed that the adapter has agreed on.",
    ),
];
