//! What the kernel holds of itself and for programs.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::platform::KernelObjectsReader;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static MODULES: Desc = gauge(
    "memory_kernel_modules_bytes",
    Unit::Bytes,
    &[],
    "Memory that the kernel's loaded modules (drivers) take.",
);
pub(crate) static SEMAPHORES: Desc =
    gauge("system_semaphores", Unit::Count, &[], "System V semaphores, in all sets together.");
pub(crate) static SHARED_SEGMENTS: Desc =
    gauge("system_shared_memory_segments", Unit::Count, &[], "System V segments of shared memory.");

/// Emits [`crate::readings::KernelObjects`].
#[derive(Debug)]
pub(crate) struct KernelObjectsCollector(KernelObjectsReader);

impl KernelObjectsCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(KernelObjectsReader::new(roots))
    }
}

impl Collector for KernelObjectsCollector {
    fn name(&self) -> &'static str {
        "kernel_objects"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 3] = [&MODULES, &SEMAPHORES, &SHARED_SEGMENTS];
        &DESCS
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let objects = self.0.read()?;
        for (desc, value) in [
            (&MODULES, objects.module_bytes),
            (&SEMAPHORES, objects.semaphores),
            (&SHARED_SEGMENTS, objects.shared_segments),
        ] {
            out.push_some(desc, &[], value.map(|value| value as f64));
        }
        Ok(())
    }
}
