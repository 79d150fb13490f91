//! Records what Barograph reads of a Linux machine, as a tree for tests.

mod files;
mod scrub;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use files::{FOLDERS, LINKS, patterns};
use scrub::scrub;

/// A file longer than this is not what we think it is.
const LONGEST_BYTES: u64 = 1024 * 1024;

/// Writes a machine's moments into a tar file.
pub struct Recorder<W: io::Write>(Builder<W>);

impl<W: io::Write> fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// Whether a path below `/` is one that is recorded, or a folder on the way to one.
pub fn is_recorded(path: &str) -> bool {
    let all = FOLDERS.iter().chain(LINKS).map(|pattern| (*pattern).to_owned()).chain(patterns());
    let is_on_the_way = |pattern: String| {
        let mut parts = pattern.split('/');
        path.trim_end_matches('/')
            .split('/')
            .all(|name| parts.next().is_some_and(|part| matches(name, part)))
    };
    all.chain(["statvfs".to_owned()]).any(is_on_the_way)
}

impl<W: io::Write> Recorder<W> {
    /// Into a tar file.
    pub fn new(into: W) -> Self {
        Self(Builder::new(into))
    }

    /// Adds everything that is read below `root`, into a folder; what cannot be read is absent
    /// there too. Tells how many files that were.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub fn add_moment(&mut self, root: &Path, moment: &str, statvfs: &str) -> io::Result<usize> {
        let moment = Path::new(moment);
        let mut recorded = Vec::new();
        for path in patterns().flat_map(|pattern| expand(root, &pattern)) {
            if let Some(bytes) = read(&root.join(&path)) {
                self.add(&moment.join(&path), EntryType::Regular, &scrubbed(&path, bytes))?;
                recorded.push(path);
            }
        }
        for path in FOLDERS.iter().flat_map(|pattern| expand(root, pattern)) {
            if root.join(&path).is_dir() {
                self.add(&moment.join(path), EntryType::Directory, &[])?;
            }
        }
        for path in LINKS.iter().flat_map(|pattern| expand(root, pattern)) {
            if let Ok(target) = fs::read_link(root.join(&path))
                && !recorded.iter().any(|file| file.starts_with(&path))
            {
                let mut header = header(EntryType::Symlink, 0);
                self.0.append_link(&mut header, moment.join(path), target)?;
            }
        }
        let path = Path::new("statvfs");
        let statvfs = scrubbed(path, statvfs.as_bytes().to_vec());
        self.add(&moment.join(path), EntryType::Regular, &statvfs)?;
        Ok(recorded.len())
    }

    /// Writes the end.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner()
    }

    fn add(&mut self, path: &Path, kind: EntryType, bytes: &[u8]) -> io::Result<()> {
        self.0.append_data(&mut header(kind, bytes.len()), path, bytes)
    }
}

/// Only what it is: a recording does not tell when or by whom it was made.
fn header(kind: EntryType, bytes: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes as u64);
    header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
    header
}

fn scrubbed(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    scrub(&path.to_string_lossy(), bytes)
}

/// The paths that a pattern stands for, sorted.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.split('/') {
        found = found
            .into_iter()
            .flat_map(|path| {
                let names = if part.contains(['*', '#']) {
                    list(&root.join(&path), part)
                } else {
                    vec![part.to_owned()]
                };
                names.into_iter().map(move |name| path.join(name))
            })
            .filter(|path| root.join(path).exists())
            .collect();
    }
    found
}

fn list(folder: &Path, part: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| matches(name, part))
        .collect();
    names.sort();
    names
}

fn matches(name: &str, part: &str) -> bool {
    if let Some(start) = part.strip_suffix('#') {
        let number = name.strip_prefix(start).unwrap_or_default();
        return !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    let Some((start, end)) = part.split_once('*') else { return name == part };
    !name.starts_with('.')
        && name.len() >= start.len() + end.len()
        && name.starts_with(start)
        && name.ends_with(end)
}

/// The file's content, if it is a file and may be read.
fn read(path: &Path) -> Option<Vec<u8>> {
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    // Files below /proc tell no size, so it is bounded while reading.
    File::open(path).ok()?.take(LONGEST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tree;

    #[test]
    fn a_star_matches_within_one_name() {
        let tree = Tree::empty().unwrap();
        for path in ["a/x1/input", "a/x2/other", "a/.x3/input", "a/y/input"] {
            tree.write(path, "").unwrap();
        }
        assert_eq!(expand(tree.path(), "a/x*/input"), [PathBuf::from("a/x1/input")]);
        assert!(matches("17", "#") && !matches("17a", "#"));
        assert!(matches("cpu17", "cpu#") && !matches("cpufreq", "cpu#") && !matches("cpu", "cpu#"));
    }

    #[test]
    fn what_is_recorded_is_known_with_the_folders_on_the_way() {
        for path in
            ["proc/stat", "proc", "sys/class/hwmon/hwmon3/temp1_input", "proc/17", "statvfs"]
        {
            assert!(is_recorded(path), "{path}");
        }
        assert!(is_recorded("sys/fs/cgroup/system.slice/a.service/memory.max"));
        assert!(is_recorded("sys/fs/cgroup/memory/memory.limit_in_bytes"));
        for path in ["proc/stat/x", "proc/17/status", "proc/net/arp", "etc/passwd"] {
            assert!(!is_recorded(path), "{path}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_recording_holds_files_folders_and_links_that_matter_and_no_name() {
        let tree = Tree::empty().unwrap();
        for (path, text) in [
            ("proc/17/status", "secret\n"),
            ("proc/self/mountinfo", "28 27 8:2 / /mnt/secret rw - ext4 x rw\n"),
            ("proc/stat", "cpu 1 2 3\n"),
            ("proc/sys/kernel/hostname", "secret\n"),
            ("sys/class/hwmon/hwmon0/name", "nct6775\n"),
            ("sys/class/hwmon/hwmon1/device/name", "w83627hf\n"),
            ("sys/class/nct6775.656/modalias", "x\n"),
            ("sys/class/net/eth0/device/vendor", "0x1af4\n"),
            ("sys/class/net/eth0/speed", "1000\n"),
        ] {
            tree.write(path, text).unwrap();
        }
        let link = tree.path().join("sys/class/hwmon/hwmon0/device");
        std::os::unix::fs::symlink("../../nct6775.656", link).unwrap();
        let mut recorder = Recorder::new(Vec::new());
        assert_eq!(recorder.add_moment(tree.path(), "1", "/ 4096 3 2 1\n").unwrap(), 6);
        let bytes = recorder.finish().unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
        let mut read = tar::Archive::new(bytes.as_slice());
        let paths: Vec<_> = read
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        let expected = [
            "1/proc/self/mountinfo",
            "1/proc/stat",
            "1/proc/sys/kernel/hostname",
            "1/sys/class/hwmon/hwmon1/device/name",
            "1/sys/class/hwmon/hwmon0/name",
            "1/sys/class/net/eth0/speed",
            "1/proc/17",
            "1/sys/class/hwmon",
            "1/sys/class/net/eth0/device",
            "1/sys/class/hwmon/hwmon0/device",
            "1/statvfs",
        ];
        assert_eq!(paths, expected);
    }
}
