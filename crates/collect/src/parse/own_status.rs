//! `/proc/self/status`: memory and threads of this process.

use super::ParseError;
use super::fields::lines;

/// Resident bytes and threads.
///
/// # Errors
/// A line without its number, or one of the two missing.
pub fn parse(text: &[u8]) -> Result<(u64, u64), ParseError> {
    let (mut resident_kib, mut threads) = (None, None);
    for line in lines(text) {
        let mut words = line.words();
        match words.word("a name")? {
            b"VmRSS:" => resident_kib = Some(words.number("a number of kB")?),
            b"Threads:" => threads = Some(words.number("a number of threads")?),
            _ => {}
        }
    }
    let resident_kib: u64 =
        resident_kib.ok_or_else(|| ParseError::new(1, "a line `VmRSS:`", text))?;
    let threads = threads.ok_or_else(|| ParseError::new(1, "a line `Threads:`", text))?;
    Ok((resident_kib.saturating_mul(1024), threads))
}
