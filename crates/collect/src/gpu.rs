//! Graphics adapters: how busy, how full.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
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

/// Emits each [`crate::readings::Gpu`].
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
        static DESCS: [&Desc; 3] = [&BUSY, &MEMORY_USED, &MEMORY_TOTAL];
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
        for gpu in self.0.read()? {
            let bytes = |value: Option<u64>| value.map(|value| value as f64);
            out.push_some(&BUSY, &[&gpu.name], gpu.busy_percent);
            out.push_some(&MEMORY_USED, &[&gpu.name], bytes(gpu.memory_used_bytes));
            out.push_some(&MEMORY_TOTAL, &[&gpu.name], bytes(gpu.memory_total_bytes));
        }
        Ok(())
    }
}
