//! A recorded machine's answers to `statvfs`. Each line: mount point (blanks as `\040`), block
//! size in bytes, blocks, free blocks, blocks that ordinary users can use; then files, free files
//! and `ro` or `rw`, which older recordings lack.

use std::fmt::Write;

use super::ParseError;
use super::fields::{lines, unescape_into};

/// How full one file system is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Space {
    pub mount_point: String,
    pub block_bytes: u64,
    pub blocks: u64,
    pub free_blocks: u64,
    pub available_blocks: u64,
    /// Files that it can hold and those that it could still; nothing where it has no such limit.
    pub files: Option<[u64; 2]>,
    pub is_read_only: Option<bool>,
}

/// Reads a recorded table.
///
/// # Errors
/// A line without its numbers.
pub fn parse(text: &[u8]) -> Result<Vec<Space>, ParseError> {
    lines(text)
        .map(|line| {
            let mut words = line.words();
            let mut space = Space::default();
            unescape_into(&mut space.mount_point, words.word("a mount point")?);
            space.block_bytes = words.number("the bytes of a block")?;
            space.blocks = words.number("a number of blocks")?;
            space.free_blocks = words.number("the free blocks")?;
            space.available_blocks = words.number("the available blocks")?;
            let files = words.optional_number("a number of files")?;
            let free = words.optional_number("the free files")?;
            space.files = files.zip(free).filter(|(files, _)| *files > 0).map(<[u64; 2]>::from);
            space.is_read_only = words.next().map(|word| word == b"ro");
            Ok(space)
        })
        .collect()
}

/// Writes what [`parse`] reads.
pub fn print(spaces: &[Space]) -> String {
    let mut text = String::new();
    for space in spaces {
        for c in space.mount_point.chars() {
            // Writing to a string cannot fail.
            let _ok = match c {
                ' ' | '\t' | '\n' | '\\' => write!(text, "\\{:03o}", u32::from(c)),
                c => write!(text, "{c}"),
            };
        }
        let _ok = write!(
            text,
            " {} {} {} {}",
            space.block_bytes, space.blocks, space.free_blocks, space.available_blocks
        );
        if let Some(is_read_only) = space.is_read_only {
            let [files, free] = space.files.unwrap_or_default();
            let _ok = write!(text, " {files} {free} {}", if is_read_only { "ro" } else { "rw" });
        }
        text.push('\n');
    }
    text
}
