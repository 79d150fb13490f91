//! `/proc/pressure/*`: how long threads waited for a resource.

use super::ParseError;
use super::fields::{lines, number};

/// Seconds since boot; a line that the file lacks is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stall {
    /// At least one thread waited.
    pub some: Option<f64>,
    /// All threads with work to do waited.
    pub full: Option<f64>,
}

/// Reads one of the files.
///
/// # Errors
/// A `some` or `full` line without its total.
pub fn parse(text: &[u8]) -> Result<Stall, ParseError> {
    let mut stall = Stall::default();
    for line in lines(text) {
        let mut words = line.words();
        let field = match words.word("some or full")? {
            b"some" => &mut stall.some,
            b"full" => &mut stall.full,
            _ => continue,
        };
        let mut total = None;
        while let Some(word) = words.next() {
            if let Some(digits) = word.strip_prefix(b"total=") {
                total = number(digits);
            }
        }
        let microseconds = total.ok_or_else(|| line.error("total= and microseconds"))?;
        *field = Some(microseconds as f64 / 1e6);
    }
    Ok(stall)
}
