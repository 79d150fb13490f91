//! What other systems tell through files. Here the performance counters tell it: the catalog's
//! rows over these readings are asked of Windows itself.

use super::failure::absent;
use crate::Error;
use crate::parse::ParseError;
use crate::parse::interrupts::CpuEvents;
use crate::readings::{
    Cgroup, Container, CpuClock, CpuIdleState, CpuPlace, Gpu, KernelObjects, ThermalZone, Volume,
};
use crate::roots::Roots;
use crate::rows::Rows;

const WHY: &str = "on Windows its performance counters tell it, by path";

macro_rules! readers {
    ($($name:ident -> $reading:ty, $what:literal;)*) => {
        $(
            /// Absent here.
            #[derive(Debug)]
            pub(crate) struct $name;

            impl $name {
                pub(crate) fn new(_: &Roots) -> Self {
                    Self
                }

                pub(crate) fn read(&mut self) -> Result<$reading, Error> {
                    Err(absent($what, WHY))
                }
            }
        )*
    };
}

readers! {
    CgroupReader -> &[Cgroup], "control groups";
    ContainerReader -> Container, "limits of a container";
    CpuClockReader -> &[CpuClock], "processor frequencies";
    CpuEventsReader -> (&[CpuEvents], &[CpuEvents]), "interrupts per processor";
    CpuIdleReader -> &[CpuIdleState], "idle states of processors";
    CpuPlaceReader -> &[CpuPlace], "places of processors";
    GpuReader -> &[Gpu], "graphics adapters";
    KernelObjectsReader -> &KernelObjects, "modules, semaphores and shared memory";
    ThermalReader -> &[ThermalZone], "temperatures";
    VolumeReader -> &Rows<Volume>, "disk counters of volumes";
}

/// Absent here: these are the kernel's of Linux.
#[derive(Debug)]
pub(crate) struct ProcFile;

impl ProcFile {
    pub(crate) fn new(_: &Roots, _: &str) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "every system's readers have the same form")]
    pub(crate) fn read<T>(
        &mut self,
        _: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, Error> {
        Err(absent("a file of the kernel", "only Linux has it"))
    }
}
