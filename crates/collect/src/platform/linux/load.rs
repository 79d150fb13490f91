//! Load averages.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse;
use crate::readings::Load;
use crate::roots::Roots;

/// Reads `/proc/loadavg`.
#[derive(Debug)]
pub(crate) struct LoadReader {
    loadavg: KeptFile,
    load: Load,
}

impl LoadReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { loadavg: KeptFile::new(roots.proc.join("loadavg")), load: Load::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&Load, Error> {
        (self.load, _) = self.loadavg.read(parse::loadavg::parse)?;
        Ok(&self.load)
    }
}
