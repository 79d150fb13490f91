//! `/proc/PID/io`: what a process has read and written.

use super::ParseError;
use super::fields;
use crate::process::IoTotals;

/// Totals of the calls that read and write, whatever they go to and whether or not a disk had to
/// be asked: the same that Windows counts.
///
/// # Errors
/// The line that makes no sense, or the file's start if one of the totals is missing.
pub fn parse(text: &[u8]) -> Result<IoTotals, ParseError> {
    let [mut read_bytes, mut written_bytes, mut reads, mut writes] = [None; 4];
    for line in fields::lines(text) {
        let mut words = line.words();
        let total = match words.next() {
            Some(b"rchar:") => &mut read_bytes,
            Some(b"wchar:") => &mut written_bytes,
            Some(b"syscr:") => &mut reads,
            Some(b"syscw:") => &mut writes,
            _ => continue,
        };
        *total = Some(words.number("a number of bytes or calls")?);
    }
    let missing = || ParseError::new(1, "lines rchar:, wchar:, syscr: and syscw:", text);
    Ok(IoTotals {
        read_bytes: read_bytes.ok_or_else(missing)?,
        written_bytes: written_bytes.ok_or_else(missing)?,
        reads: reads.ok_or_else(missing)?,
        writes: writes.ok_or_else(missing)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IO: &str = "rchar: 4096\nwchar: 512\nsyscr: 3\nsyscw: 2\nread_bytes: 0\nwrite_bytes: 0\n";

    #[test]
    fn calls_and_their_bytes_are_found() {
        let expect = IoTotals { read_bytes: 4096, written_bytes: 512, reads: 3, writes: 2 };
        assert_eq!(parse(IO.as_bytes()), Ok(expect));
    }

    #[test]
    fn the_broken_line_is_named() {
        assert_eq!(
            parse(b"rchar: 1\nwchar: x\n").unwrap_err().to_string(),
            "line 2: expected a number of bytes or calls, found `wchar: x`"
        );
        assert_eq!(
            parse(b"rchar: 1\n").unwrap_err().to_string(),
            "line 1: expected lines rchar:, wchar:, syscr: and syscw:, found `rchar: 1 `"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(cut in 0..IO.len(), text in prop::collection::vec(any::<u8>(), 0..99)) {
            drop(parse(&[&IO.as_bytes()[..cut], &text].concat()));
        }
    }
}
