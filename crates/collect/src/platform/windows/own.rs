//! This process: its processor time, memory and handles.
#![expect(unsafe_code, reason = "calls to kernel32 about this process")]

use std::time::Duration;

use windows_sys::Win32::Foundation::{FILETIME, HANDLE};
use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentThread, GetProcessHandleCount, GetProcessTimes, GetThreadTimes,
};

use super::clock::seconds;
use super::failure;
use super::wine::under_wine;
use crate::Error;
use crate::readings::Own;
use crate::roots::Roots;

/// Asks for the counters of this process.
#[derive(Debug)]
pub(crate) struct OwnReader {
    own: Own,
}

impl OwnReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { own: Own::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&Own, Error> {
        // SAFETY: it takes nothing; the handle is a constant that needs no closing.
        let process = unsafe { GetCurrentProcess() };
        self.own = Own {
            cpu_seconds: times(GetProcessTimes, process)
                .ok_or_else(|| failure::absent("this process", "its times are not told"))?,
            resident_bytes: resident_bytes(process)
                .ok_or_else(|| failure::absent("this process", "its memory is not told"))?,
            threads: None,
            handles: handles(process),
        };
        Ok(&self.own)
    }
}

/// Processor time of the calling thread.
pub(crate) fn thread_cpu_time() -> Duration {
    // SAFETY: it takes nothing; the handle is a constant that needs no closing.
    let thread = unsafe { GetCurrentThread() };
    Duration::from_secs_f64(times(GetThreadTimes, thread).unwrap_or_default())
}

type Times = unsafe extern "system" fn(
    HANDLE,
    *mut FILETIME,
    *mut FILETIME,
    *mut FILETIME,
    *mut FILETIME,
) -> i32;

/// Kernel and user mode together, in seconds.
fn times(ask: Times, handle: HANDLE) -> Option<f64> {
    let mut created = FILETIME::default();
    let mut ended = FILETIME::default();
    let mut kernel = FILETIME::default();
    let mut user = FILETIME::default();
    // SAFETY: the handle is this process or thread, and the others are places for times.
    let ok =
        unsafe { ask(handle, &raw mut created, &raw mut ended, &raw mut kernel, &raw mut user) };
    (ok != 0).then(|| seconds(kernel) + seconds(user))
}

fn resident_bytes(process: HANDLE) -> Option<u64> {
    let size = u32::try_from(size_of::<PROCESS_MEMORY_COUNTERS>()).ok()?;
    let mut counters = PROCESS_MEMORY_COUNTERS { cb: size, ..Default::default() };
    // SAFETY: `counters` is a place of the size that is named.
    let ok = unsafe { K32GetProcessMemoryInfo(process, &raw mut counters, size) };
    (ok != 0).then_some(counters.WorkingSetSize as u64)
}

/// Wine answers zero.
fn handles(process: HANDLE) -> Option<u64> {
    let mut count = 0;
    // SAFETY: `count` is a place for the number.
    let ok = unsafe { GetProcessHandleCount(process, &raw mut count) };
    (ok != 0 && !under_wine()).then_some(u64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_time_and_memory() {
        let mut reader = OwnReader::new(&Roots::default());
        let before = *reader.read().unwrap();
        let busy = std::iter::repeat_with(thread_cpu_time).find(|time| !time.is_zero());
        assert!(busy.is_some());
        let after = reader.read().unwrap();
        assert!(after.cpu_seconds >= before.cpu_seconds && after.resident_bytes > 100_000);
    }
}
