//! The kernel's own tables, which ntdll hands out by number.
#![expect(unsafe_code, reason = "calls to ntdll; a function that older headers lack")]

use std::ffi::c_void;

use windows_sys::Wdk::System::SystemInformation::NtQuerySystemInformation;
use windows_sys::Win32::Foundation::{
    NTSTATUS, RtlNtStatusToDosError, STATUS_INFO_LENGTH_MISMATCH,
};
use windows_sys::Win32::System::Threading::GetActiveProcessorGroupCount;

use super::failure;
use crate::Error;

windows_link::link!("ntdll.dll" "system" fn NtQuerySystemInformationEx(
    class: i32, input: *const c_void, input_length: u32,
    output: *mut c_void, output_length: u32, length: *mut u32) -> NTSTATUS);

/// Time per processor and mode.
const PROCESSOR_TIMES: i32 = 8;

/// More than any machine has: 2,048 processors.
const LARGEST_BYTES: usize = 48 * 2048;

/// How many groups of up to 64 processors are in use.
pub(super) fn processor_groups() -> u16 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { GetActiveProcessorGroupCount() }.max(1)
}

/// The processor times of the group that this thread runs in: all, where there is one group.
pub(super) fn processor_times(buffer: &mut Vec<u8>) -> Result<(), Error> {
    fill("NtQuerySystemInformation", buffer, |start, length, needed| {
        // SAFETY: `start` has room for `length` bytes, and `needed` is a place for a number.
        unsafe { NtQuerySystemInformation(PROCESSOR_TIMES, start, length, needed) }
    })
}

/// The processor times of one group.
pub(super) fn processor_times_of(group: u16, buffer: &mut Vec<u8>) -> Result<(), Error> {
    let input = (&raw const group).cast();
    fill("NtQuerySystemInformationEx", buffer, |start, length, needed| {
        // SAFETY: `input` is a group's number of two bytes; the rest as above.
        unsafe { NtQuerySystemInformationEx(PROCESSOR_TIMES, input, 2, start, length, needed) }
    })
}

/// Calls with a buffer that grows until it is large enough, and cuts it to what was written.
fn fill(
    call: &'static str,
    buffer: &mut Vec<u8>,
    ask: impl Fn(*mut c_void, u32, &mut u32) -> NTSTATUS,
) -> Result<(), Error> {
    buffer.resize(buffer.capacity().max(48 * 64), 0);
    loop {
        let mut written = 0;
        let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let status = ask(buffer.as_mut_ptr().cast(), length, &mut written);
        if status >= 0 {
            buffer.truncate(written as usize);
            return Ok(());
        }
        if status != STATUS_INFO_LENGTH_MISMATCH || buffer.len() >= LARGEST_BYTES {
            // SAFETY: it takes a number and cannot fail.
            let code = unsafe { RtlNtStatusToDosError(status) };
            return Err(failure::code(call, "processor times", code));
        }
        buffer.resize(buffer.len() * 2, 0);
    }
}
