//! `/proc/swaps`: swap devices and files.

use super::ParseError;
use super::fields::{lines, unescape_into};
use crate::readings::PagingFile;
use crate::rows::Rows;

/// Reads the whole file into `files`.
///
/// # Errors
/// A line behind the heading without its numbers.
pub fn parse(text: &[u8], files: &mut Rows<PagingFile>) -> Result<(), ParseError> {
    files.clear();
    for line in lines(text).filter(|line| line.number > 1) {
        let mut words = line.words();
        let name = words.word("a file's name")?;
        let _kind = words.word("partition or file")?;
        let size = words.number("the size in kB")?;
        let used = words.number("the used kB")?;
        let file = files.add();
        file.file.clear();
        unescape_into(&mut file.file, name);
        file.size_bytes = size.saturating_mul(1024);
        file.used_bytes = used.saturating_mul(1024);
    }
    Ok(())
}
