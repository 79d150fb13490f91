//! Block devices.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse;
use crate::readings::Disk;
use crate::roots::Roots;
use crate::rows::Rows;

/// Reads `/proc/diskstats`.
#[derive(Debug)]
pub(crate) struct DiskReader {
    diskstats: KeptFile,
    disks: Rows<Disk>,
}

impl DiskReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { diskstats: KeptFile::new(roots.proc.join("diskstats")), disks: Rows::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Disk>, Error> {
        self.diskstats.read_if_there("disk counters", "container or no block devices", |text| {
            parse::diskstats::parse(text, &mut self.disks)
        })?;
        Ok(&self.disks)
    }
}
