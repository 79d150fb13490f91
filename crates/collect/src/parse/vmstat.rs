//! `/proc/vmstat`: what the memory manager counts.

use super::ParseError;
use super::fields::lines;
use crate::readings::Memory;

/// Reads the paging totals into `memory`.
///
/// # Errors
/// A known line without its number.
pub fn parse(text: &[u8], memory: &mut Memory) -> Result<(), ParseError> {
    memory.page_faults = None;
    memory.major_page_faults = None;
    memory.swap_in_pages = None;
    memory.swap_out_pages = None;
    memory.cache_refaults = None;
    for line in lines(text) {
        let mut words = line.words();
        let field = match words.word("a name")? {
            b"pgfault" => &mut memory.page_faults,
            b"pgmajfault" => &mut memory.major_page_faults,
            b"pswpin" => &mut memory.swap_in_pages,
            b"pswpout" => &mut memory.swap_out_pages,
            // The second name is that of kernels before 5.9, where only files were counted.
            b"workingset_refault_file" | b"workingset_refault" => &mut memory.cache_refaults,
            _ => continue,
        };
        *field = Some(words.number("a number of events")?);
    }
    Ok(())
}
