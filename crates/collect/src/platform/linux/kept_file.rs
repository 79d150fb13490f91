//! A file of `/proc` or `/sys` that is read again and again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::Error;
use crate::parse::ParseError;

/// Stays open between the readings, which saves most of their cost: the kernel makes the content
/// anew for every read at offset 0.
#[derive(Debug)]
pub(super) struct KeptFile {
    path: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl KeptFile {
    const FIRST_BYTES: usize = 4096;
    /// The largest that makes sense, `/proc/stat` of a machine with thousands of interrupt lines
    /// or `/proc/diskstats` with ten thousand disks, is a megabyte.
    const MAX_BYTES: usize = 16 * 1024 * 1024;

    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None, buffer: Vec::new() }
    }

    /// The whole content now, through a parser.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::TooLarge`] or [`Error::Parse`]. A file that failed is opened
    /// anew at the next call.
    pub(super) fn read<T>(
        &mut self,
        parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, Error> {
        let length = self.fill().inspect_err(|_| self.file = None)?;
        parse(&self.buffer[..length])
            .map_err(|source| Error::Parse { path: self.path.clone(), source })
    }

    /// As [`KeptFile::read`]; but a file that does not exist, or that the kernel declares not to
    /// be supported, is absent, for the given reason.
    pub(super) fn read_if_there<T>(
        &mut self,
        what: &'static str,
        why: &str,
        parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, Error> {
        self.read(parse).map_err(|error| match error {
            Error::Read { path, source } if is_missing(&source) => {
                Error::Absent { what, why: format!("{} is missing ({why})", path.display()) }
            }
            error => error,
        })
    }

    fn fill(&mut self) -> Result<usize, Error> {
        let failed = |source| Error::Read { path: self.path.clone(), source };
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path).map_err(failed)?),
        };
        if self.buffer.is_empty() {
            self.buffer.resize(Self::FIRST_BYTES, 0);
        }
        let mut length = 0;
        loop {
            if length == self.buffer.len() {
                if length >= Self::MAX_BYTES {
                    return Err(Error::TooLarge {
                        path: self.path.clone(),
                        limit: Self::MAX_BYTES,
                    });
                }
                self.buffer.resize(length * 2, 0);
            }
            match file.read_at(&mut self.buffer[length..], length as u64) {
                Ok(0) => return Ok(length),
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported)
}
