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

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    fn length(file: &mut KeptFile) -> Result<usize, String> {
        file.read(|text| Ok(text.len())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_that_grows_is_read_whole() {
        let tree = Tree::empty().unwrap();
        let mut file = KeptFile::new(tree.path().join("file"));
        for bytes in [0, 10, 4096, 4097, 100_000, 5] {
            tree.write("file", "x".repeat(bytes)).unwrap();
            assert_eq!(length(&mut file), Ok(bytes));
        }
    }

    #[test]
    fn a_file_that_comes_back_is_opened_again() {
        let tree = Tree::empty().unwrap();
        let path = tree.path().join("file");
        let mut file = KeptFile::new(path.clone());
        let missing = Err(format!("cannot read {}", path.display()));
        assert_eq!(length(&mut file), missing);
        tree.write("file", "abc").unwrap();
        assert_eq!(length(&mut file), Ok(3));
    }

    #[test]
    fn a_file_without_end_is_given_up() {
        let mut file = KeptFile::new("/dev/zero".into());
        assert_eq!(length(&mut file), Err("/dev/zero is larger than 16777216 bytes".into()));
    }

    #[test]
    fn only_what_does_not_exist_is_absent() {
        let tree = Tree::empty().unwrap();
        let read = |name: &str| {
            let mut file = KeptFile::new(tree.path().join(name));
            file.read_if_there("a thing", "old", |_| Ok(())).unwrap_err()
        };
        assert!(read("missing").is_absent());
        tree.write("folder/file", "").unwrap();
        assert!(matches!(read("folder"), Error::Read { .. }));
    }
}
