//! `/proc/PID/status`: the owner of a process, and its memory in detail.

use super::ParseError;
use super::fields::{self, Line};

/// What Barograph takes from the file. Threads of the kernel have no memory of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PidStatus {
    /// Effective user.
    pub uid: Option<u32>,
    /// The largest that the memory in use has been.
    pub peak_resident_bytes: Option<u64>,
    /// Memory in use that no file stands behind.
    pub anonymous_bytes: Option<u64>,
    pub swap_bytes: Option<u64>,
}

/// # Errors
/// The line that makes no sense.
pub fn parse(text: &[u8]) -> Result<PidStatus, ParseError> {
    let mut status = PidStatus::default();
    for line in fields::lines(text) {
        let Some(colon) = line.text.iter().position(|b| *b == b':') else { continue };
        match &line.text[..colon] {
            b"Uid" => status.uid = Some(effective_id(line)?),
            b"VmHWM" => status.peak_resident_bytes = Some(bytes(line)?),
            b"RssAnon" => status.anonymous_bytes = Some(bytes(line)?),
            b"VmSwap" => status.swap_bytes = Some(bytes(line)?),
            _ => {}
        }
    }
    Ok(status)
}

fn effective_id(line: Line<'_>) -> Result<u32, ParseError> {
    const EXPECTED: &str = "the real and the effective user's number";
    let mut words = line.words();
    words.next();
    words.number(EXPECTED)?;
    u32::try_from(words.number(EXPECTED)?).map_err(|_| line.error(EXPECTED))
}

fn bytes(line: Line<'_>) -> Result<u64, ParseError> {
    let mut words = line.words();
    words.next();
    Ok(words.number("a number of kB")?.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn owner_and_memory_are_found() {
        let text = b"Name:\tnginx: x\nUid:\t0\t33\t33\t33\nVmHWM:\t    20 kB\nRssAnon:\t 8 kB\n\
                     VmSwap:\t       4 kB\n";
        let expect = PidStatus {
            uid: Some(33),
            peak_resident_bytes: Some(20_480),
            anonymous_bytes: Some(8192),
            swap_bytes: Some(4096),
        };
        assert_eq!(parse(text), Ok(expect));
    }

    #[test]
    fn threads_of_the_kernel_have_no_memory() {
        let found = parse(b"Name:\tkthreadd\nUid:\t0\t0\t0\t0\n").unwrap();
        assert_eq!(found, PidStatus { uid: Some(0), ..PidStatus::default() });
    }

    #[test]
    fn the_broken_line_is_named() {
        assert_eq!(
            parse(b"Name:\tx\nUid:\t0\n").unwrap_err().to_string(),
            "line 2: expected the real and the effective user's number, found `Uid: 0`"
        );
        assert_eq!(
            parse(b"VmSwap: many kB\n").unwrap_err().to_string(),
            "line 1: expected a number of kB, found `VmSwap: many kB`"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            name in prop::sample::select(vec!["", "Uid:", "VmSwap:\t", "VmHWM: 1"]),
            text in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            drop(parse(&[name.as_bytes(), &text].concat()));
        }
    }
}
