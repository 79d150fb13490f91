//! `/proc/uptime`.

use super::ParseError;
use super::fields::{decimal, lines};

/// Seconds since boot.
///
/// # Errors
/// Anything but a number at the start.
pub fn parse(text: &[u8]) -> Result<f64, ParseError> {
    let expected = "the seconds since boot";
    let line = lines(text).next().ok_or_else(|| ParseError::new(1, expected, text))?;
    decimal(line.words().word(expected)?).ok_or_else(|| line.error(expected))
}
