//! This process: its processor time, memory, threads and file descriptors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse;
use crate::readings::Own;
use crate::roots::Roots;

/// Reads `/proc/self/status`, `/proc/self/fd` and the process's own clock.
#[derive(Debug)]
pub(crate) struct OwnReader {
    status: KeptFile,
    descriptors: PathBuf,
    own: Own,
}

impl OwnReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        let own_folder = roots.proc.join("self");
        Self {
            status: KeptFile::new(own_folder.join("status")),
            descriptors: own_folder.join("fd"),
            own: Own::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&Own, Error> {
        let (resident_bytes, threads) = self.status.read_if_there(
            "this process",
            "/proc is not that of a running system",
            parse::own_status::parse,
        )?;
        let handles = open_files(&self.descriptors);
        self.own = Own {
            cpu_seconds: duration(clock_gettime(ClockId::ProcessCPUTime)).as_secs_f64(),
            resident_bytes,
            threads: Some(threads),
            handles,
        };
        Ok(&self.own)
    }
}

/// How many entries the folder has: its size from Linux 6.2 on, before that by listing them.
fn open_files(folder: &Path) -> Option<u64> {
    let size = std::fs::metadata(folder).ok()?.len();
    if size > 0 {
        return Some(size);
    }
    // The listing itself takes one.
    let entries = std::fs::read_dir(folder).ok()?;
    Some((entries.count() as u64).saturating_sub(1))
}

/// Processor time of the calling thread.
pub(crate) fn thread_cpu_time() -> Duration {
    duration(clock_gettime(ClockId::ThreadCPUTime))
}

fn duration(time: Timespec) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}
