//! `\Processor`

use barograph_model::Unit;

use super::formula::{Formula, Sign, Term};
use super::row::{Instances, PdhType, Row, Total};
use crate::cpu::{INTERRUPTS, SECONDS, SOFT_INTERRUPTS};

const EACH: Instances = Instances::Each { label: "cpu", total: Total::OfSums { without: &[] } };

const fn modes(modes: &'static [&'static str]) -> Term {
    Term {
        desc: &SECONDS,
        only: Some(("mode", modes)),
        over: &[],
        sign: Sign::Plus,
        optional: false,
    }
}

const ALL: &[Term] = &[Term { over: &["mode"], ..Term::of(&SECONDS) }];

const fn share(
    counter: &'static str,
    pdh_type: PdhType,
    part: &'static [Term],
    help: &'static str,
) -> Row {
    Row {
        object: "Processor",
        counter,
        pdh_type,
        unit: Unit::Percent,
        help,
        instances: EACH,
        formula: Formula::percent_of_increases(part, ALL),
    }
}

const fn events(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    Row {
        object: "Processor",
        counter,
        pdh_type: PdhType::Counter,
        unit: Unit::PerSecond,
        help,
        instances: Instances::OnlyTotal,
        formula: Formula::rate(sum),
    }
}

pub(super) static ROWS: [Row; 8] = [
    share(
        "% Processor Time",
        PdhType::InverseTimer,
        &[modes(&["user", "nice", "system", "irq", "softirq"])],
        "Share of the time in which the processor worked.",
    ),
    share(
        "% User Time",
        PdhType::Timer,
        &[modes(&["user", "nice"])],
        "Share of the time that programs took.",
    ),
    share(
        "% Privileged Time",
        PdhType::Timer,
        &[modes(&["system", "irq", "softirq"])],
        "Share of the time that the kernel took, interrupts among it.",
    ),
    share(
        "% Interrupt Time",
        PdhType::Timer,
        &[modes(&["irq"])],
        "Share of the time that went into serving hardware interrupts.",
    ),
    share(
        "% DPC Time",
        PdhType::Timer,
        &[modes(&["softirq"])],
        "Share of the time that went into deferred calls (Windows) or software interrupts (Linux).",
    ),
    share(
        "% Idle Time",
        PdhType::Timer,
        &[modes(&["idle", "iowait"])],
        "Share of the time in which the processor had nothing to do.",
    ),
    events("Interrupts/sec", &[Term::of(&INTERRUPTS)], "Hardware interrupts served per second."),
    events(
        "DPCs Queued/sec",
        &[Term::of(&SOFT_INTERRUPTS)],
        "Deferred calls (Windows) or software interrupts (Linux) per second.",
    ),
];
