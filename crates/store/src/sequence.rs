//! How far the batches of a live file go, told from beside it.
//!
//! Rows vouch for the rows before them, but nothing in the file vouches for its last ones: SQLite takes
//! a damaged journal to end before the damage, and a damaged table to be empty. So after each commit
//! its number is noted in a small file, without waiting for the disk: after a kill it is exact,
//! after a power cut it may be some seconds old, and it is never ahead of the commits.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// What the file's name has more than that of the live file.
pub(crate) const SUFFIX: &str = "-seq";
const BYTES: usize = 20;

/// `uuid u64 | next_seq i64 | crc`: the number that the next batch has.
#[derive(Debug)]
pub(crate) struct SequenceFile {
    /// `None` where it cannot be written; then nothing vouches.
    file: Option<File>,
    uuid: u64,
}

impl SequenceFile {
    pub(crate) fn open(live: &Path, uuid: u64) -> Self {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(path(live)).ok();
        Self { file, uuid }
    }

    /// After the commit, so that it never promises what is not there.
    pub(crate) fn note(&mut self, next_seq: i64) {
        let write = |file: &mut File| -> io::Result<()> {
            file.rewind()?;
            file.write_all(&encode(self.uuid, next_seq))
        };
        if self.file.as_mut().is_some_and(|file| write(file).is_err()) {
            self.file = None;
        }
    }
}

/// The number that the next batch has at least, if it is known. To be read before the file is.
pub(crate) fn read(live: &Path, uuid: u64) -> Option<i64> {
    noted(live).filter(|noted| noted.0 == uuid).map(|noted| noted.1)
}

/// Whether anything was ever committed to the file.
pub(crate) fn is_noted(live: &Path) -> bool {
    noted(live).is_some()
}

fn noted(live: &Path) -> Option<(u64, i64)> {
    let mut bytes = [0; BYTES];
    File::open(path(live)).ok()?.read_exact(&mut bytes).ok()?;
    let uuid = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    let next_seq = i64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?);
    (bytes == encode(uuid, next_seq)).then_some((uuid, next_seq))
}

fn encode(uuid: u64, next_seq: i64) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&uuid.to_le_bytes());
    bytes[8..16].copy_from_slice(&next_seq.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..16]);
    bytes[16..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

pub(crate) fn path(live: &Path) -> PathBuf {
    let mut path = live.as_os_str().to_owned();
    path.push(SUFFIX);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_comes_back_for_its_own_file_only_and_damage_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let live = dir.path().join("x.db");
        assert_eq!(read(&live, 7), None);
        let mut file = SequenceFile::open(&live, 7);
        file.note(5);
        file.note(6);
        assert_eq!((read(&live, 7), read(&live, 8)), (Some(6), None));
        let bytes = std::fs::read(path(&live)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(path(&live), flipped).unwrap();
            assert_eq!(read(&live, 7), None);
        }
    }
}
