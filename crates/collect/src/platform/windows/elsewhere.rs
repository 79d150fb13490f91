//! What other systems tell through files. Here the performance counters tell it: the catalog's
//! rows over these readings are asked of Windows itself.

use super::failure::absent;
use crate::Error;
use crate::parse::ParseError;
use crate::readings::{
    Cgroup, Container, CpuPlace, Graphics, KernelObjects, NfsClient, Sensor, ThermalZone,
};
use crate::roots::Roots;

const BY_PATH: &str = "on Windows its performance counters tell it, by path";
const NOBODY: &str = "Windows does not tell it to programs";

macro_rules! readers {
    ($why:ident; $($name:ident -> $reading:ty, $what:literal;)*) => {
        $(
            /// Absent here.
            #[derive(Debug)]
            pub(crate) struct $name;

            impl $name {
                pub(crate) fn new(_: &Roots) -> Self {
                    Self
                }

                pub(crate) fn read(&mut self) -> Result<$reading, Error> {
                    Err(absent($what, $why))
                }
            }
        )*
    };
}

readers! { BY_PATH;
    CgroupReader -> &[Cgroup], "control groups";
    ContainerReader -> Container, "limits of a container";
    CpuPlaceReader -> &[CpuPlace], "places of processors";
    GpuReader -> &Graphics, "graphics adapters";
    KernelObjectsReader -> &KernelObjects, "modules, semaphores and shared memory";
    ThermalReader -> &[ThermalZone], "temperatures";
}

readers! { NOBODY;
    HwmonReader -> &[Sensor], "sensors of the board";
    NfsReader -> &NfsClient, "the NFS client";
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
