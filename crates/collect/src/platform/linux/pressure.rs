//! Pressure stall information.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse;
use crate::readings::Pressure;
use crate::roots::Roots;

/// Reads `/proc/pressure/*`. The `full` line for processors is a constant zero on the host as a
/// whole and is not taken.
#[derive(Debug)]
pub(crate) struct PressureReader {
    cpu: KeptFile,
    memory: KeptFile,
    io: KeptFile,
    pressure: Pressure,
}

impl PressureReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        let file = |name: &str| KeptFile::new(roots.proc.join("pressure").join(name));
        Self {
            cpu: file("cpu"),
            memory: file("memory"),
            io: file("io"),
            pressure: Pressure::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&Pressure, Error> {
        let read = |file: &mut KeptFile| {
            file.read_if_there(
                "pressure stall information",
                "Linux before 4.20, built without CONFIG_PSI, or booted without psi=1",
                parse::pressure::parse,
            )
        };
        let (cpu, memory, io) =
            (read(&mut self.cpu)?, read(&mut self.memory)?, read(&mut self.io)?);
        self.pressure = Pressure {
            cpu_some: cpu.some,
            memory_some: memory.some,
            memory_full: memory.full,
            io_some: io.some,
            io_full: io.full,
        };
        Ok(&self.pressure)
    }
}
