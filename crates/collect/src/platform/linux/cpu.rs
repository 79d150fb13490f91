//! Processor times.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse;
use crate::readings::Cpu;
use crate::roots::Roots;

/// Reads `/proc/stat`.
#[derive(Debug)]
pub(crate) struct CpuReader {
    stat: KeptFile,
    cpu: Cpu,
}

impl CpuReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { stat: KeptFile::new(roots.proc.join("stat")), cpu: Cpu::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&Cpu, Error> {
        self.stat.read(|text| parse::stat::parse(text, &mut self.cpu))?;
        Ok(&self.cpu)
    }
}
