//! Swap devices and files.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse;
use crate::readings::PagingFile;
use crate::roots::Roots;
use crate::rows::Rows;

/// Reads `/proc/swaps`.
#[derive(Debug)]
pub(crate) struct PagingReader {
    swaps: KeptFile,
    files: Rows<PagingFile>,
}

impl PagingReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { swaps: KeptFile::new(roots.proc.join("swaps")), files: Rows::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<PagingFile>, Error> {
        self.swaps.read_if_there("the list of paging files", "kernel without swap", |text| {
            parse::swaps::parse(text, &mut self.files)
        })?;
        Ok(&self.files)
    }
}
