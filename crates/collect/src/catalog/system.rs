//! `\System` and `\Objects`

use barograph_model::Unit;

use super::formula::{Clamp, Formula, Term};
use super::row::{Instances, PdhType, Row};
use crate::cpu::{CONTEXT_SWITCHES, CPU_COUNT, RUNNING};
use crate::kernel_objects::{SEMAPHORES, SHARED_SEGMENTS};
use crate::system::{PROCESS_COUNT, THREAD_COUNT, UPTIME};

const fn row(
    object: &'static str,
    counter: &'static str,
    pdh_type: PdhType,
    unit: Unit,
    formula: Formula,
    help: &'static str,
) -> Row {
    Row { object, counter, pdh_type, unit, help, instances: Instances::None, formula }
}

const fn count(
    object: &'static str,
    counter: &'static str,
    sum: &'static [Term],
    help: &'static str,
) -> Row {
    row(object, counter, PdhType::RawCount, Unit::Count, Formula::level(sum), help)
}

const fn only_windows(counter: &'static str, pdh_type: PdhType, help: &'static str) -> Row {
    let unit = match pdh_type {
        PdhType::BulkCount => Unit::BytesPerSecond,
        _ => Unit::PerSecond,
    };
    let formula = Formula::only_windows(
        "Linux counts them by process, and what a process did is forgotten when it ends; the list of \
         processes tells them for each",
    );
    row("System", counter, pdh_type, unit, formula, help)
}

pub(super) static ROWS: [Row; 13] = [
    row(
        "System",
        "System Up Time",
        PdhType::ElapsedTime,
        Unit::Seconds,
        Formula::level(&[Term::of(&UPTIME)]),
        "Time since the system started.",
    ),
    row(
        "System",
        "Context Switches/sec",
        PdhType::Counter,
        Unit::PerSecond,
        Formula::rate(&[Term::of(&CONTEXT_SWITCHES)]),
        "Switches of a processor from one thread to another, per second.",
    ),
    row(
        "System",
        "Processor Queue Length",
        PdhType::RawCount,
        Unit::Count,
        // The thread that reads this runs, but nobody waits for it.
        Formula::level(&[Term::of(&RUNNING), Term::less(&CPU_COUNT)])
            .plus(-1.0)
            .clamped(Clamp::NotNegative),
        "Threads that wait for a processor; the one that reads this is not among them.",
    ),
    only_windows("File Read Operations/sec", PdhType::Counter, "Reads of files per second."),
    only_windows("File Write Operations/sec", PdhType::Counter, "Writes to files per second."),
    only_windows("File Read Bytes/sec", PdhType::BulkCount, "Bytes read from files per second."),
    row(
        "System",
        "System Calls/sec",
        PdhType::Counter,
        Unit::PerSecond,
        Formula::only_windows(
            "Linux counts system calls only while a trace point is on, which slows each of them",
        ),
        "Calls of programs into the kernel, per second.",
    ),
    count("System", "Processes", &[Term::of(&PROCESS_COUNT)], "Processes now."),
    count("System", "Threads", &[Term::of(&THREAD_COUNT)], "Threads now."),
    count("Objects", "Processes", &[Term::of(&PROCESS_COUNT)], "Processes now."),
    count("Objects", "Threads", &[Term::of(&THREAD_COUNT)], "Threads now."),
    count("Objects", "Semaphores", &[Term::of(&SEMAPHORES)], "Semaphores that programs share."),
    count(
        "Objects",
        "Sections",
        &[Term::of(&SHARED_SEGMENTS)],
        "Sections of shared memory; on Linux System V segments, near to the Windows counter.",
    ),
];
