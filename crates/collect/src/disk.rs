//! Disks: requests, bytes, times.

use std::sync::Arc;

use barograph_model::{Clock, Desc, Unit};

use crate::desc::{counter, gauge};
use crate::increase::{Elapsed, Increases};
use crate::platform::DiskReader;
use crate::readings::Disk;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static DISK_READS: Desc = gauge(
    "disk_reads",
    Unit::PerSecond,
    &[],
    "Reads per second since the last reading, over all disks.",
);
pub(crate) static DISK_WRITES: Desc = gauge(
    "disk_writes",
    Unit::PerSecond,
    &[],
    "Writes per second since the last reading, over all disks.",
);
pub(crate) static DISK_READ_BYTES: Desc = counter(
    "disk_read_bytes",
    Unit::Bytes,
    &[],
    "Bytes read since boot, over all disks. A disk that goes takes nothing with it.",
);
pub(crate) static DISK_WRITE_BYTES: Desc = counter(
    "disk_write_bytes",
    Unit::Bytes,
    &[],
    "Bytes written since boot, over all disks. A disk that goes takes nothing with it.",
);
pub(crate) static READS: Desc =
    counter("disk_reads_total", Unit::Count, &["disk"], "Reads completed.");
pub(crate) static WRITES: Desc =
    counter("disk_writes_total", Unit::Count, &["disk"], "Writes completed.");
pub(crate) static READ_BYTES: Desc =
    counter("disk_read_bytes_total", Unit::Bytes, &["disk"], "Bytes read.");
pub(crate) static WRITTEN_BYTES: Desc =
    counter("disk_written_bytes_total", Unit::Bytes, &["disk"], "Bytes written.");
pub(crate) static READ_SECONDS: Desc = counter(
    "disk_read_seconds_total",
    Unit::Seconds,
    &["disk"],
    "Time that reads took, summed over the reads.",
);
pub(crate) static WRITE_SECONDS: Desc = counter(
    "disk_write_seconds_total",
    Unit::Seconds,
    &["disk"],
    "Time that writes took, summed over the writes.",
);
pub(crate) static BUSY_SECONDS: Desc = counter(
    "disk_busy_seconds_total",
    Unit::Seconds,
    &["disk"],
    "Time with at least one request under way.",
);
pub(crate) static QUEUE_LENGTH: Desc =
    gauge("disk_queue_length", Unit::Count, &["disk"], "Requests under way.");

macro_rules! details {
    ($($desc:ident $name:literal $unit:ident $help:literal;)*) => {
        $(static $desc: Desc = counter($name, Unit::$unit, &["disk"], $help);)*
    };
}

details! {
    READS_MERGED "disk_reads_merged_total" Count
        "Reads that were joined with a neighbouring one before they were sent.";
    WRITES_MERGED "disk_writes_merged_total" Count
        "Writes that were joined with a neighbouring one before they were sent.";
    WAITING_SECONDS "disk_waiting_seconds_total" Seconds
        "Time that requests were under way, summed over the requests.";
    DISCARDS "disk_discards_total" Count "Orders to forget blocks (TRIM) completed.";
    DISCARDS_MERGED "disk_discards_merged_total" Count
        "Orders to forget blocks that were joined with a neighbouring one.";
    DISCARDED_BYTES "disk_discarded_bytes_total" Bytes "Bytes of blocks that were forgotten.";
    DISCARD_SECONDS "disk_discard_seconds_total" Seconds "Time that forgetting blocks took.";
    FLUSHES "disk_flushes_total" Count "Orders to write the disk's own cache completed.";
    FLUSH_SECONDS "disk_flush_seconds_total" Seconds "Time that writing the disk's own cache took.";
}

static DESCS: [&Desc; 21] = [
    &DISK_READS,
    &DISK_WRITES,
    &DISK_READ_BYTES,
    &DISK_WRITE_BYTES,
    &READS,
    &WRITES,
    &READ_BYTES,
    &WRITTEN_BYTES,
    &READ_SECONDS,
    &WRITE_SECONDS,
    &BUSY_SECONDS,
    &QUEUE_LENGTH,
    &READS_MERGED,
    &WRITES_MERGED,
    &WAITING_SECONDS,
    &DISCARDS,
    &DISCARDS_MERGED,
    &DISCARDED_BYTES,
    &DISCARD_SECONDS,
    &FLUSHES,
    &FLUSH_SECONDS,
];

/// Emits each [`Disk`], and sums over those that are no layer above other disks.
#[derive(Debug)]
pub(crate) struct DiskCollector {
    reader: DiskReader,
    clock: Arc<dyn Clock>,
    elapsed: Elapsed,
    increases: Increases<4>,
    /// Bytes read and written, over the disks that were seen.
    bytes: Option<[f64; 2]>,
}

impl DiskCollector {
    pub(crate) fn new(roots: &Roots, clock: &Arc<dyn Clock>) -> Self {
        Self {
            reader: DiskReader::new(roots),
            clock: Arc::clone(clock),
            elapsed: Elapsed::default(),
            increases: Increases::new(),
            bytes: None,
        }
    }
}

impl Collector for DiskCollector {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let disks = self.reader.read()?;
        let seconds = self.elapsed.until(self.clock.monotonic());
        self.increases.begin();
        let mut sums = [0.0; 4];
        let mut has_increase = false;
        let mut first_bytes = [0.0; 2];
        for disk in disks {
            push_disk(disk, out);
            if disk.is_layer {
                continue;
            }
            let totals =
                [disk.reads, disk.writes, disk.read_bytes, disk.written_bytes].map(|n| n as f64);
            first_bytes = [first_bytes[0] + totals[2], first_bytes[1] + totals[3]];
            if let Some(increases) = self.increases.of(&disk.name, totals) {
                has_increase = true;
                sums = std::array::from_fn(|i| sums[i] + increases[i]);
            }
        }
        let bytes = match self.bytes {
            None => first_bytes,
            Some(before) => [before[0] + sums[2], before[1] + sums[3]],
        };
        self.bytes = Some(bytes);
        if let Some(seconds) = seconds.filter(|_| has_increase) {
            out.push(&DISK_READS, &[], sums[0] / seconds);
            out.push(&DISK_WRITES, &[], sums[1] / seconds);
        }
        out.push(&DISK_READ_BYTES, &[], bytes[0]);
        out.push(&DISK_WRITE_BYTES, &[], bytes[1]);
        Ok(())
    }
}

fn push_disk(disk: &Disk, out: &mut dyn Sink) {
    let labels = [disk.name.as_str()];
    out.push(&READS, &labels, disk.reads as f64);
    out.push(&WRITES, &labels, disk.writes as f64);
    out.push(&READ_BYTES, &labels, disk.read_bytes as f64);
    out.push(&WRITTEN_BYTES, &labels, disk.written_bytes as f64);
    out.push(&READ_SECONDS, &labels, disk.read_seconds);
    out.push(&WRITE_SECONDS, &labels, disk.write_seconds);
    out.push_some(&BUSY_SECONDS, &labels, disk.busy_seconds);
    out.push_some(&QUEUE_LENGTH, &labels, disk.queue_length.map(|n| n as f64));
    let more = &disk.more;
    for (desc, value) in [
        (&READS_MERGED, more.reads_merged),
        (&WRITES_MERGED, more.writes_merged),
        (&DISCARDS, more.discards),
        (&DISCARDS_MERGED, more.discards_merged),
        (&DISCARDED_BYTES, more.discarded_bytes),
        (&FLUSHES, more.flushes),
    ] {
        out.push_some(desc, &labels, value.map(|value| value as f64));
    }
    out.push_some(&WAITING_SECONDS, &labels, more.waiting_seconds);
    out.push_some(&DISCARD_SECONDS, &labels, more.discard_seconds);
    out.push_some(&FLUSH_SECONDS, &labels, more.flush_seconds);
}
