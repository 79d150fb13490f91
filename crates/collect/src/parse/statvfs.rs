//! A recorded machine's answers to `statvfs`. Each line: mount point (blanks as `\040`), block
//! size in bytes, blocks, free blocks, blocks that ordinary users can use.

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
        let _ok = writeln!(
            text,
            " {} {} {} {}",
            space.block_bytes, space.blocks, space.free_blocks, space.available_blocks
        );
    }
    text
}
