//! The kernel's own tables, which ntdll hands out by number.
#![expect(unsafe_code, reason = "calls to ntdll; a function that older headers lack")]

use std::ffi::c_void;

use windows_sys::Wdk::System::SystemInformation::NtQuerySystemInformation;
use windows_sys::Win32::Foundation::{
    NTSTATUS, RtlNtStatusToDosError, STATUS_INFO_LENGTH_MISMATCH,
};
use windows_sys::Win32::System::Threading::GetActiveProcessorGroupCount;

use super::failure;
use super::wine::under_wine;
use crate::Error;
use crate::parse::system_performance::{self, SystemPerformance};

windows_link::link!("ntdll.dll" "system" fn NtQuerySystemInformationEx(
    class: i32, input: *const c_void, input_length: u32,
    output: *mut c_void, output_length: u32, length: *mut u32) -> NTSTATUS);

/// Totals of the whole system.
const PERFORMANCE: i32 = 2;
/// Time per processor and mode.
pub(super) const PROCESSOR_TIMES: i32 = 8;
/// How long and how often each processor slept.
pub(super) const PROCESSOR_IDLE: i32 = 42;

const PROCESSORS: &str = "a table of processors";

/// Enough for most: 64 processors.
const FIRST_BYTES: usize = 48 * 64;
/// More than any machine has: 2,048 processors.
const LARGEST_BYTES: usize = 48 * 2048;

/// How many groups of up to 64 processors are in use.
pub(super) fn processor_groups() -> u16 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { GetActiveProcessorGroupCount() }.max(1)
}

/// What the kernel counts about the whole system; absent under Wine, which counts nothing.
pub(super) fn performance(buffer: &mut Vec<u8>) -> Result<Option<SystemPerformance>, Error> {
    if under_wine() {
        return Ok(None);
    }
    performance_record(buffer)?;
    Ok(system_performance::parse(buffer))
}

fn performance_record(buffer: &mut Vec<u8>) -> Result<(), Error> {
    fill("NtQuerySystemInformation", "system totals", buffer, |start, length, needed| {
        // SAFETY: `start` has room for `length` bytes, and `needed` is a place for a number.
        unsafe { NtQuerySystemInformation(PERFORMANCE, start, length, needed) }
    })
}

/// Asks for a table of processors, and hands over that of each group in turn.
pub(super) fn each_group(
    class: i32,
    buffer: &mut Vec<u8>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Error> {
    let groups = processor_groups();
    for group in 0..groups {
        // Wine knows only the older call, which a machine with one group does not outgrow.
        if groups == 1 {
            of_own_group(class, buffer)?;
        } else {
            of_group(class, group, buffer)?;
        }
        take(buffer);
    }
    Ok(())
}

/// A table of the processors of the group that this thread runs in: all, where there is one group.
fn of_own_group(class: i32, buffer: &mut Vec<u8>) -> Result<(), Error> {
    fill("NtQuerySystemInformation", PROCESSORS, buffer, |start, length, needed| {
        // SAFETY: as above.
        unsafe { NtQuerySystemInformation(class, start, length, needed) }
    })
}

/// A table of the processors of one group.
fn of_group(class: i32, group: u16, buffer: &mut Vec<u8>) -> Result<(), Error> {
    let input = (&raw const group).cast();
    fill("NtQuerySystemInformationEx", PROCESSORS, buffer, |start, length, needed| {
        // SAFETY: `input` is a group's number of two bytes; the rest as above.
        unsafe { NtQuerySystemInformationEx(class, input, 2, start, length, needed) }
    })
}

/// Calls with a buffer that grows until it is large enough, and cuts it to what was written.
fn fill(
    call: &'static str,
    what: &str,
    buffer: &mut Vec<u8>,
    ask: impl Fn(*mut c_void, u32, &mut u32) -> NTSTATUS,
) -> Result<(), Error> {
    buffer.resize(buffer.capacity().max(FIRST_BYTES), 0);
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
            return Err(failure::code(call, what, code));
        }
        buffer.resize(buffer.len() * 2, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::performance_information;
    use super::*;

    #[test]
    fn the_record_of_the_system_has_the_form_that_is_read() {
        let mut record = Vec::new();
        performance_record(&mut record).unwrap();
        assert!(system_performance::parse(&record).is_some(), "{} bytes", record.len());
        // Two fields that another call tells as well stand where they should.
        let pages = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap()) as usize;
        let (available, commit_limit) = (pages(44), pages(52));
        let truth = performance_information().unwrap();
        assert!(available.abs_diff(truth.PhysicalAvailable) < truth.PhysicalTotal / 10);
        assert_eq!(commit_limit, truth.CommitLimit);
    }

    #[test]
    fn a_buffer_grows_until_the_table_fits_and_an_endless_table_is_an_error() {
        let mut buffer = Vec::new();
        let grown = fill("f", "x", &mut buffer, |_, length, written| {
            *written = 5000;
            if length < 5000 { STATUS_INFO_LENGTH_MISMATCH } else { 0 }
        });
        assert!(grown.is_ok());
        assert_eq!(buffer.len(), 5000);
        let endless = fill("f", "x", &mut buffer, |_, _, _| STATUS_INFO_LENGTH_MISMATCH);
        assert!(endless.is_err() && buffer.len() < 2 * LARGEST_BYTES);
    }
}
