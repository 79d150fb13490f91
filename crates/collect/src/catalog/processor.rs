//! `\Processor` and `\Processor Information`

use barograph_model::Unit;

use super::formula::{Clamp, Formula, Sign, Term};
use super::row::{Instances, PdhType, Row, Total};
use crate::cpu::{INTERRUPTS, SECONDS, SOFT_INTERRUPTS};
use crate::cpu_details::{
    FREQUENCY, FREQUENCY_BASE, FREQUENCY_LIMIT, FREQUENCY_MAX, IDLE_ENTRIES, IDLE_SECONDS, ONLINE,
};
use crate::interrupts;

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

/// The system counts for all processors every second, and for each of them more rarely.
const fn events(
    counter: &'static str,
    each: &'static [Term],
    all: &'static [Term],
    help: &'static str,
) -> Row {
    Row {
        object: "Processor",
        counter,
        pdh_type: PdhType::Counter,
        unit: Unit::PerSecond,
        help,
        instances: Instances::Each { label: "cpu", total: Total::RateOf(all) },
        formula: Formula::rate(each),
    }
}

const fn asleep(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    Row {
        instances: MEAN,
        formula: Formula::rate(sum).times(100.0).clamped(Clamp::Percent),
        ..share(counter, PdhType::Timer, &[], help)
    }
}

const MEAN: Instances = Instances::Each { label: "cpu", total: Total::Mean { without: &[] } };
const NODES: Instances = Instances::OfNodes { total: Total::OfSums { without: &[] } };
const MEAN_OF_NODES: Instances = Instances::OfNodes { total: Total::Mean { without: &[] } };

const fn state(states: &'static [&'static str]) -> Term {
    Term { only: Some(("state", states)), over: &["name"], ..Term::of(&IDLE_SECONDS) }
}

const BUSY: &[Term] = &[modes(&["user", "nice", "system", "irq", "softirq"])];
const PRIVILEGED: &[Term] = &[modes(&["system", "irq", "softirq"])];
const NOW: &[Term] = &[Term::of(&FREQUENCY)];
const BASE: &[Term] = &[Term::of(&FREQUENCY_BASE)];
const FASTEST: &[Term] = &[Term::of(&FREQUENCY_MAX)];

const fn information(
    counter: &'static str,
    pdh_type: PdhType,
    unit: Unit,
    formula: Formula,
    help: &'static str,
) -> Row {
    Row {
        object: "Processor Information",
        counter,
        pdh_type,
        unit,
        help,
        instances: MEAN_OF_NODES,
        formula,
    }
}

/// Time counts by how fast the processor ran meanwhile.
const fn weighted(part: &'static [Term]) -> Formula {
    Formula::weighted(part, ALL, NOW, BASE).times(100.0)
}

pub(super) static ROWS: [Row; 22] = [
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
    events(
        "Interrupts/sec",
        &[Term::of(&interrupts::INTERRUPTS)],
        &[Term::of(&INTERRUPTS)],
        "Hardware interrupts served per second.",
    ),
    events(
        "DPCs Queued/sec",
        &[Term::of(&interrupts::SOFT_INTERRUPTS)],
        &[Term::of(&SOFT_INTERRUPTS)],
        "Deferred calls (Windows) or software interrupts (Linux) per second.",
    ),
    asleep("% C1 Time", &[state(&["1"])], "Share of the time in the lightest state of sleep."),
    asleep("% C2 Time", &[state(&["2"])], "Share of the time in the second state of sleep."),
    asleep(
        "% C3 Time",
        &[state(&["3", "4", "5", "6", "7", "8", "9"])],
        "Share of the time in the third state of sleep or a deeper one.",
    ),
    Row {
        instances: NODES,
        ..information(
            "% Processor Time",
            PdhType::InverseTimer,
            Unit::Percent,
            Formula::percent_of_increases(BUSY, ALL),
            "Share of the time in which the processor worked.",
        )
    },
    Row {
        instances: NODES,
        ..information(
            "% Priority Time",
            PdhType::InverseTimer,
            Unit::Percent,
            Formula::percent_of_increases(&[modes(&["user", "system", "irq", "softirq"])], ALL),
            "Share of the time for work that is not of low priority; on Linux without what runs nice.",
        )
    },
    information(
        "% Processor Utility",
        PdhType::AverageBulk,
        Unit::Percent,
        weighted(BUSY),
        "Work done, by what is done at the base frequency all the time; turbo passes 100. Near to \
         the Windows counter, not equal.",
    ),
    information(
        "% Privileged Utility",
        PdhType::AverageBulk,
        Unit::Percent,
        weighted(PRIVILEGED),
        "Work done by the kernel, by what is done at the base frequency all the time. Near to the \
         Windows counter, not equal.",
    ),
    information(
        "% Processor Performance",
        PdhType::AverageBulk,
        Unit::Percent,
        Formula::percent_of_levels(NOW, BASE),
        "Frequency now, by the base frequency; turbo passes 100. Near to the Windows counter, \
         which is an average.",
    ),
    information(
        "Processor Frequency",
        PdhType::RawCount,
        Unit::Megahertz,
        Formula::level(NOW).times(1e-6),
        "What the processor runs at now, in megahertz.",
    ),
    information(
        "% of Maximum Frequency",
        PdhType::RawCount,
        Unit::Percent,
        Formula::percent_of_levels(NOW, FASTEST),
        "Frequency now, by the highest that there is.",
    ),
    information(
        "% Performance Limit",
        PdhType::RawCount,
        Unit::Percent,
        Formula::percent_of_levels(&[Term::of(&FREQUENCY_LIMIT)], FASTEST),
        "Frequency that is allowed now, by the highest that there is.",
    ),
    information(
        "Parking Status",
        PdhType::RawCount,
        Unit::Count,
        Formula::level(&[Term::of(&ONLINE)]).times(-1.0).plus(1.0),
        "1 while the processor is left out of work (Windows) or switched off (Linux).",
    ),
    Row {
        instances: NODES,
        ..information(
            "Idle Break Events/sec",
            PdhType::BulkCount,
            Unit::PerSecond,
            Formula::rate(&[Term { over: &["state", "name"], ..Term::of(&IDLE_ENTRIES) }]),
            "How often per second the processor was woken out of idling.",
        )
    },
    Row {
        instances: NODES,
        ..information(
            "Clock Interrupts/sec",
            PdhType::Counter,
            Unit::PerSecond,
            Formula::rate(&[Term::of(&interrupts::TIMER_INTERRUPTS)]),
            "Interrupts by the processor's timer per second.",
        )
    },
];
