//! Control groups: services, sessions and containers, with what they use and what they may.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::platform::CgroupReader;
use crate::{Collector, Error, Roots, Sink};

const BY_GROUP: &[&str] = &["cgroup"];

static CPU_SECONDS: Desc = counter(
    "cgroup_cpu_seconds_total",
    Unit::Seconds,
    &["cgroup", "mode"],
    "Processor time of a control group in programs (user) and in the kernel (system).",
);
static CPU_THROTTLED: Desc = counter(
    "cgroup_cpu_throttled_seconds_total",
    Unit::Seconds,
    BY_GROUP,
    "Time in which a control group could have run and its quota was used up.",
);
static CPU_LIMIT: Desc = gauge(
    "cgroup_cpu_limit_cores",
    Unit::Count,
    BY_GROUP,
    "Processors that a control group may use; absent without a limit.",
);
static MEMORY: Desc =
    gauge("cgroup_memory_bytes", Unit::Bytes, BY_GROUP, "Memory of a control group.");
static WORKING_SET: Desc = gauge(
    "cgroup_memory_working_set_bytes",
    Unit::Bytes,
    BY_GROUP,
    "Memory of a control group without file contents that are dropped first.",
);
static MEMORY_LIMIT: Desc = gauge(
    "cgroup_memory_limit_bytes",
    Unit::Bytes,
    BY_GROUP,
    "Memory that a control group may use; absent without a limit.",
);
static OOM_KILLS: Desc = counter(
    "cgroup_memory_oom_kills_total",
    Unit::Count,
    BY_GROUP,
    "Processes of a control group killed because its memory was used up.",
);
static PROCESSES: Desc =
    gauge("cgroup_processes", Unit::Count, BY_GROUP, "Processes and threads of a control group.");
static PROCESSES_LIMIT: Desc = gauge(
    "cgroup_processes_limit",
    Unit::Count,
    BY_GROUP,
    "Processes and threads that a control group may have; absent without a limit.",
);
static READ_BYTES: Desc = counter(
    "cgroup_read_bytes_total",
    Unit::Bytes,
    BY_GROUP,
    "Bytes that a control group read from disks.",
);
static WRITTEN_BYTES: Desc = counter(
    "cgroup_written_bytes_total",
    Unit::Bytes,
    BY_GROUP,
    "Bytes that a control group wrote to disks.",
);

static DESCS: [&Desc; 11] = [
    &CPU_SECONDS,
    &CPU_THROTTLED,
    &CPU_LIMIT,
    &MEMORY,
    &WORKING_SET,
    &MEMORY_LIMIT,
    &OOM_KILLS,
    &PROCESSES,
    &PROCESSES_LIMIT,
    &READ_BYTES,
    &WRITTEN_BYTES,
];

/// Emits [`crate::readings::Cgroup`].
#[derive(Debug)]
pub(crate) struct CgroupCollector(CgroupReader);

impl CgroupCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(CgroupReader::new(roots))
    }
}

impl Collector for CgroupCollector {
    fn name(&self) -> &'static str {
        "cgroup"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    /// Half a dozen files for each group.
    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        for group in self.0.read()? {
            let labels = [group.path.as_str()];
            out.push_some(&CPU_SECONDS, &[&group.path, "user"], group.cpu_user_seconds);
            out.push_some(&CPU_SECONDS, &[&group.path, "system"], group.cpu_system_seconds);
            out.push_some(&CPU_THROTTLED, &labels, group.cpu_throttled_seconds);
            out.push_some(&CPU_LIMIT, &labels, group.limits.cpu_cores);
            for (desc, value) in [
                (&MEMORY, group.memory_bytes),
                (&WORKING_SET, group.memory_working_set_bytes),
                (&MEMORY_LIMIT, group.limits.memory_bytes),
                (&OOM_KILLS, group.oom_kills),
                (&PROCESSES, group.processes),
                (&PROCESSES_LIMIT, group.limits.processes),
                (&READ_BYTES, group.read_bytes),
                (&WRITTEN_BYTES, group.written_bytes),
            ] {
                out.push_some(desc, &labels, value.map(|value| value as f64));
            }
        }
        Ok(())
    }
}
