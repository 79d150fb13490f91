//! Memory.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::{self, keyed::Keyed};
use crate::readings::Memory;
use crate::roots::Roots;

/// Reads `/proc/meminfo` and `/proc/vmstat`.
#[derive(Debug)]
pub(crate) struct MemoryReader {
    meminfo: KeptFile,
    vmstat: KeptFile,
    memory: Memory,
    /// What else is wanted of the one file and the other.
    sizes: Keyed,
    events: Keyed,
}

impl MemoryReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self::with_details(roots, [Keyed::default(), Keyed::default()])
    }

    /// Also finds what is wanted of `meminfo` and of `vmstat`.
    pub(crate) fn with_details(roots: &Roots, [sizes, events]: [Keyed; 2]) -> Self {
        Self {
            meminfo: KeptFile::new(roots.proc.join("meminfo")),
            vmstat: KeptFile::new(roots.proc.join("vmstat")),
            memory: Memory::default(),
            sizes,
            events,
        }
    }

    /// What the last reading found of what else is wanted.
    pub(crate) fn details(&self) -> [&[Option<u64>]; 2] {
        [self.sizes.values(), self.events.values()]
    }

    pub(crate) fn read(&mut self) -> Result<&Memory, Error> {
        let Self { meminfo, vmstat, memory, sizes, events } = self;
        sizes.clear();
        events.clear();
        meminfo.read(|text| {
            sizes.parse_lines(text)?;
            parse::meminfo::parse(text, memory)
        })?;
        // Kernels without CONFIG_VM_EVENT_COUNTERS have less in it, containers may lack it.
        let read = vmstat.read_if_there("/proc/vmstat", "", |text| {
            events.parse_lines(text)?;
            parse::vmstat::parse(text, memory)
        });
        match read {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(&self.memory),
        }
    }
}
