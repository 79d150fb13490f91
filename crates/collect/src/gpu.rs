//! Graphics adapters: how busy, how full, and by whom.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::platform::GpuReader;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static BUSY: Desc = gauge(
    "gpu_busy_percent",
    Unit::Percent,
    &["gpu"],
    "Share of the last moment in which a graphics adapter worked.",
);
pub(crate) static MEMORY_USED: Desc = gauge(
    "gpu_memory_used_bytes",
    Unit::Bytes,
    &["gpu"],
    "Used part of a graphics adapter's own memory.",
);
pub(crate) static MEMORY_TOTAL: Desc =
    gauge("gpu_memory_total_bytes", Unit::Bytes, &["gpu"], "A graphics adapter's own memory.");

pub(crate) static ENGINE_SECONDS: Desc = counter(
    "gpu_engine_seconds_total",
    Unit::Seconds,
    &["gpu", "engine"],
    "Time that an adapter's engines of a kind worked for processes; with several of a kind it can \
     grow faster than time.",
);
pub(crate) static PROGRAM_SECONDS: Desc = counter(
    "gpu_program_seconds_total",
    Unit::Seconds,
    &["gpu", "name"],
    "Time that an adapter's engines worked for the processes of a name.",
);
pub(crate) static PROGRAM_MEMORY: Desc = gauge(
    "gpu_program_memory_bytes",
    Unit::Bytes,
    &["gpu", "name", "region"],
    "Memory of the processes of a name that an adapter works with: its own (vram) or the machine's.",
);

/// Emits [`crate::readings::Graphics`].
#[derive(Debug)]
pub(crate) struct GpuCollector(GpuReader);

impl GpuCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(GpuReader::new(roots))
    }
}

impl Collector for GpuCollector {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 6] = [
            &BUSY,
            &MEMORY_USED,
            &MEMORY_TOTAL,
            &ENGINE_SECONDS,
            &PROGRAM_SECONDS,
            &PROGRAM_MEMORY,
        ];
        &DESCS
    }

    /// Asking can wake an adapter that sleeps.
    fn interval(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let graphics = self.0.read()?;
        for gpu in &graphics.gpus {
            let bytes = |value: Option<u64>| value.map(|value| value as f64);
            out.push_some(&BUSY, &[&gpu.name], gpu.busy_percent);
            out.push_some(&MEMORY_USED, &[&gpu.name], bytes(gpu.memory_used_bytes));
            out.push_some(&MEMORY_TOTAL, &[&gpu.name], bytes(gpu.memory_total_bytes));
        }
        for engine in &graphics.engines {
            out.push(&ENGINE_SECONDS, &[&engine.gpu, &engine.engine], engine.seconds);
        }
        for program in &graphics.programs {
            out.push(&PROGRAM_SECONDS, &[&program.gpu, &program.name], program.seconds);
            for (region, bytes) in &program.memory {
                let labels = [&*program.gpu, &*program.name, &**region];
                out.push(&PROGRAM_MEMORY, &labels, *bytes as f64);
            }
        }
        Ok(())
    }
}
