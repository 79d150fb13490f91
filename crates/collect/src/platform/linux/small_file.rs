//! Small files of `/sys`, one value each, that are read now and then.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

const MAX_BYTES: usize = 4096;

/// The content without blanks around it; nothing if the file is not there, cannot be read, or is
/// no text. Drivers refuse to read what their device does not tell.
pub(super) fn text(path: &Path) -> Option<String> {
    // With room for all of it: for a text that grows as it is read, the system is asked at 32
    // bytes, at 64, and so on.
    let mut text = String::with_capacity(MAX_BYTES);
    File::open(path).ok()?.take(MAX_BYTES as u64).read_to_string(&mut text).ok()?;
    text.truncate(text.trim_end().len());
    text.shrink_to_fit();
    Some(text)
}

/// The content as a number.
pub(super) fn number<T: std::str::FromStr>(path: &Path) -> Option<T> {
    text(path)?.trim_start().parse().ok()
}

/// The numbers of a folder's entries whose names are `prefix` and a number, in order: of
/// `thermal_zone0` and `thermal_zone12`.
pub(super) fn numbered(folder: &Path, prefix: &str) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut numbers: Vec<u32> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let digits = name.to_str()?.strip_prefix(prefix)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    #[test]
    fn values_are_read_and_what_is_none_is_absent() {
        let tree = Tree::empty().unwrap();
        tree.write("n", " 42\n").unwrap();
        tree.write("bad", b"\xff\n").unwrap();
        tree.write("word", "x y\n").unwrap();
        let path = |name: &str| tree.path().join(name);
        assert_eq!(number::<u64>(&path("n")), Some(42));
        assert_eq!(number::<u64>(&path("word")), None);
        assert_eq!(text(&path("word")).as_deref(), Some("x y"));
        assert_eq!((text(&path("bad")), text(&path("none"))), (None, None));
    }

    #[test]
    fn entries_are_listed_in_the_order_of_their_numbers() {
        let tree = Tree::empty().unwrap();
        for name in ["cpu10", "cpu2", "cpufreq", "cpu", "xcpu3", "cpu1-x"] {
            tree.write(&format!("{name}/x"), "").unwrap();
        }
        assert_eq!(numbered(tree.path(), "cpu"), [2, 10]);
        assert_eq!(numbered(&tree.path().join("none"), "cpu"), [0; 0]);
    }
}
