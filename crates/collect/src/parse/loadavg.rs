//! `/proc/loadavg`: `0.74 0.37 0.19 1/86 9083`.

use super::ParseError;
use super::fields::{decimal, lines, number};
use crate::readings::Load;

/// The load averages, and how many threads there are.
///
/// # Errors
/// Anything else than three numbers and a fraction.
pub fn parse(text: &[u8]) -> Result<(Load, u64), ParseError> {
    let expected = "three load averages and running/all threads";
    let line = lines(text).next().ok_or_else(|| ParseError::new(1, expected, text))?;
    let mut words = line.words();
    let mut average = || words.next().and_then(decimal).ok_or_else(|| line.error(expected));
    let load = Load { one: average()?, five: average()?, fifteen: average()? };
    let mut parts = words.word(expected)?.splitn(2, |b| *b == b'/');
    match (parts.next().and_then(number), parts.next().and_then(number)) {
        (Some(_running), Some(threads)) => Ok((load, threads)),
        _ => Err(line.error(expected)),
    }
}
