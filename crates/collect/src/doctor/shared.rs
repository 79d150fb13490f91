//! Checks that are the same on every system: sources and clocks.

use std::time::Duration;

use barograph_model::Clock;

use super::{Facts, Finding, Outcome, Severity, SourceFact};

/// All sources of a second together have to be done in it.
const SLOW_SECONDS: f64 = 0.05;
const VERY_SLOW_SECONDS: f64 = 0.5;
/// A clock that the kernel has to be asked for by a system call, or a slow device.
const SLOW_CLOCK_SECONDS: f64 = 1e-6;
/// More than an NTP daemon moves it while we look.
const JUMP_SECONDS: f64 = 0.5;
const TIMES_ASKED: u32 = 1000;

/// What asking the time takes.
pub(super) fn clock_cost(clock: &dyn Clock) -> f64 {
    let before = clock.monotonic();
    let mut last = Duration::ZERO;
    for _ in 0..TIMES_ASKED {
        last = clock.monotonic();
    }
    last.saturating_sub(before).as_secs_f64() / f64::from(TIMES_ASKED)
}

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.sources.iter().filter_map(source).collect();
    if facts.clock.reading_seconds > SLOW_CLOCK_SECONDS {
        let nanoseconds = facts.clock.reading_seconds * 1e9;
        findings.push(
            Finding::new(
                Severity::Warning,
                "slow-clock",
                format!("asking the time takes {nanoseconds:.0} ns"),
                "everything that is measured is stamped, and so all of it gets slower",
            )
            .repaired_by(
                "use a clock that programs can read by themselves: `tsc` on Linux (see \
                 /sys/devices/system/clocksource), or the hypervisor's own",
            ),
        );
    }
    if facts.clock.jump_seconds.abs() > JUMP_SECONDS {
        findings.push(
            Finding::new(
                Severity::Warning,
                "clock-jump",
                format!("the wall clock moved by {:.1} s while looking", facts.clock.jump_seconds),
                "histories get holes or are written twice where the clock jumps",
            )
            .repaired_by("let one time service set the clock, and let it do so gradually"),
        );
    }
    findings
}

fn source(source: &SourceFact) -> Option<Finding> {
    let name = source.name;
    let milliseconds = source.seconds * 1000.0;
    match &source.outcome {
        Outcome::Told(_) if source.seconds <= SLOW_SECONDS => None,
        Outcome::Told(_) => {
            let severity = if source.seconds > VERY_SLOW_SECONDS {
                Severity::Error
            } else {
                Severity::Warning
            };
            let what = format!("the source `{name}` takes {milliseconds:.0} ms");
            let why = "what is slow is late, and over half a second it is given up";
            Some(Finding::new(severity, "slow-source", what, why))
        }
        Outcome::Absent(why) => Some(Finding::new(
            Severity::Note,
            "absent-source",
            format!("the source `{name}` tells nothing here: {why}"),
            "its counters have no values on this machine",
        )),
        Outcome::Failed(why) => Some(Finding::new(
            Severity::Error,
            "failed-source",
            format!("the source `{name}` failed: {why}"),
            "its counters have no values, although the system has them",
        )),
        Outcome::Hung => Some(
            Finding::new(
                Severity::Error,
                "hung-source",
                format!("the source `{name}` gave no answer in {:.0} s", source.seconds),
                "it waits for a device or a server; the other sources go on without it",
            )
            .repaired_by("look for a disk, a network drive or a driver that does not answer"),
        ),
    }
}
