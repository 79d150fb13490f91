//! The inventory of the last run, kept in a file: memory is put in and taken out while the machine
//! is off.
//!
//! ```text
//! barograph-inventory 1
//! [[["disk","sda"],[["model","Some Disk"]]]]
//! crc 1a2b3c4d
//! ```
//!
//! Each part with its facts, as JSON in one line. The last line has the CRC32C of all before it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::parts::{Facts, Part, Parts};

/// More is not written, and not read: some thousand parts.
const MAX_BYTES: usize = 1024 * 1024;
const HEADING: &str = "barograph-inventory 1";

/// Why a kept inventory is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeptError {
    #[error("expected {expected}")]
    Missing { expected: &'static str },
    #[error("the parts cannot be read")]
    Json(#[from] serde_json::Error),
    #[error("it is longer than {MAX_BYTES} bytes")]
    Long,
    #[error("cannot be read or written")]
    File(#[source] io::Error),
}

/// Where the inventory is kept.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
}

impl Kept {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Nothing at the first start, and where the file is damaged, which is logged.
    pub(super) fn load(&self) -> Option<Parts> {
        let parts = match read(&self.path) {
            Ok(text) => parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => Err(KeptError::File(error)),
        };
        let log = |error: &KeptError| {
            let (path, error) = (self.path.display(), crate::chain(error));
            tracing::warn!(%path, error, "kept inventory is of no use, changes since then are not told");
        };
        parts.inspect_err(log).ok()
    }

    /// As a whole or not at all.
    pub(super) fn save(&self, parts: &Parts) {
        let saved = print(parts).and_then(|text| {
            if text.len() > MAX_BYTES {
                return Err(KeptError::Long);
            }
            write(&self.path, &text).map_err(KeptError::File)
        });
        if let Err(error) = saved {
            let (path, error) = (self.path.display(), crate::chain(&error));
            tracing::warn!(%path, error, "inventory not kept, changes across a restart are not told");
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    // One more than allowed shows that it is too long.
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn print(parts: &Parts) -> Result<String, KeptError> {
    let parts: Vec<(&Part, &Facts)> = parts.iter().collect();
    let content = format!("{HEADING}\n{}\n", serde_json::to_string(&parts)?);
    let crc = crc32c::crc32c(content.as_bytes());
    Ok(format!("{content}crc {crc:08x}\n"))
}

fn parse(text: &str) -> Result<Parts, KeptError> {
    if text.len() > MAX_BYTES {
        return Err(KeptError::Long);
    }
    let end = text.rfind("crc ").ok_or(KeptError::Missing { expected: "the line `crc`" })?;
    let (content, last) = text.split_at(end);
    if last != format!("crc {:08x}\n", crc32c::crc32c(content.as_bytes())) {
        return Err(KeptError::Missing { expected: "the checksum of the lines before" });
    }
    let (heading, json) = content.split_once('\n').unwrap_or((content, ""));
    if heading != HEADING {
        return Err(KeptError::Missing { expected: HEADING });
    }
    let parts: Vec<(Part, Facts)> = serde_json::from_str(json)?;
    Ok(parts.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;
    use proptest::prelude::*;

    use super::*;

    fn parts() -> Parts {
        let facts = vec![("model".to_owned(), "Some Disk".to_owned())];
        Parts::from([(("disk".to_owned(), "sda".to_owned()), facts)])
    }

    #[test]
    fn an_inventory_is_kept_and_read_again() {
        let tree = Tree::empty().unwrap();
        let kept = Kept::new(tree.path().join("inventory"));
        assert_eq!(kept.load(), None);
        kept.save(&parts());
        assert_eq!(kept.load(), Some(parts()));
        kept.save(&Parts::new());
        assert_eq!(kept.load(), Some(Parts::new()));
        assert_eq!(fs::read_dir(tree.path()).unwrap().count(), 1);
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let text = print(&parts()).unwrap();
        assert_eq!(parse(&text).unwrap(), parts());
        for at in 0..text.len() {
            assert!(parse(text.get(..at).unwrap()).is_err(), "cut at {at}");
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(parse(&String::from_utf8(bytes).unwrap()).is_err(), "byte {at}");
        }
        let long = "x".repeat(MAX_BYTES + 1);
        assert!(matches!(parse(&long), Err(KeptError::Long)));
    }

    proptest! {
        #[test]
        fn any_texts_come_back(
            parts in prop::collection::btree_map(
                (".{0,5}|[\\t\\n\\\\r]{0,4}", ".{0,5}"),
                prop::collection::vec((".{0,5}", ".{0,5}|[\\t\\r\\n\\\\crt ]{0,9}"), 0..4),
                0..5,
            ),
        ) {
            prop_assert_eq!(parse(&print(&parts).unwrap()).unwrap(), parts);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            drop(parse(&text));
            let crc = crc32c::crc32c(text.as_bytes());
            drop(parse(&format!("{text}crc {crc:08x}\n")));
        }
    }
}
