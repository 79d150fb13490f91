//! `/proc/diskstats`: totals per block device.

use super::ParseError;
use super::fields::{lines, set_lossy};
use crate::readings::{Disk, DiskDetails};
use crate::rows::Rows;

/// A sector in this file, whatever the disk's own sectors are.
const SECTOR_BYTES: u64 = 512;

/// Reads the whole disks into `disks`: partitions are left out, and so are loop devices, RAM
/// disks and compressed swap that have done nothing.
///
/// # Errors
/// A line without its numbers.
pub fn parse(text: &[u8], disks: &mut Rows<Disk>) -> Result<(), ParseError> {
    disks.clear();
    each(text, |_, name, numbers| {
        if !disks.iter().any(|disk| is_partition(name, disk.name.as_bytes())) {
            fill(disks.add(), name, numbers);
        }
    })?;
    disks.retain(|disk| !is_idle_helper(disk));
    Ok(())
}

/// Reads the block devices, disks and partitions alike, that `wanted` says yes to; it is given
/// the device's number, `[major, minor]`, and its name.
///
/// # Errors
/// A line without its numbers.
pub fn parse_some(
    text: &[u8],
    wanted: impl Fn([u64; 2], &[u8]) -> bool,
    devices: &mut Rows<Device>,
) -> Result<(), ParseError> {
    devices.clear();
    each(text, |number, name, numbers| {
        if wanted(number, name) {
            let device = devices.add();
            device.number = number;
            fill(&mut device.totals, name, numbers);
        }
    })
}

/// A block device by its number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Device {
    /// `[major, minor]`
    pub number: [u64; 2],
    pub totals: Disk,
}

fn each(text: &[u8], mut take: impl FnMut([u64; 2], &[u8], &Numbers)) -> Result<(), ParseError> {
    for line in lines(text) {
        let mut words = line.words();
        let number = [words.number("a device number")?, words.number("a device number")?];
        let name = words.word("a disk's name")?;
        let mut numbers = [None; 17];
        for number in &mut numbers {
            *number = words.optional_number("a number")?;
        }
        match numbers.iter().flatten().count() {
            11.. => take(number, name, &numbers),
            // Partitions before Linux 2.6.25.
            4 => {}
            _ => return Err(line.error("eleven numbers behind the disk's name")),
        }
    }
    Ok(())
}

/// Those behind the name: eleven, with Linux 4.18 four and with 5.5 another two.
type Numbers = [Option<u64>; 17];

fn fill(disk: &mut Disk, name: &[u8], numbers: &Numbers) {
    let [
        reads,
        reads_merged,
        sectors_read,
        read_ms,
        writes,
        writes_merged,
        sectors_written,
        write_ms,
        in_flight,
        busy_ms,
        waiting_ms,
        discards,
        discards_merged,
        sectors_discarded,
        discard_ms,
        flushes,
        flush_ms,
    ] = *numbers;
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let bytes = |sectors: u64| sectors.saturating_mul(SECTOR_BYTES);
    set_lossy(&mut disk.name, name);
    disk.reads = reads.unwrap_or(0);
    disk.writes = writes.unwrap_or(0);
    disk.read_bytes = sectors_read.map_or(0, bytes);
    disk.written_bytes = sectors_written.map_or(0, bytes);
    disk.read_seconds = read_ms.map_or(0.0, seconds);
    disk.write_seconds = write_ms.map_or(0.0, seconds);
    disk.busy_seconds = busy_ms.map(seconds);
    disk.queue_length = in_flight;
    disk.more = DiskDetails {
        reads_merged,
        writes_merged,
        waiting_seconds: waiting_ms.map(seconds),
        discards,
        discards_merged,
        discarded_bytes: sectors_discarded.map(bytes),
        discard_seconds: discard_ms.map(seconds),
        flushes,
        flush_seconds: flush_ms.map(seconds),
    };
    disk.is_layer = is_layer(&disk.name);
}

/// `sda1` of `sda`, `nvme0n1p2` of `nvme0n1`; but `md12` is no partition of `md1`: a name that
/// ends with a digit takes a `p` before the partition's number. The kernel lists a disk before
/// its partitions.
fn is_partition(name: &[u8], disk: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(disk) else { return false };
    let digits = match disk.last() {
        Some(last) if last.is_ascii_digit() => rest.strip_prefix(b"p"),
        Some(_) => Some(rest),
        None => None,
    };
    digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// Names of block devices that are made of other ones, or of memory.
pub const LAYER_PREFIXES: [&str; 6] = ["bcache", "dm-", "loop", "md", "ram", "zram"];

/// Whether a device passes its data on to other disks of the list, or to memory.
pub fn is_layer(name: &str) -> bool {
    LAYER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Every kernel offers a handful of these, and hardly anyone uses them.
fn is_idle_helper(disk: &Disk) -> bool {
    let helper = ["loop", "ram", "zram"].iter().any(|prefix| disk.name.starts_with(prefix));
    helper && disk.reads == 0 && disk.writes == 0
}
