//! Processor time by mode, and what the scheduler counts.

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::platform::CpuReader;
use crate::readings::{Cpu, ModeSeconds};
use crate::{Collector, Error, Roots, Sink};

pub(crate) static CPU_USAGE: Desc = gauge(
    "cpu_usage",
    Unit::Percent,
    &[],
    "Share of the time since the last reading in which the processors worked, over all of them.",
);
pub(crate) static CPU_COUNT: Desc =
    gauge("cpu_count", Unit::Count, &[], "Logical processors that are online.");
pub(crate) static SECONDS: Desc = counter(
    "cpu_seconds_total",
    Unit::Seconds,
    &["cpu", "mode"],
    "Time a processor spent in a mode; the modes add up to all of its time.",
);
pub(crate) static CONTEXT_SWITCHES: Desc = counter(
    "system_context_switches_total",
    Unit::Count,
    &[],
    "Switches of a processor from one thread to another.",
);
pub(crate) static INTERRUPTS: Desc =
    counter("system_interrupts_total", Unit::Count, &[], "Hardware interrupts served.");
pub(crate) static SOFT_INTERRUPTS: Desc = counter(
    "system_soft_interrupts_total",
    Unit::Count,
    &[],
    "Software interrupts (Linux) or deferred procedure calls (Windows) served.",
);
pub(crate) static FORKS: Desc =
    counter("system_forks_total", Unit::Count, &[], "Processes and threads started.");
pub(crate) static RUNNING: Desc = gauge(
    "system_processes_running",
    Unit::Count,
    &[],
    "Threads that run or wait for a processor, the one that reads this among them.",
);
pub(crate) static BLOCKED: Desc =
    gauge("system_processes_blocked", Unit::Count, &[], "Threads that wait for a disk.");
pub(crate) static BOOT_TIME: Desc =
    gauge("system_boot_time_seconds", Unit::UnixSeconds, &[], "When the system started.");

static GUEST_SECONDS: Desc = counter(
    "cpu_guest_seconds_total",
    Unit::Seconds,
    &["cpu", "mode"],
    "The part of a processor's user and nice time in which it ran virtual machines.",
);
static SOFT_INTERRUPTS_BY_KIND: Desc = counter(
    "system_soft_interrupts_by_kind_total",
    Unit::Count,
    &["kind"],
    "Software interrupts served, by kind: `net_rx` (packets came in), `timer`, `rcu` and others.",
);

static DESCS: [&Desc; 12] = [
    &CPU_USAGE,
    &CPU_COUNT,
    &SECONDS,
    &CONTEXT_SWITCHES,
    &INTERRUPTS,
    &SOFT_INTERRUPTS,
    &FORKS,
    &RUNNING,
    &BLOCKED,
    &BOOT_TIME,
    &GUEST_SECONDS,
    &SOFT_INTERRUPTS_BY_KIND,
];

const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
/// Those in which the processor works for this machine: not idle, not waiting, not stolen by the
/// hypervisor.
const BUSY: [bool; 8] = [true, true, true, false, false, true, true, false];

type Modes = [Option<f64>; 8];

/// Emits [`Cpu`].
#[derive(Debug)]
pub(crate) struct CpuCollector {
    reader: CpuReader,
    total: Option<Modes>,
    cores: Vec<SeenCore>,
}

#[derive(Debug)]
struct SeenCore {
    number: u32,
    label: String,
    modes: Modes,
}

impl CpuCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: CpuReader::new(roots), total: None, cores: Vec::new() }
    }
}

impl Collector for CpuCollector {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn is_essential(&self) -> bool {
        true
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let cpu = self.reader.read()?;
        let mut total = modes(&cpu.total);
        if let Some(before) = &self.total {
            hold_jitter(before, &mut total);
            out.push_some(&CPU_USAGE, &[], usage(before, &total));
        }
        self.total = Some(total);
        push_cores(cpu, &mut self.cores, out);

        let count = |value: Option<u64>| value.map(|value| value as f64);
        out.push(&CPU_COUNT, &[], cpu.cores.as_slice().len() as f64);
        out.push_some(&CONTEXT_SWITCHES, &[], count(cpu.context_switches));
        out.push_some(&INTERRUPTS, &[], count(cpu.interrupts));
        out.push_some(&SOFT_INTERRUPTS, &[], count(cpu.soft_interrupts));
        out.push_some(&FORKS, &[], count(cpu.forks));
        out.push_some(&RUNNING, &[], count(cpu.running));
        out.push_some(&BLOCKED, &[], count(cpu.blocked));
        out.push_some(&BOOT_TIME, &[], cpu.boot_time_seconds);
        for (kind, events) in Cpu::SOFT_INTERRUPT_KINDS.iter().zip(cpu.soft_interrupts_by_kind) {
            out.push_some(&SOFT_INTERRUPTS_BY_KIND, &[kind], count(events));
        }
        Ok(())
    }
}

fn push_cores(cpu: &Cpu, seen: &mut Vec<SeenCore>, out: &mut dyn Sink) {
    for (i, core) in cpu.cores.iter().enumerate() {
        let mut modes = modes(&core.times);
        // A processor that went offline or came online shifts the ones behind it.
        while seen.get(i).is_some_and(|seen| seen.number < core.number) {
            seen.remove(i);
        }
        match seen.get_mut(i).filter(|seen| seen.number == core.number) {
            Some(seen) => {
                hold_jitter(&seen.modes, &mut modes);
                seen.modes = modes;
            }
            None => seen
                .insert(i, SeenCore { number: core.number, label: core.number.to_string(), modes }),
        }
        for (mode, seconds) in MODES.iter().zip(modes) {
            out.push_some(&SECONDS, &[&seen[i].label, mode], seconds);
        }
        for (mode, seconds) in ["user", "nice"].iter().zip(core.guest) {
            out.push_some(&GUEST_SECONDS, &[&seen[i].label, mode], seconds);
        }
    }
    seen.truncate(cpu.cores.as_slice().len());
}

fn modes(times: &ModeSeconds) -> Modes {
    [
        Some(times.user),
        times.nice,
        Some(times.system),
        Some(times.idle),
        times.iowait,
        times.irq,
        times.softirq,
        times.steal,
    ]
}

/// A total that steps back by so little is not a restart: the kernel computes idle and waiting
/// time anew at each reading, and hands a few ticks from one to the other.
const JITTER_SECONDS: f64 = 3.0;

fn hold_jitter(before: &Modes, now: &mut Modes) {
    for (before, now) in before.iter().zip(now) {
        if let (Some(before), Some(now)) = (before, now)
            && *now < *before
            && *before - *now <= JITTER_SECONDS
        {
            *now = *before;
        }
    }
}

/// Percent, or nothing if no time has passed in any mode.
fn usage(before: &Modes, now: &Modes) -> Option<f64> {
    let mut all = 0.0;
    let mut busy = 0.0;
    for ((before, now), is_busy) in before.iter().zip(now).zip(BUSY) {
        let (Some(before), Some(now)) = (before, now) else { continue };
        let spent = crate::increase::increase(*before, *now);
        all += spent;
        busy += if is_busy { spent } else { 0.0 };
    }
    (all > 0.0).then(|| 100.0 * busy / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(values: [f64; 8]) -> Modes {
        values.map(Some)
    }

    #[test]
    fn usage_leaves_out_idle_waiting_and_stolen_time() {
        let before = all([0.0; 8]);
        let now = all([1.0, 0.5, 1.0, 4.0, 1.0, 0.25, 0.25, 2.0]);
        assert_eq!(usage(&before, &now), Some(30.0));
        assert_eq!(usage(&now, &now), None);
    }

    #[test]
    fn a_small_step_back_is_held_and_a_large_one_is_a_restart() {
        let before = all([10.0; 8]);
        let mut now = all([11.0, 10.0, 10.0, 9.98, 5.0, 10.0, 10.0, 10.0]);
        hold_jitter(&before, &mut now);
        assert_eq!(now, all([11.0, 10.0, 10.0, 10.0, 5.0, 10.0, 10.0, 10.0]));
    }
}
