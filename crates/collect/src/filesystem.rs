//! Drives and local file systems: how full they are.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::platform::DriveReader;
use crate::readings::Drive;
use crate::{Collector, Error, Roots, Sink};

const GIBIBYTE: f64 = 1024.0 * 1024.0 * 1024.0;

pub(crate) static DISK_PERCENT: Desc = gauge(
    "disk_percent",
    Unit::Percent,
    &["drive"],
    "Used share of a drive, of what ordinary users can use; the system drive also without label.",
);
pub(crate) static DISK_TOTAL_GB: Desc = gauge(
    "disk_total_gb",
    Unit::Gibibytes,
    &["drive"],
    "Size of a drive, in GB of 2^30 bytes; the system drive also without label.",
);
pub(crate) static DISK_USED_GB: Desc = gauge(
    "disk_used_gb",
    Unit::Gibibytes,
    &["drive"],
    "Used part of a drive, in GB of 2^30 bytes; the system drive also without label.",
);
pub(crate) static DISK_FREE_GB: Desc = gauge(
    "disk_free_gb",
    Unit::Gibibytes,
    &["drive"],
    "What ordinary users can still write to a drive, in GB of 2^30 bytes; \
     the system drive also without label.",
);
pub(crate) static SIZE: Desc = gauge(
    "filesystem_size_bytes",
    Unit::Bytes,
    &["mountpoint", "device", "fstype"],
    "Size of a file system: of local ones, and of those that the settings name.",
);
pub(crate) static AVAILABLE: Desc = gauge(
    "filesystem_available_bytes",
    Unit::Bytes,
    &["mountpoint", "device", "fstype"],
    "What ordinary users can still write to a local file system.",
);
pub(crate) static FREE: Desc = gauge(
    "filesystem_free_bytes",
    Unit::Bytes,
    &["mountpoint", "device", "fstype"],
    "Free part of a local file system, with what is reserved for the administrator.",
);

static FILES: Desc = gauge(
    "filesystem_files",
    Unit::Count,
    &["mountpoint", "device", "fstype"],
    "Files that a local file system can hold (inodes), where it has such a limit.",
);
static FILES_FREE: Desc = gauge(
    "filesystem_files_free",
    Unit::Count,
    &["mountpoint", "device", "fstype"],
    "Files that a local file system can hold beyond those it has.",
);
static READ_ONLY: Desc = gauge(
    "filesystem_readonly",
    Unit::Count,
    &["mountpoint", "device", "fstype"],
    "1 for a local file system that cannot be written to, as after damage; else 0.",
);

static HANGS: Desc = gauge(
    "filesystem_hangs",
    Unit::Count,
    &["mountpoint", "device", "fstype"],
    "1 for a local file system that does not answer, and so has no other values; else 0.",
);

static DESCS: [&Desc; 11] = [
    &DISK_PERCENT,
    &DISK_TOTAL_GB,
    &DISK_USED_GB,
    &DISK_FREE_GB,
    &SIZE,
    &AVAILABLE,
    &FREE,
    &FILES,
    &FILES_FREE,
    &READ_ONLY,
    &HANGS,
];

/// Emits each [`Drive`].
#[derive(Debug)]
pub(crate) struct FileSystemCollector {
    reader: DriveReader,
}

impl FileSystemCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: DriveReader::new(roots) }
    }
}

impl Collector for FileSystemCollector {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    /// Drives fill in minutes, and asking them can wake or wait for a device.
    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        for drive in self.reader.read()? {
            let labels = [&*drive.mount_point, &*drive.device, &*drive.file_system];
            out.push(&HANGS, &labels, f64::from(u8::from(drive.hangs)));
            if drive.hangs {
                continue;
            }
            if drive.is_system {
                push_headlines(drive, &[], out);
            }
            push_headlines(drive, &[&drive.mount_point], out);
            out.push(&SIZE, &labels, drive.size_bytes as f64);
            out.push(&AVAILABLE, &labels, drive.available_bytes as f64);
            out.push(&FREE, &labels, drive.free_bytes as f64);
            out.push_some(&FILES, &labels, drive.files.map(|[files, _]| files as f64));
            out.push_some(&FILES_FREE, &labels, drive.files.map(|[_, free]| free as f64));
            out.push_some(
                &READ_ONLY,
                &labels,
                drive.is_read_only.map(|is| f64::from(u8::from(is))),
            );
        }
        Ok(())
    }
}

fn push_headlines(drive: &Drive, labels: &[&str], out: &mut dyn Sink) {
    let size = drive.size_bytes as f64;
    let available = drive.available_bytes as f64;
    let used = size - drive.free_bytes as f64;
    let usable = used + available;
    out.push_some(&DISK_PERCENT, labels, (usable > 0.0).then(|| 100.0 * used / usable));
    out.push(&DISK_TOTAL_GB, labels, size / GIBIBYTE);
    out.push(&DISK_USED_GB, labels, used / GIBIBYTE);
    out.push(&DISK_FREE_GB, labels, available / GIBIBYTE);
}
