//! Uptime, processes and threads.

use super::kept_file::KeptFile;
use super::process_count::ProcessCount;
use crate::Error;
use crate::parse;
use crate::readings::System;
use crate::roots::Roots;

/// Reads `/proc/uptime`, `/proc/loadavg` and how many processes `/proc` lists.
#[derive(Debug)]
pub(crate) struct SystemReader {
    uptime: KeptFile,
    loadavg: KeptFile,
    processes: ProcessCount,
    system: System,
}

impl SystemReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            uptime: KeptFile::new(roots.proc.join("uptime")),
            loadavg: KeptFile::new(roots.proc.join("loadavg")),
            processes: ProcessCount::new(roots.proc.clone()),
            system: System::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&System, Error> {
        let uptime_seconds = self.uptime.read(parse::uptime::parse)?;
        let (_, threads) = self.loadavg.read(parse::loadavg::parse)?;
        let processes = self.processes.read()?;
        self.system = System { uptime_seconds, processes: Some(processes), threads: Some(threads) };
        Ok(&self.system)
    }
}
