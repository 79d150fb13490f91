//! `/proc/PID/stat`: one process in one line.

use super::ParseError;
use super::fields::{Line, Words};

/// One process, in the kernel's units: 100 ticks a second, pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PidStat<'a> {
    pub pid: u32,
    /// What the program calls itself, at most 15 bytes of any kind.
    pub name: &'a [u8],
    /// `R`, `S`, `D`, `Z`, `T`, …
    pub state: u8,
    pub parent: u32,
    pub minor_faults: u64,
    pub major_faults: u64,
    pub user_ticks: u64,
    pub system_ticks: u64,
    /// 20 plus the nice value; below zero for real-time threads.
    pub priority: i64,
    pub threads: u64,
    /// Since boot.
    pub start_ticks: u64,
    pub virtual_bytes: u64,
    pub resident_pages: u64,
}

const STATE: &str = "a process's number, its name in brackets, and its state";
const NUMBERS: &str = "24 fields or more";

/// The name may hold blanks, brackets and line ends: it ends at the last bracket.
///
/// # Errors
/// The line, if it does not have the form of the kernel.
pub fn parse(text: &[u8]) -> Result<PidStat<'_>, ParseError> {
    let line = Line { number: 1, text };
    let broken = || line.error(STATE);
    let open = text.iter().position(|b| *b == b'(').ok_or_else(broken)?;
    let close = text.iter().rposition(|b| *b == b')').filter(|c| *c > open).ok_or_else(broken)?;
    let pid = super::fields::number(text[..open].trim_ascii()).ok_or_else(broken)?;
    let mut words = Words::of_part(line, &text[close + 1..]);
    let state = match words.next() {
        Some([state]) => *state,
        _ => return Err(broken()),
    };
    let parent = words.number(NUMBERS)?;
    skip(&mut words, 5);
    let minor_faults = words.number(NUMBERS)?;
    skip(&mut words, 1);
    let major_faults = words.number(NUMBERS)?;
    skip(&mut words, 1);
    let user_ticks = words.number(NUMBERS)?;
    let system_ticks = words.number(NUMBERS)?;
    skip(&mut words, 2);
    let priority = words.word(NUMBERS)?;
    let priority = std::str::from_utf8(priority).ok().and_then(|text| text.parse().ok());
    skip(&mut words, 1);
    let threads = words.number(NUMBERS)?;
    skip(&mut words, 1);
    let start_ticks = words.number(NUMBERS)?;
    let virtual_bytes = words.number(NUMBERS)?;
    // The kernel prints this one signed.
    let resident_pages = super::fields::number(words.word(NUMBERS)?).unwrap_or(0);
    Ok(PidStat {
        pid: u32::try_from(pid).map_err(|_| broken())?,
        name: &text[open + 1..close],
        state,
        parent: u32::try_from(parent).map_err(|_| line.error(NUMBERS))?,
        minor_faults,
        major_faults,
        user_ticks,
        system_ticks,
        priority: priority.ok_or_else(|| line.error(NUMBERS))?,
        threads,
        start_ticks,
        virtual_bytes,
        resident_pages,
    })
}

fn skip(words: &mut Words<'_>, count: usize) {
    for _ in 0..count {
        words.next();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(name: &[u8]) -> Vec<u8> {
        let mut text = b"4321 (".to_vec();
        text.extend_from_slice(name);
        text.extend_from_slice(
            b") S 17 4321 4321 0 -1 4194560 500 9000 7 80 120 45 3 2 20 0 5 0 987654 1048576 256 \
              18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
        );
        text
    }

    #[test]
    fn every_field_is_in_its_place() {
        let text = line(b"nginx");
        let expect = PidStat {
            pid: 4321,
            name: b"nginx",
            state: b'S',
            parent: 17,
            minor_faults: 500,
            major_faults: 7,
            user_ticks: 120,
            system_ticks: 45,
            priority: 20,
            threads: 5,
            start_ticks: 987_654,
            virtual_bytes: 1_048_576,
            resident_pages: 256,
        };
        assert_eq!(parse(&text), Ok(expect));
    }

    #[test]
    fn names_are_of_any_bytes() {
        for name in [&b"a b"[..], b"((sd-pam))", b") R 1 (", b"two\nlines", b"\xff\xfe", b""] {
            let text = line(name);
            let found = parse(&text).unwrap();
            assert_eq!((found.name, found.parent, found.threads), (name, 17, 5));
        }
    }

    #[test]
    fn real_time_priorities_are_below_zero() {
        let text =
            String::from_utf8(line(b"migration/0")).unwrap().replace(" 20 0 5 ", " -100 0 5 ");
        assert_eq!(parse(text.as_bytes()).unwrap().priority, -100);
    }

    #[test]
    fn a_broken_line_is_shown() {
        for (text, expect) in [
            (
                &b""[..],
                "line 1: expected a process's number, its name in brackets, and its state, found ``",
            ),
            (b"1 (a) S 2 3", "line 1: expected 24 fields or more, found `1 (a) S 2 3`"),
            (
                b"1 a S",
                "line 1: expected a process's number, its name in brackets, and its state, found `1 a S`",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), expect);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..300)) {
            drop(parse(&text));
        }

        #[test]
        fn no_name_hides_the_fields(name in prop::collection::vec(any::<u8>(), 0..40)) {
            let text = line(&name);
            let found = parse(&text).unwrap();
            prop_assert_eq!((found.pid, found.name, found.start_ticks), (4321, &name[..], 987_654));
        }
    }
}
