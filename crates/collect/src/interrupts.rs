//! Interrupts by processor.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::counter;
use crate::platform::CpuEventsReader;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static INTERRUPTS: Desc = counter(
    "cpu_interrupts_total",
    Unit::Count,
    &["cpu"],
    "Hardware interrupts that a processor served.",
);
pub(crate) static TIMER_INTERRUPTS: Desc = counter(
    "cpu_timer_interrupts_total",
    Unit::Count,
    &["cpu"],
    "Interrupts by a processor's own timer.",
);
pub(crate) static SOFT_INTERRUPTS: Desc = counter(
    "cpu_soft_interrupts_total",
    Unit::Count,
    &["cpu"],
    "Software interrupts that a processor served.",
);

/// Emits the sums of the system's tables of interrupts.
#[derive(Debug)]
pub(crate) struct InterruptsCollector(CpuEventsReader);

impl InterruptsCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(CpuEventsReader::new(roots))
    }
}

impl Collector for InterruptsCollector {
    fn name(&self) -> &'static str {
        "interrupts"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 3] = [&INTERRUPTS, &TIMER_INTERRUPTS, &SOFT_INTERRUPTS];
        &DESCS
    }

    /// On a server with hundreds of processors and queues the table is a megabyte.
    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let (hard, soft) = self.0.read()?;
        for cpu in hard {
            let number = cpu.cpu.to_string();
            out.push(&INTERRUPTS, &[&number], cpu.events as f64);
            out.push_some(&TIMER_INTERRUPTS, &[&number], cpu.timer.map(|count| count as f64));
        }
        for cpu in soft {
            out.push(&SOFT_INTERRUPTS, &[&cpu.cpu.to_string()], cpu.events as f64);
        }
        Ok(())
    }
}
