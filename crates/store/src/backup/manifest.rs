//! The list of what is in a backup.
//!
//! Text, one line per file, with SHA-256 of each and of itself. It is written last and renamed
//! into place: a backup is what its manifest names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::BackupError;
use super::tree::Found;
use crate::folder::sync_dir;

const HEADING: &str = "barograph-backup 2";
/// Without the identity of the data folder.
const EARLIER_HEADING: &str = "barograph-backup 1";
/// A million files.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// One file of the data folder in the backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) sha256: String,
    pub(super) bytes: u64,
    /// How the original looked when it was copied; `-` if that says nothing.
    pub(super) stamp: String,
    /// Tells copies of one file apart, so that a new one does not overwrite the old one.
    pub(super) version: u64,
}

impl Entry {
    /// Whether it still is a copy of the file as it is now.
    pub(super) fn is_of(&self, file: &Found, now_ms: i64) -> bool {
        self.stamp != "-" && self.stamp == file.stamp(now_ms)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// When it was made, milliseconds since 1970 UTC.
    pub(super) time_ms: i64,
    /// The identity of the data folder that it is a backup of; not known of earlier versions'.
    pub(super) folder: Option<u64>,
    /// By path in the data folder, with `/` on every system.
    pub(super) entries: BTreeMap<String, Entry>,
}

/// Where a copy is below `files`.
pub(super) fn stored_name(path: &str, version: u64) -> String {
    format!("{path}~{version}")
}

impl Manifest {
    pub(super) const NAME: &'static str = "MANIFEST";

    pub(super) fn write(&self, target: &Path) -> Result<(), BackupError> {
        let path = target.join(Self::NAME);
        let new = target.join("MANIFEST.new");
        let write = || -> io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            drop(file);
            fs::rename(&new, &path)?;
            sync_dir(target)
        };
        write().map_err(BackupError::file(&path))
    }

    /// Nothing when there is none.
    pub(super) fn read(target: &Path) -> Result<Option<Self>, BackupError> {
        let path = target.join(Self::NAME);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(BackupError::File { path, source }),
        };
        let mut text = String::new();
        let read = file.take(MAX_BYTES).read_to_string(&mut text);
        match read {
            Err(error) if error.kind() != io::ErrorKind::InvalidData => {
                return Err(BackupError::File { path, source: error });
            }
            _ => {}
        }
        Self::parse(&text).map(Some).map_err(|problem| BackupError::Damaged { path, problem })
    }

    fn text(&self) -> String {
        let mut text = format!("{HEADING}\ntime_ms {}\n", self.time_ms);
        if let Some(folder) = self.folder {
            // Writing to a string cannot fail.
            writeln!(text, "folder {folder:016x}").unwrap_or_default();
        }
        for (path, entry) in &self.entries {
            let Entry { sha256, bytes, stamp, version } = entry;
            writeln!(text, "file {sha256} {bytes} {stamp} {version} {path}").unwrap_or_default();
        }
        let sum = hex(&Sha256::digest(text.as_bytes()));
        text + "sha256 " + &sum + "\n"
    }

    fn parse(text: &str) -> Result<Self, String> {
        let heading = text.lines().next().unwrap_or_default();
        let known = [HEADING, EARLIER_HEADING];
        let version = heading.strip_prefix("barograph-backup ");
        if let Some(version) = version.filter(|_| !known.contains(&heading)) {
            return Err(format!("a newer version made it (its format is {version})"));
        }
        let body = text.strip_suffix('\n').and_then(|text| text.rsplit_once('\n'));
        let (body, sum) = body.ok_or("it is cut short")?;
        let sum = sum.strip_prefix("sha256 ").ok_or("it is cut short")?;
        let hashed = format!("{body}\n");
        if !known.contains(&heading) || hex(&Sha256::digest(hashed.as_bytes())) != sum {
            return Err("its checksum does not fit".to_owned());
        }
        let mut manifest = Self::default();
        for (number, line) in body.lines().enumerate().skip(1) {
            manifest.take_line(line).ok_or_else(|| format!("line {} is not valid", number + 1))?;
        }
        Ok(manifest)
    }

    fn take_line(&mut self, line: &str) -> Option<()> {
        if let Some(time_ms) = line.strip_prefix("time_ms ") {
            self.time_ms = time_ms.parse().ok()?;
            return Some(());
        }
        if let Some(folder) = line.strip_prefix("folder ") {
            self.folder = Some(u64::from_str_radix(folder, 16).ok()?);
            return Some(());
        }
        let mut fields = line.strip_prefix("file ")?.splitn(5, ' ');
        let sha256 = fields.next()?.to_owned();
        let bytes = fields.next()?.parse().ok()?;
        let stamp = fields.next()?.to_owned();
        let version = fields.next()?.parse().ok()?;
        let path = fields.next()?;
        if !is_below(path) {
            return None;
        }
        self.entries.insert(path.to_owned(), Entry { sha256, bytes, stamp, version });
        Some(())
    }
}

/// Whether a path stays in the folder that it is joined to.
fn is_below(path: &str) -> bool {
    let path = PathBuf::from(path);
    path.components().count() > 0
        && path.components().all(|part| matches!(part, Component::Normal(_)))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry { sha256: "ab".to_owned(), bytes: 7, stamp: "7.1".to_owned(), version: 3 }
    }

    #[test]
    fn a_manifest_comes_back_and_any_change_of_it_is_noticed() {
        let entries = [("raw/a b.db".to_owned(), entry()), ("FORMAT".to_owned(), entry())];
        let manifest = Manifest { time_ms: 5, folder: Some(7), entries: entries.into() };
        let text = manifest.text();
        assert_eq!(Manifest::parse(&text), Ok(manifest));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(Manifest::parse(&changed).is_err(), "byte {at}");
            assert!(Manifest::parse(text.get(..at).unwrap()).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn paths_that_lead_out_of_the_folder_are_refused() {
        for path in ["../x", "/etc/passwd", "raw/../../x", ""] {
            let entries = [(path.to_owned(), entry())];
            let manifest = Manifest { entries: entries.into(), ..Manifest::default() };
            let text = manifest.text();
            assert_eq!(Manifest::parse(&text), Err("line 3 is not valid".to_owned()), "{path}");
        }
    }
}
