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

pub(crate) static PEAK: Desc = gauge(
    "paging_file_peak_bytes",
    Unit::Bytes,
    &["file"],
    "The most of a paging file or swap device that was used at a reading since Barograph started.",
);

/// Emits each [`crate::readings::PagingFile`].
#[derive(Debug)]
pub(crate) struct PagingCollector {
    reader: PagingReader,
    /// By file, those that are there.
    peaks: Vec<(String, u64)>,
}

impl PagingCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: PagingReader::new(roots), peaks: Vec::new() }
    }
}

impl Collector for PagingCollector {
    fn name(&self) -> &'static str {
        "paging"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 3] = [&SIZE, &USED, &PEAK];
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let files = self.reader.read()?;
        self.peaks.retain(|(name, _)| files.iter().any(|file| file.file == *name));
        for file in files {
            let peak = peak(&mut self.peaks, &file.file, file.used_bytes);
            out.push(&SIZE, &[&file.file], file.size_bytes as f64);
            out.push(&USED, &[&file.file], file.used_bytes as f64);
            out.push(&PEAK, &[&file.file], peak as f64);
        }
        Ok(())
    }
}

/// The most that was seen of a file, with what is used now.
fn peak(peaks: &mut Vec<(String, u64)>, file: &str, used: u64) -> u64 {
    if let Some((_, peak)) = peaks.iter_mut().find(|(name, _)| name == file) {
        *peak = used.max(*peak);
        return *peak;
    }
    peaks.push((file.to_owned(), used));
    used
}
