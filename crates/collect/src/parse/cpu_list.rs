//! Lists of processors as `/sys` writes them: `0-3,8`.

use super::ParseError;
use super::fields::number;

/// More than any machine has.
const MAX_CPUS: usize = 8192;
const EXPECTED: &str = "numbers and ranges of processors, such as 0-3,8";

/// The processors of a list, in its order; none for an empty line.
///
/// # Errors
/// Something else than numbers and ranges that go up, or too many processors.
pub fn parse(text: &[u8]) -> Result<Vec<u32>, ParseError> {
    let error = || ParseError::new(1, EXPECTED, text);
    let list = text.trim_ascii();
    let mut cpus = Vec::new();
    if list.is_empty() {
        return Ok(cpus);
    }
    let cpu = |digits: &[u8]| number(digits).and_then(|n| u32::try_from(n).ok());
    for part in list.split(|b| *b == b',') {
        let mut ends = part.splitn(2, |b| *b == b'-');
        let first = ends.next().and_then(cpu).ok_or_else(error)?;
        let last = ends.next().map_or(Some(first), cpu).ok_or_else(error)?;
        let count = last.checked_sub(first).and_then(|n| usize::try_from(n).ok());
        count.filter(|count| cpus.len() + count < MAX_CPUS).ok_or_else(error)?;
        cpus.extend(first..=last);
    }
    Ok(cpus)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_ranges_are_listed() {
        assert_eq!(parse(b"0-3,8,10-11\n"), Ok(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(parse(b"0\n"), Ok(vec![0]));
        assert_eq!(parse(b"\n"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bad in ["x", "1-", "-1", "3-1", "1,,2", "0-4294967295", "1-2-3"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in "[0-9,\\-]{0,40}", bytes: Vec<u8>) {
            drop((parse(text.as_bytes()), parse(&bytes)));
        }
    }
}
