//! Paging files and swap devices.

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::platform::PagingReader;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static SIZE: Desc = gauge(
    "paging_file_size_bytes",
    Unit::Bytes,
    &["file"],
    "Size of a paging file or swap device.",
);
pub(crate) static USED: Desc = gauge(
    "paging_file_used_bytes",
    Unit::Bytes,
    &["file"],
    "Used part of a paging file or swap device.",
);

/// Emits each [`crate::readings::PagingFile`].
#[derive(Debug)]
pub(crate) struct PagingCollector {
    reader: PagingReader,
}

impl PagingCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: PagingReader::new(roots) }
    }
}

impl Collector for PagingCollector {
    fn name(&self) -> &'static str {
        "paging"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 2] = [&SIZE, &USED];
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        for file in self.reader.read()? {
            out.push(&SIZE, &[&file.file], file.size_bytes as f64);
            out.push(&USED, &[&file.file], file.used_bytes as f64);
        }
        Ok(())
    }
}
