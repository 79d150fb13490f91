//! Memory.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse;
use crate::readings::Memory;
use crate::roots::Roots;

/// Reads `/proc/meminfo` and `/proc/vmstat`.
#[derive(Debug)]
pub(crate) struct MemoryReader {
    meminfo: KeptFile,
    vmstat: KeptFile,
    memory: Memory,
}

impl MemoryReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            meminfo: KeptFile::new(roots.proc.join("meminfo")),
            vmstat: KeptFile::new(roots.proc.join("vmstat")),
            memory: Memory::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&Memory, Error> {
        self.meminfo.read(|text| parse::meminfo::parse(text, &mut self.memory))?;
        // Kernels without CONFIG_VM_EVENT_COUNTERS have less in it, containers may lack it.
        match self
            .vmstat
            .read_if_there("/proc/vmstat", "", |text| parse::vmstat::parse(text, &mut self.memory))
        {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(&self.memory),
        }
    }
}
