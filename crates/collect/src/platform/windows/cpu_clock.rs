//! How fast processors run, as their power management says.
#![expect(unsafe_code, reason = "a call to powrprof, which fills structures")]

use std::ptr;

use windows_sys::Win32::System::Power::{
    CallNtPowerInformation, PROCESSOR_POWER_INFORMATION, ProcessorInformation,
};

use super::{failure, kernel};
use crate::Error;
use crate::readings::CpuClock;
use crate::roots::Roots;

const WHAT: &str = "processor frequencies";
const MAX_PER_GROUP: usize = 64;

/// Asks for the clocks of all processors.
#[derive(Debug)]
pub(crate) struct CpuClockReader {
    clocks: Vec<CpuClock>,
}

impl CpuClockReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { clocks: Vec::new() }
    }

    pub(crate) fn read(&mut self) -> Result<&[CpuClock], Error> {
        if kernel::processor_groups() > 1 {
            let why = "Windows tells them of some 64 of the processors only";
            return Err(failure::absent(WHAT, why));
        }
        self.clocks.clear();
        self.clocks.extend(power_information().iter().filter_map(clock));
        if self.clocks.is_empty() {
            return Err(failure::absent(WHAT, "this machine does not tell them"));
        }
        Ok(&self.clocks)
    }
}

/// Of the processors of the group that this thread runs in; empty where Windows does not tell.
/// Places without a processor are all zeros.
pub(super) fn power_information() -> [PROCESSOR_POWER_INFORMATION; MAX_PER_GROUP] {
    let empty = [PROCESSOR_POWER_INFORMATION::default(); MAX_PER_GROUP];
    let mut told = empty;
    let bytes = u32::try_from(size_of_val(&told)).unwrap_or(0);
    // SAFETY: the call is told the buffer's size, and takes no input.
    let status = unsafe {
        let out = told.as_mut_ptr().cast();
        CallNtPowerInformation(ProcessorInformation, ptr::null(), 0, out, bytes)
    };
    if status == 0 { told } else { empty }
}

/// Nothing for a processor whose clocks are not known, as in most virtual machines under Wine. The
/// highest clock that is told is what the processor runs at for any length of time: turbo is not
/// told.
fn clock(told: &PROCESSOR_POWER_INFORMATION) -> Option<CpuClock> {
    let hertz = |megahertz: u32| Some(f64::from(megahertz) * 1e6).filter(|hertz| *hertz > 0.0);
    let max = hertz(told.MaxMhz);
    let now = hertz(told.CurrentMhz);
    (max.is_some() || now.is_some()).then(|| CpuClock {
        cpu: told.Number,
        now,
        limit: hertz(told.MhzLimit),
        max,
        base: max,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::windows::wine::under_wine;

    #[test]
    fn clocks_are_in_hertz_and_what_is_not_told_is_absent() {
        let told = PROCESSOR_POWER_INFORMATION {
            Number: 3,
            MaxMhz: 3600,
            CurrentMhz: 1200,
            ..PROCESSOR_POWER_INFORMATION::default()
        };
        let expected =
            CpuClock { cpu: 3, now: Some(1.2e9), limit: None, max: Some(3.6e9), base: Some(3.6e9) };
        assert_eq!(clock(&told), Some(expected));
        assert_eq!(clock(&PROCESSOR_POWER_INFORMATION::default()), None);
    }

    /// Wine tells what the kernel below it does, which in a virtual machine is nothing.
    #[test]
    fn clocks_are_those_of_processors_that_there_are() {
        let logical = std::thread::available_parallelism().unwrap().get();
        match CpuClockReader::new(&Roots::default()).read() {
            Ok(clocks) => {
                let is_sound = |hertz: f64| (1e8..1e10).contains(&hertz);
                let of_a_processor = |it: &CpuClock| (it.cpu as usize) < logical.max(64);
                assert!(clocks.iter().all(of_a_processor), "{clocks:?}");
                assert!(clocks.iter().filter_map(|it| it.now).all(is_sound), "{clocks:?}");
            }
            Err(error) => {
                assert!(error.is_absent(), "{error}");
                assert!(under_wine() || kernel::processor_groups() > 1, "{error}");
            }
        }
    }
}
