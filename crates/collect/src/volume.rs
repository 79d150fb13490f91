//! Requests to the block devices below mounted file systems. Only what is mounted has series: a
//! server with a hundred partitions does not have a thousand of them for that.

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::platform::VolumeReader;
use crate::{Collector, Error, Roots, Sink};

macro_rules! totals {
    ($($desc:ident $name:literal $unit:ident $help:literal;)*) => {
        $(pub(crate) static $desc: Desc = counter($name, Unit::$unit, &["mountpoint"], $help);)*
    };
}

totals! {
    READS "filesystem_reads_total" Count "Reads of the device below a file system.";
    WRITES "filesystem_writes_total" Count "Writes to the device below a file system.";
    READ_BYTES "filesystem_read_bytes_total" Bytes "Bytes read of the device below a file system.";
    WRITTEN_BYTES "filesystem_written_bytes_total" Bytes
        "Bytes written to the device below a file system.";
    READ_SECONDS "filesystem_read_seconds_total" Seconds
        "Time that reads of the device below a file system took, summed over the reads.";
    WRITE_SECONDS "filesystem_write_seconds_total" Seconds
        "Time that writes to the device below a file system took, summed over the writes.";
    BUSY_SECONDS "filesystem_busy_seconds_total" Seconds
        "Time in which the device below a file system had at least one request under way.";
}
pub(crate) static QUEUE_LENGTH: Desc = gauge(
    "filesystem_queue_length",
    Unit::Count,
    &["mountpoint"],
    "Requests under way at the device below a file system.",
);

/// Emits each [`crate::readings::Volume`].
#[derive(Debug)]
pub(crate) struct VolumeCollector(VolumeReader);

impl VolumeCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(VolumeReader::new(roots))
    }
}

impl Collector for VolumeCollector {
    fn name(&self) -> &'static str {
        "volume"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 8] = [
            &READS,
            &WRITES,
            &READ_BYTES,
            &WRITTEN_BYTES,
            &READ_SECONDS,
            &WRITE_SECONDS,
            &BUSY_SECONDS,
            &QUEUE_LENGTH,
        ];
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        for volume in self.0.read()? {
            let (labels, device) = ([volume.mount_point.as_str()], &volume.device);
            out.push(&READS, &labels, device.reads as f64);
            out.push(&WRITES, &labels, device.writes as f64);
            out.push(&READ_BYTES, &labels, device.read_bytes as f64);
            out.push(&WRITTEN_BYTES, &labels, device.written_bytes as f64);
            out.push(&READ_SECONDS, &labels, device.read_seconds);
            out.push(&WRITE_SECONDS, &labels, device.write_seconds);
            out.push_some(&BUSY_SECONDS, &labels, device.busy_seconds);
            out.push_some(&QUEUE_LENGTH, &labels, device.queue_length.map(|n| n as f64));
        }
        Ok(())
    }
}
