//! Physical disks, by the counters that their driver keeps.
#![expect(unsafe_code, reason = "calls to kernel32; handles of devices")]

use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::ptr;

use windows_sys::Win32::Storage::FileSystem::{FILE_SHARE_READ, FILE_SHARE_WRITE};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{
    DISK_PERFORMANCE, IOCTL_DISK_PERFORMANCE, IOCTL_STORAGE_GET_DEVICE_NUMBER,
    STORAGE_DEVICE_NUMBER,
};

use super::clock::TICKS_PER_SECOND;
use super::drive;
use super::failure;
use crate::Error;
use crate::readings::Disk;
use crate::roots::Roots;
use crate::rows::Rows;

const WHAT: &str = "disk counters";

/// Disks are numbered from 0, with holes where one was taken out.
const HIGHEST_NUMBER: u32 = 63;

/// Asks each disk's driver.
#[derive(Debug)]
pub(crate) struct DiskReader {
    disks: Rows<Disk>,
    /// By number.
    counters: [DiskCounters; HIGHEST_NUMBER as usize + 1],
}

/// What is kept of a disk or volume between two readings.
#[derive(Debug, Default)]
pub(super) struct DiskCounters {
    /// What [`not_idle`] was when it was first asked.
    began: Option<i64>,
}

impl DiskCounters {
    /// The totals of a device, without its name; nothing if it cannot be opened.
    pub(super) fn read(&mut self, path: &str) -> Option<Result<Disk, Error>> {
        let device = open(path).ok()?;
        let counters = performance(&device, path);
        Some(counters.map(|counters| totals(&counters, &mut self.began)))
    }
}

impl DiskReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { disks: Rows::default(), counters: std::array::from_fn(|_| DiskCounters::default()) }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Disk>, Error> {
        self.disks.clear();
        let letters = letters_by_disk()?;
        let mut refusal = None;
        for (number, counters) in (0..).zip(&mut self.counters) {
            match counters.read(&format!(r"\\.\PhysicalDrive{number}")) {
                Some(Ok(disk)) => {
                    let name = instance_name(number, &letters);
                    *self.disks.add() = Disk { name, ..disk };
                }
                Some(Err(error)) => refusal = Some(error),
                None => {}
            }
        }
        some(&self.disks, refusal, WHAT, "no physical disk can be opened")
    }
}

/// What was read, or why nothing was.
pub(super) fn some<'a, T>(
    rows: &'a Rows<T>,
    refusal: Option<Error>,
    what: &'static str,
    none_opens: &'static str,
) -> Result<&'a Rows<T>, Error> {
    match refusal {
        _ if !rows.as_slice().is_empty() => Ok(rows),
        Some(error) if failure::is_unsupported(&error) => {
            Err(failure::absent(what, "the disks' driver keeps none"))
        }
        Some(error) => Err(error),
        None => Err(failure::absent(what, none_opens)),
    }
}

/// Opens a device to ask about it, which needs no right to read it.
fn open(path: &str) -> io::Result<File> {
    OpenOptions::new().access_mode(0).share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE).open(path)
}

fn performance(device: &File, path: &str) -> Result<DISK_PERFORMANCE, Error> {
    let mut counters = DISK_PERFORMANCE::default();
    // SAFETY: the structure is the one that this code fills.
    unsafe { ask(device, IOCTL_DISK_PERFORMANCE, &mut counters) }.map_err(|source| {
        Error::Call { call: "IOCTL_DISK_PERFORMANCE", object: path.to_owned(), source }
    })?;
    Ok(counters)
}

/// # Safety
/// `answer` is what the control code answers with; all bytes are valid in it.
unsafe fn ask<T>(device: &File, code: u32, answer: &mut T) -> io::Result<()> {
    let room = u32::try_from(size_of::<T>()).unwrap_or(u32::MAX);
    let mut written = 0;
    // SAFETY: the handle is open; the call is told the answer's size and no input.
    let done = unsafe {
        DeviceIoControl(
            device.as_raw_handle(),
            code,
            ptr::null(),
            0,
            ptr::from_mut(answer).cast::<c_void>(),
            room,
            &raw mut written,
            ptr::null_mut(),
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The letters of fixed drives, each with the number of the disk that it lies on.
fn letters_by_disk() -> Result<Vec<(u32, char)>, Error> {
    let lies_on = |letter: char| {
        let device = open(&format!(r"\\.\{letter}:")).ok()?;
        let mut number = STORAGE_DEVICE_NUMBER::default();
        // SAFETY: the structure is the one that this code fills.
        unsafe { ask(&device, IOCTL_STORAGE_GET_DEVICE_NUMBER, &mut number) }.ok()?;
        Some((number.DeviceNumber, letter))
    };
    Ok(drive::fixed_letters()?.filter_map(lies_on).collect())
}

/// The name that Windows' own counters give the disk: `0 C: D:`.
fn instance_name(number: u32, letters: &[(u32, char)]) -> String {
    let mut name = number.to_string();
    for (_, letter) in letters.iter().filter(|(disk, _)| *disk == number) {
        name.push(' ');
        name.push(*letter);
        name.push(':');
    }
    name
}

/// Time that the disk was not idle, counted from an unknown beginning, in 100 ns units: the driver
/// tells how long it was idle and when it was asked.
fn not_idle(counters: &DISK_PERFORMANCE) -> i64 {
    counters.QueryTime.saturating_sub(counters.IdleTime)
}

fn totals(counters: &DISK_PERFORMANCE, began: &mut Option<i64>) -> Disk {
    let busy = not_idle(counters);
    let since_first = busy.saturating_sub(*began.get_or_insert(busy)).max(0);

    let seconds = |ticks: i64| ticks as f64 / TICKS_PER_SECOND;
    let bytes = |count: i64| u64::try_from(count).unwrap_or_default();
    Disk {
        name: String::new(),
        reads: counters.ReadCount.into(),
        writes: counters.WriteCount.into(),
        read_bytes: bytes(counters.BytesRead),
        written_bytes: bytes(counters.BytesWritten),
        read_seconds: seconds(counters.ReadTime),
        write_seconds: seconds(counters.WriteTime),
        busy_seconds: Some(seconds(since_first)),
        queue_length: Some(counters.QueueDepth.into()),
        is_layer: false,
        ..Disk::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::windows::wine::under_wine;

    #[test]
    fn disks_are_counted_or_said_to_be_absent() {
        let mut reader = DiskReader::new(&Roots::default());
        match reader.read() {
            Ok(disks) => assert!(disks.iter().all(|disk| disk.read_seconds >= 0.0), "{disks:?}"),
            Err(error) => assert!(error.is_absent() && under_wine(), "{error}"),
        }
    }

    #[test]
    fn the_drivers_counters_are_taken_over_in_base_units() {
        let counters = DISK_PERFORMANCE {
            BytesRead: 4096,
            BytesWritten: 8192,
            ReadTime: 15_000_000,
            WriteTime: 5_000_000,
            ReadCount: 3,
            WriteCount: 4,
            QueueDepth: 2,
            ..DISK_PERFORMANCE::default()
        };
        let disk = totals(&counters, &mut None);
        assert_eq!((disk.reads, disk.writes), (3, 4));
        assert_eq!((disk.read_bytes, disk.written_bytes), (4096, 8192));
        assert_eq!((disk.read_seconds, disk.write_seconds), (1.5, 0.5));
        assert_eq!(disk.queue_length, Some(2));
    }

    #[test]
    fn a_disk_was_busy_while_it_was_not_idle() {
        let at = |time: i64, idle: i64| DISK_PERFORMANCE {
            QueryTime: 130_000_000_000_000_000 + time * 10_000_000,
            IdleTime: idle * 10_000_000,
            ..DISK_PERFORMANCE::default()
        };
        let mut began = None;
        assert_eq!(totals(&at(0, 500), &mut began).busy_seconds, Some(0.0));
        assert_eq!(totals(&at(10, 507), &mut began).busy_seconds, Some(3.0));
        assert_eq!(totals(&at(20, 517), &mut began).busy_seconds, Some(3.0));
    }

    #[test]
    fn a_disk_is_called_by_its_number_and_letters() {
        let letters = [(0, 'C'), (1, 'D'), (0, 'E')];
        assert_eq!(instance_name(0, &letters), "0 C: E:");
        assert_eq!(instance_name(2, &letters), "2");
    }
}
