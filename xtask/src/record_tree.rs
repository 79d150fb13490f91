//! `cargo xtask record-tree`: what Barograph reads of a Linux machine, as a fixture for tests.
//!
//! The result is a tar file because names below /sys hold `:`, which a checkout on Windows refuses.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tar::{Builder, EntryType, Header};

use crate::place;

/// What is read, below `/`. A `*` stands for any name that does not start with a dot.
const PATTERNS: &[&str] = &[
    "etc/os-release",
    "proc/cpuinfo",
    "proc/diskstats",
    "proc/interrupts",
    "proc/loadavg",
    "proc/meminfo",
    "proc/net/dev",
    "proc/net/netstat",
    "proc/net/snmp",
    "proc/net/snmp6",
    "proc/net/sockstat",
    "proc/pressure/*",
    "proc/self/mountinfo",
    "proc/softirqs",
    "proc/stat",
    "proc/swaps",
    "proc/sys/fs/file-nr",
    "proc/sys/kernel/osrelease",
    "proc/uptime",
    "proc/version",
    "proc/vmstat",
    "sys/block/*/device/type",
    "sys/block/*/queue/rotational",
    "sys/block/*/ro",
    "sys/block/*/size",
    "sys/block/*/stat",
    "sys/class/hwmon/*/*_input",
    "sys/class/hwmon/*/*_label",
    "sys/class/hwmon/*/name",
    "sys/class/net/*/address",
    "sys/class/net/*/carrier",
    "sys/class/net/*/mtu",
    "sys/class/net/*/operstate",
    "sys/class/net/*/speed",
    "sys/class/net/*/statistics/*",
    "sys/class/net/*/type",
    "sys/class/thermal/*/temp",
    "sys/class/thermal/*/type",
    "sys/devices/system/cpu/*/cpufreq/*",
    "sys/devices/system/cpu/*/cpuidle/*/*",
    "sys/devices/system/cpu/*/online",
    "sys/devices/system/cpu/*/topology/*",
    "sys/devices/system/cpu/online",
    "sys/devices/system/node/*/cpulist",
    "sys/devices/system/node/*/meminfo",
];

/// Names that stand for a device itself: below it is what makes the device different.
const DEVICE_FOLDERS: &[&str] = &["sys/class/net/*/device", "sys/block/*/device"];

/// A file longer than this is not what we think it is.
const LONGEST_BYTES: u64 = 1024 * 1024;

/// Records this machine into `crates/collect/tests/trees/NAME.tar`.
pub(crate) fn run(name: &str) -> Result<()> {
    if name.is_empty()
        || !name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_'))
    {
        bail!("`{name}` is no name for a tree: use letters, digits, `-`, `_` and `.`");
    }
    let folder = place::root().join("crates/collect/tests/trees");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(format!("{name}.tar"));
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut archive = Builder::new(file);
    let recorded = record(Path::new("/"), &mut archive)
        .with_context(|| format!("cannot record into {}", path.display()))?;
    archive.finish().with_context(|| format!("cannot finish {}", path.display()))?;
    println!("{recorded} files in {}", path.display());
    Ok(())
}

/// Adds everything that matches; what cannot be read is absent there too.
fn record(root: &Path, archive: &mut Builder<impl io::Write>) -> io::Result<usize> {
    let mut recorded = 0;
    for pattern in PATTERNS {
        for path in expand(root, pattern) {
            if let Some(bytes) = read(&root.join(&path)) {
                add(archive, &path, EntryType::Regular, &bytes)?;
                recorded += 1;
            }
        }
    }
    for pattern in DEVICE_FOLDERS {
        for path in expand(root, pattern).into_iter().filter(|path| root.join(path).is_dir()) {
            add(archive, &path, EntryType::Directory, &[])?;
        }
    }
    Ok(recorded)
}

/// The paths that a pattern stands for, sorted.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.split('/') {
        found = found
            .into_iter()
            .flat_map(|path| {
                let names = if part.contains('*') {
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
    let Some((start, end)) = part.split_once('*') else { return Vec::new() };
    let mut names: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .filter(|name| {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        })
        .collect();
    names.sort();
    names
}

/// The file's content, if it is a file and may be read.
fn read(path: &Path) -> Option<Vec<u8>> {
    use io::Read;
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    // Files below /proc tell no size, so it is bounded while reading.
    File::open(path).ok()?.take(LONGEST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn add(
    archive: &mut Builder<impl io::Write>,
    path: &Path,
    kind: EntryType,
    bytes: &[u8],
) -> io::Result<()> {
    // Only name and content: a recording does not tell when or by whom it was made.
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
    archive.append_data(&mut header, path, bytes)
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    /// A folder of this test's own, gone at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, files: &[(&str, &str)]) -> Scratch {
            let root = env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Scratch(root)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn a_star_matches_within_one_name() {
        let scratch = Scratch::new(
            "star",
            &[("a/x1/input", ""), ("a/x2/other", ""), ("a/.x3/input", ""), ("a/y/input", "")],
        );
        let found = expand(&scratch.0, "a/x*/input");
        assert_eq!(found, [PathBuf::from("a/x1/input")]);
    }

    #[test]
    fn a_recording_holds_files_and_the_folders_that_mark_devices() {
        let scratch = Scratch::new(
            "record",
            &[
                ("proc/stat", "cpu 1 2 3\n"),
                ("proc/secret", "no\n"),
                ("sys/class/net/eth0/device/vendor", "0x1af4\n"),
                ("sys/class/net/eth0/mtu", "1500\n"),
            ],
        );
        let mut archive = Builder::new(Vec::new());
        assert_eq!(record(&scratch.0, &mut archive).unwrap(), 2);
        let bytes = archive.into_inner().unwrap();
        let mut read = tar::Archive::new(bytes.as_slice());
        let paths: Vec<_> = read
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(paths, ["proc/stat", "sys/class/net/eth0/mtu", "sys/class/net/eth0/device"]);
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        let error = run("../x").unwrap_err().to_string();
        assert!(error.starts_with("`../x` is no name for a tree"), "{error}");
    }
}
