//! Where processors are, how fast they run, and how deep they sleep.

use std::collections::BTreeMap;
use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::platform::{CpuClockReader, CpuIdleReader, CpuPlaceReader};
use crate::{Collector, Error, Roots, Sink};

/// It takes a file per processor and value, and some ask the processor itself.
const INTERVAL: Duration = Duration::from_secs(10);

pub(crate) static FREQUENCY: Desc =
    gauge("cpu_frequency_hertz", Unit::Hertz, &["cpu"], "What a processor runs at now.");
pub(crate) static FREQUENCY_LIMIT: Desc = gauge(
    "cpu_frequency_limit_hertz",
    Unit::Hertz,
    &["cpu"],
    "The fastest that a processor is allowed to run now.",
);
pub(crate) static FREQUENCY_MAX: Desc = gauge(
    "cpu_frequency_max_hertz",
    Unit::Hertz,
    &["cpu"],
    "The fastest that a processor can run.",
);
pub(crate) static FREQUENCY_BASE: Desc = gauge(
    "cpu_frequency_base_hertz",
    Unit::Hertz,
    &["cpu"],
    "What a processor can run at for any length of time; the fastest where that is unknown.",
);
pub(crate) static IDLE_SECONDS: Desc = counter(
    "cpu_idle_state_seconds_total",
    Unit::Seconds,
    &["cpu", "state", "name"],
    "Time a processor spent in an idle state; the higher the state's number, the deeper.",
);
pub(crate) static IDLE_ENTRIES: Desc = counter(
    "cpu_idle_state_entries_total",
    Unit::Count,
    &["cpu", "state", "name"],
    "How often a processor went into an idle state.",
);
pub(crate) static ONLINE: Desc = gauge(
    "cpu_online",
    Unit::Count,
    &["cpu"],
    "1 for a processor that is in use, 0 for one that is switched off.",
);
pub(crate) static NODE: Desc = gauge(
    "cpu_node",
    Unit::Count,
    &["cpu", "index"],
    "The NUMA node that a processor belongs to, and its index among those of the node.",
);

/// Emits each [`crate::readings::CpuClock`].
#[derive(Debug)]
pub(crate) struct CpuFrequencyCollector(CpuClockReader);

impl CpuFrequencyCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(CpuClockReader::new(roots))
    }
}

impl Collector for CpuFrequencyCollector {
    fn name(&self) -> &'static str {
        "cpu_frequency"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 4] = [&FREQUENCY, &FREQUENCY_LIMIT, &FREQUENCY_MAX, &FREQUENCY_BASE];
        &DESCS
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        for clock in self.0.read()? {
            let cpu = clock.cpu.to_string();
            for (desc, value) in [
                (&FREQUENCY, clock.now),
                (&FREQUENCY_LIMIT, clock.limit),
                (&FREQUENCY_MAX, clock.max),
                (&FREQUENCY_BASE, clock.base),
            ] {
                out.push_some(desc, &[&cpu], value);
            }
        }
        Ok(())
    }
}

/// Emits each [`crate::readings::CpuIdleState`].
#[derive(Debug)]
pub(crate) struct CpuIdleCollector(CpuIdleReader);

impl CpuIdleCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(CpuIdleReader::new(roots))
    }
}

impl Collector for CpuIdleCollector {
    fn name(&self) -> &'static str {
        "cpu_idle"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 2] = [&IDLE_SECONDS, &IDLE_ENTRIES];
        &DESCS
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        for state in self.0.read()? {
            let labels = [&*state.cpu.to_string(), &*state.state.to_string(), &*state.name];
            out.push(&IDLE_SECONDS, &labels, state.seconds);
            out.push(&IDLE_ENTRIES, &labels, state.entries as f64);
        }
        Ok(())
    }
}

/// Emits each [`crate::readings::CpuPlace`].
#[derive(Debug)]
pub(crate) struct CpuTopologyCollector(CpuPlaceReader);

impl CpuTopologyCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(CpuPlaceReader::new(roots))
    }
}

impl Collector for CpuTopologyCollector {
    fn name(&self) -> &'static str {
        "cpu_topology"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 2] = [&ONLINE, &NODE];
        &DESCS
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let mut members: BTreeMap<u32, u32> = BTreeMap::new();
        for place in self.0.read()? {
            let (cpu, index) = (place.cpu.to_string(), members.entry(place.node).or_default());
            out.push(&ONLINE, &[&cpu], f64::from(u8::from(place.is_online)));
            out.push(&NODE, &[&cpu, &index.to_string()], f64::from(place.node));
            *index += 1;
        }
        Ok(())
    }
}
