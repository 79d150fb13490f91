//! The limits that Barograph itself lives under: those of its container, service or slice. What
//! the machine has is not what programs here can use.

use std::sync::Arc;

use barograph_model::{Clock, Desc, Unit};

use crate::desc::{counter, gauge};
use crate::increase::{Elapsed, increase};
use crate::platform::ContainerReader;
use crate::{Collector, Error, Roots, Sink};

static MEMORY_LIMIT: Desc = gauge(
    "container_memory_limit_bytes",
    Unit::Bytes,
    &[],
    "Memory that may be used here; absent without a limit.",
);
static MEMORY: Desc = gauge(
    "container_memory_working_set_bytes",
    Unit::Bytes,
    &[],
    "Used part of the memory that may be used here, without file contents that are dropped first.",
);
static MEMORY_PERCENT: Desc = gauge(
    "container_memory_percent",
    Unit::Percent,
    &[],
    "Used share of the memory that may be used here.",
);
static CPU_LIMIT: Desc = gauge(
    "container_cpu_limit_cores",
    Unit::Count,
    &[],
    "Processors that may be used here; absent without a limit.",
);
static CPU_SECONDS: Desc = counter(
    "container_cpu_seconds_total",
    Unit::Seconds,
    &[],
    "Processor time that counts against the limit here.",
);
static CPU_USAGE: Desc = gauge(
    "container_cpu_usage",
    Unit::Percent,
    &[],
    "Used share of the processors that may be used here, since the last reading.",
);
static PROCESSES_LIMIT: Desc = gauge(
    "container_processes_limit",
    Unit::Count,
    &[],
    "Processes and threads that may run here; absent without a limit.",
);
static PROCESSES: Desc = gauge(
    "container_processes",
    Unit::Count,
    &[],
    "Processes and threads that count against the limit here.",
);

/// Emits [`crate::readings::Container`].
#[derive(Debug)]
pub(crate) struct ContainerCollector {
    reader: ContainerReader,
    clock: Arc<dyn Clock>,
    elapsed: Elapsed,
    cpu_seconds: Option<f64>,
}

impl ContainerCollector {
    pub(crate) fn new(roots: &Roots, clock: &Arc<dyn Clock>) -> Self {
        Self {
            reader: ContainerReader::new(roots),
            clock: Arc::clone(clock),
            elapsed: Elapsed::default(),
            cpu_seconds: None,
        }
    }
}

impl Collector for ContainerCollector {
    fn name(&self) -> &'static str {
        "container"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 8] = [
            &MEMORY_LIMIT,
            &MEMORY,
            &MEMORY_PERCENT,
            &CPU_LIMIT,
            &CPU_SECONDS,
            &CPU_USAGE,
            &PROCESSES_LIMIT,
            &PROCESSES,
        ];
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let container = self.reader.read()?;
        let seconds = self.elapsed.until(self.clock.monotonic());
        let before = std::mem::replace(&mut self.cpu_seconds, container.cpu_seconds);
        if let Some(limit) = container.limits.cpu_cores {
            let used = container.cpu_seconds;
            out.push(&CPU_LIMIT, &[], limit);
            out.push_some(&CPU_SECONDS, &[], used);
            if let (Some(before), Some(used), Some(seconds)) = (before, used, seconds) {
                out.push(&CPU_USAGE, &[], 100.0 * increase(before, used) / seconds / limit);
            }
        }
        if let Some(limit) = container.limits.memory_bytes {
            out.push(&MEMORY_LIMIT, &[], limit as f64);
            let used = container.memory_working_set_bytes.map(|bytes| bytes as f64);
            out.push_some(&MEMORY, &[], used);
            out.push_some(&MEMORY_PERCENT, &[], used.map(|used| 100.0 * used / limit as f64));
        }
        if let Some(limit) = container.limits.processes {
            out.push(&PROCESSES_LIMIT, &[], limit as f64);
            out.push_some(&PROCESSES, &[], container.processes.map(|count| count as f64));
        }
        Ok(())
    }
}
