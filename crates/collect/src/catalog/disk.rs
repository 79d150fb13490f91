//! `\PhysicalDisk` and `\LogicalDisk`

use barograph_model::Unit;

use super::formula::{Clamp, Formula, Term};
use super::row::{Instances, PdhType, Row, Total};
use crate::disk::{
    BUSY_SECONDS, QUEUE_LENGTH, READ_BYTES, READ_SECONDS, READS, WRITE_SECONDS, WRITES,
    WRITTEN_BYTES,
};
use crate::filesystem::{AVAILABLE, FREE, SIZE};
use crate::parse::diskstats::LAYER_PREFIXES;
use crate::volume;

/// Data on a layer is counted again on the disks below it.
const SUMMED: Instances =
    Instances::Each { label: "disk", total: Total::OfSums { without: &LAYER_PREFIXES } };
const AVERAGED: Instances =
    Instances::Each { label: "disk", total: Total::Mean { without: &LAYER_PREFIXES } };

const READ: &[Term] = &[Term::of(&READS)];
const WRITTEN: &[Term] = &[Term::of(&WRITES)];
const BOTH: &[Term] = &[Term::of(&READS), Term::of(&WRITES)];
const READ_TIME: &[Term] = &[Term::of(&READ_SECONDS)];
const WRITE_TIME: &[Term] = &[Term::of(&WRITE_SECONDS)];
const BOTH_TIMES: &[Term] = &[Term::of(&READ_SECONDS), Term::of(&WRITE_SECONDS)];
const BOTH_BYTES: &[Term] = &[Term::of(&READ_BYTES), Term::of(&WRITTEN_BYTES)];

const fn row(
    counter: &'static str,
    pdh_type: PdhType,
    unit: Unit,
    formula: Formula,
    help: &'static str,
) -> Row {
    Row { object: "PhysicalDisk", counter, pdh_type, unit, help, instances: SUMMED, formula }
}

const fn rate(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    row(counter, PdhType::Counter, Unit::PerSecond, Formula::rate(sum), help)
}

const fn bytes(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    row(counter, PdhType::BulkCount, Unit::BytesPerSecond, Formula::rate(sum), help)
}

const fn latency(
    counter: &'static str,
    times: &'static [Term],
    requests: &'static [Term],
    help: &'static str,
) -> Row {
    let formula = Formula::average(times, requests);
    row(counter, PdhType::AverageTimer, Unit::Seconds, formula, help)
}

const fn queue(counter: &'static str, times: &'static [Term], help: &'static str) -> Row {
    row(counter, PdhType::QueueLength, Unit::Count, Formula::rate(times), help)
}

const fn percent(counter: &'static str, formula: Formula, help: &'static str) -> Row {
    Row {
        instances: AVERAGED,
        ..row(counter, PdhType::PrecisionTimer, Unit::Percent, formula, help)
    }
}

const fn volume(
    counter: &'static str,
    pdh_type: PdhType,
    unit: Unit,
    formula: Formula,
    help: &'static str,
) -> Row {
    let instances = Instances::Each { label: "mountpoint", total: Total::OfSums { without: &[] } };
    Row { object: "LogicalDisk", instances, ..row(counter, pdh_type, unit, formula, help) }
}

pub(super) static ROWS: [Row; 28] = [
    rate("Disk Reads/sec", READ, "Reads completed per second."),
    rate("Disk Writes/sec", WRITTEN, "Writes completed per second."),
    rate("Disk Transfers/sec", BOTH, "Reads and writes completed per second."),
    bytes("Disk Read Bytes/sec", &[Term::of(&READ_BYTES)], "Bytes read per second."),
    bytes("Disk Write Bytes/sec", &[Term::of(&WRITTEN_BYTES)], "Bytes written per second."),
    bytes("Disk Bytes/sec", BOTH_BYTES, "Bytes read and written per second."),
    latency("Avg. Disk sec/Read", READ_TIME, READ, "Time that a read took on average."),
    latency("Avg. Disk sec/Write", WRITE_TIME, WRITTEN, "Time that a write took on average."),
    latency(
        "Avg. Disk sec/Transfer",
        BOTH_TIMES,
        BOTH,
        "Time that a read or write took on average.",
    ),
    queue(
        "Avg. Disk Queue Length",
        BOTH_TIMES,
        "Reads and writes that were under way at a time, on average.",
    ),
    queue("Avg. Disk Read Queue Length", READ_TIME, "Reads under way at a time, on average."),
    queue("Avg. Disk Write Queue Length", WRITE_TIME, "Writes under way at a time, on average."),
    row(
        "Current Disk Queue Length",
        PdhType::RawCount,
        Unit::Count,
        Formula::level(&[Term::of(&QUEUE_LENGTH)]),
        "Requests under way now.",
    ),
    row(
        "Avg. Disk Bytes/Transfer",
        PdhType::AverageBulk,
        Unit::Bytes,
        Formula::average(BOTH_BYTES, BOTH),
        "Bytes that a read or write moved on average.",
    ),
    percent(
        "% Idle Time",
        Formula::rate(&[Term::of(&BUSY_SECONDS)]).times(-100.0).plus(100.0).clamped(Clamp::Percent),
        "Share of the time in which no request was under way.",
    ),
    percent(
        "% Disk Time",
        Formula::rate(BOTH_TIMES).times(100.0),
        "The average queue length, times 100: it passes 100 when requests overlap.",
    ),
    percent(
        "% Disk Read Time",
        Formula::rate(READ_TIME).times(100.0),
        "The average read queue length, times 100.",
    ),
    percent(
        "% Disk Write Time",
        Formula::rate(WRITE_TIME).times(100.0),
        "The average write queue length, times 100.",
    ),
    Row {
        formula: Formula::only_windows(
            "Linux counts requests that it joins, and not those that it splits",
        ),
        ..rate("Split IO/Sec", &[], "Requests per second that were split into several.")
    },
    volume(
        "% Free Space",
        PdhType::RawFraction,
        Unit::Percent,
        Formula::percent_of_levels(
            &[Term::of(&AVAILABLE)],
            &[Term::of(&SIZE), Term::less(&FREE), Term::of(&AVAILABLE)],
        ),
        "Share of a drive that is left, of what ordinary users can use.",
    ),
    volume(
        "Free Megabytes",
        PdhType::RawCount,
        Unit::Mebibytes,
        Formula::level(&[Term::of(&AVAILABLE)]).times(1.0 / (1024.0 * 1024.0)),
        "What ordinary users can still write to a drive, in MB of 2^20 bytes.",
    ),
    volume(
        "Disk Read Bytes/sec",
        PdhType::BulkCount,
        Unit::BytesPerSecond,
        Formula::rate(&[Term::of(&volume::READ_BYTES)]),
        "Bytes read from a drive per second.",
    ),
    volume(
        "Disk Write Bytes/sec",
        PdhType::BulkCount,
        Unit::BytesPerSecond,
        Formula::rate(&[Term::of(&volume::WRITTEN_BYTES)]),
        "Bytes written to a drive per second.",
    ),
    volume(
        "Disk Transfers/sec",
        PdhType::Counter,
        Unit::PerSecond,
        Formula::rate(&[Term::of(&volume::READS), Term::of(&volume::WRITES)]),
        "Reads and writes of a drive completed per second.",
    ),
    volume(
        "Avg. Disk sec/Read",
        PdhType::AverageTimer,
        Unit::Seconds,
        Formula::average(&[Term::of(&volume::READ_SECONDS)], &[Term::of(&volume::READS)]),
        "Time that a read of a drive took on average.",
    ),
    volume(
        "Avg. Disk sec/Write",
        PdhType::AverageTimer,
        Unit::Seconds,
        Formula::average(&[Term::of(&volume::WRITE_SECONDS)], &[Term::of(&volume::WRITES)]),
        "Time that a write to a drive took on average.",
    ),
    volume(
        "Current Disk Queue Length",
        PdhType::RawCount,
        Unit::Count,
        Formula::level(&[Term::of(&volume::QUEUE_LENGTH)]),
        "Requests to a drive under way now.",
    ),
    Row {
        instances: Instances::Each { label: "mountpoint", total: Total::Mean { without: &[] } },
        ..volume(
            "% Idle Time",
            PdhType::PrecisionTimer,
            Unit::Percent,
            Formula::rate(&[Term::of(&volume::BUSY_SECONDS)])
                .times(-100.0)
                .plus(100.0)
                .clamped(Clamp::Percent),
            "Share of the time in which no request to a drive was under way.",
        )
    },
];
