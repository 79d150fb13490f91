//! Files of `/proc` that only their collector understands.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::ParseError;
use crate::roots::Roots;

/// One file; absent where the kernel is built without it.
#[derive(Debug)]
pub(crate) struct ProcFile(KeptFile);

impl ProcFile {
    /// A file below `/proc`.
    pub(crate) fn new(roots: &Roots, name: &str) -> Self {
        Self(KeptFile::new(roots.proc.join(name)))
    }

    /// The whole content now, through a parser.
    pub(crate) fn read<T>(
        &mut self,
        parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, Error> {
        let why = "kernel built without it, or hidden in this container";
        self.0.read_if_there("a file of the kernel", why, parse)
    }
}
