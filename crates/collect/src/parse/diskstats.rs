//! `/proc/diskstats`: totals per block device.

use super::ParseError;
use super::fields::{lines, set_lossy};
use crate::readings::Disk;
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
    for line in lines(text) {
        let mut words = line.words();
        let _major = words.number("a device number")?;
        let _minor = words.number("a device number")?;
        let name = words.word("a disk's name")?;
        let mut numbers = [0_u64; 11];
        let mut count = 0;
        for number in &mut numbers {
            match words.optional_number("a number")? {
                Some(value) => *number = value,
                None => break,
            }
            count += 1;
        }
        match count {
            11 => {}
            // Partitions before Linux 2.6.25.
            4 => continue,
            _ => return Err(line.error("eleven numbers behind the disk's name")),
        }
        if disks.iter().any(|disk| is_partition(name, disk.name.as_bytes())) {
            continue;
        }
        fill(disks.add(), name, &numbers);
    }
    disks.retain(|disk| !is_idle_helper(disk));
    Ok(())
}

fn fill(disk: &mut Disk, name: &[u8], numbers: &[u64; 11]) {
    let [
        reads,
        _reads_merged,
        sectors_read,
        read_ms,
        writes,
        _writes_merged,
        sectors_written,
        write_ms,
        in_flight,
        busy_ms,
        _weighted_ms,
    ] = *numbers;
    let seconds = |ms: u64| ms as f64 / 1000.0;
    set_lossy(&mut disk.name, name);
    disk.reads = reads;
    disk.writes = writes;
    disk.read_bytes = sectors_read.saturating_mul(SECTOR_BYTES);
    disk.written_bytes = sectors_written.saturating_mul(SECTOR_BYTES);
    disk.read_seconds = seconds(read_ms);
    disk.write_seconds = seconds(write_ms);
    disk.busy_seconds = Some(seconds(busy_ms));
    disk.queue_length = Some(in_flight);
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
