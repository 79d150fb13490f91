//! Interrupts per processor.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::interrupts::{self, CpuEvents};
use crate::roots::Roots;

/// Reads `/proc/interrupts` and `/proc/softirqs`, which grow with processors times devices.
#[derive(Debug)]
pub(crate) struct CpuEventsReader {
    interrupts: KeptFile,
    softirqs: KeptFile,
    hard: Vec<CpuEvents>,
    soft: Vec<CpuEvents>,
}

impl CpuEventsReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            interrupts: KeptFile::new(roots.proc.join("interrupts")),
            softirqs: KeptFile::new(roots.proc.join("softirqs")),
            hard: Vec::new(),
            soft: Vec::new(),
        }
    }

    /// Hardware interrupts and software interrupts.
    pub(crate) fn read(&mut self) -> Result<(&[CpuEvents], &[CpuEvents]), Error> {
        let Self { interrupts, softirqs, hard, soft } = self;
        interrupts.read_if_there(
            "interrupts per processor",
            "hidden in this container",
            |text| interrupts::parse(text, hard),
        )?;
        softirqs.read_if_there(
            "software interrupts per processor",
            "hidden in this container",
            |text| interrupts::parse(text, soft),
        )?;
        Ok((hard, soft))
    }
}
