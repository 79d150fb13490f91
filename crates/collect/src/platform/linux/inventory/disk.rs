//! Disks and the labels of what is on them.

use std::fs;
use std::path::Path;

use super::{line, names, number};
use crate::readings::DiskFacts;
use crate::roots::Roots;

/// Block devices that have hardware behind them.
pub(super) fn disks(roots: &Roots, missing: &mut Vec<String>) -> Vec<DiskFacts> {
    let folder = roots.sys.join("block");
    if !folder.exists() {
        missing.push(format!("disks: {} is missing", folder.display()));
    }
    let all = names(&folder).into_iter().map(|name| (folder.join(&name), name));
    all.filter(|(path, _)| path.join("device").exists())
        .map(|(path, name)| disk(&path, name))
        // A drive without a medium has no size.
        .filter(|disk| disk.size_bytes > 0)
        .collect()
}

fn disk(path: &Path, name: String) -> DiskFacts {
    /// Whatever the disk's own sectors are.
    const SECTOR_BYTES: u64 = 512;
    let is = |file: &str| number(&path.join(file)).map(|number| number != 0);
    DiskFacts {
        name,
        model: line(&path.join("device/model")),
        serial: line(&path.join("device/serial")).or_else(|| line(&path.join("serial"))),
        size_bytes: number(&path.join("size")).unwrap_or_default().saturating_mul(SECTOR_BYTES),
        is_rotational: is("queue/rotational"),
        is_removable: is("removable"),
    }
}

/// Names of devices and the labels of their file systems.
pub(super) fn labels(roots: &Roots) -> Vec<(String, String)> {
    let folder = roots.root.join("dev/disk/by-label");
    let of = |label: String| {
        let target = fs::read_link(folder.join(&label)).ok()?;
        Some((target.file_name()?.to_string_lossy().into_owned(), unescape(&label)))
    };
    names(&folder).into_iter().filter_map(of).collect()
}

/// `\x20` is a blank.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.strip_prefix(b"x").and_then(|digits| digits.first_chunk::<2>());
        let byte = hex
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = &after[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    #[test]
    fn labels_have_their_blanks() {
        assert_eq!(unescape(r"my\x20disk\x"), r"my disk\x");
        assert_eq!(unescape(r"gr\xc3\xbcn"), "grün");
    }

    #[test]
    fn disks_are_told_from_what_has_no_hardware() {
        let tree = Tree::empty().unwrap();
        for (file, text) in [
            ("sys/block/sda/size", "2048\n"),
            ("sys/block/sda/removable", "0\n"),
            ("sys/block/sda/queue/rotational", "1\n"),
            ("sys/block/sda/device/model", "Some Disk   \n"),
            ("sys/block/sr0/size", "0\n"),
            ("sys/block/sr0/device/model", "A Drive\n"),
            ("sys/block/loop0/size", "8\n"),
        ] {
            tree.write(file, text).unwrap();
        }
        let mut missing = Vec::new();
        let found = disks(&Roots::recorded(tree.path()), &mut missing);
        let expect = DiskFacts {
            name: "sda".into(),
            model: Some("Some Disk".into()),
            serial: None,
            size_bytes: 1 << 20,
            is_rotational: Some(true),
            is_removable: Some(false),
        };
        assert_eq!((found, missing), (vec![expect], Vec::new()));
    }
}
