//! Files of control groups, of both versions.

use super::ParseError;
use super::fields::{lines, number};

/// A limit, such as `memory.max` or `memory.limit_in_bytes`; nothing for none.
///
/// # Errors
/// It is neither a number nor `max`.
pub fn limit(text: &[u8]) -> Result<Option<u64>, ParseError> {
    /// The first version writes its largest number of pages; nobody has an exbibyte.
    const NONE: u64 = 1 << 60;
    let word = text.trim_ascii();
    if word == b"max" || word == b"-1" {
        return Ok(None);
    }
    let limit = number(word).ok_or_else(|| ParseError::new(1, "a number or `max`", text))?;
    Ok(Some(limit).filter(|limit| *limit < NONE))
}

/// How many processors `cpu.max` allows: a quota and a period in microseconds.
///
/// # Errors
/// It is not of that form.
pub fn cpu_max(text: &[u8]) -> Result<Option<f64>, ParseError> {
    let expected = || ParseError::new(1, "a quota or `max`, and a period", text);
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (quota, period) = (words.next().ok_or_else(expected)?, words.next().ok_or_else(expected)?);
    let period = number(period).filter(|period| *period > 0).ok_or_else(expected)?;
    if quota == b"max" {
        return Ok(None);
    }
    let quota = number(quota).ok_or_else(expected)?;
    Ok(Some(quota as f64 / period as f64))
}

/// Bytes read and written, over all devices, from `io.stat` (`8:0 rbytes=1 wbytes=2 …`) or
/// `blkio.throttle.io_service_bytes` (`8:0 Read 1`). What is unknown is passed over.
pub fn io_bytes(text: &[u8]) -> [u64; 2] {
    let mut bytes = [0_u64; 2];
    let mut add = |place: usize, value: Option<u64>| {
        bytes[place] = bytes[place].saturating_add(value.unwrap_or(0));
    };
    for line in lines(text) {
        let mut words = line.words();
        words.next();
        while let Some(word) = words.next() {
            if let Some(value) = word.strip_prefix(b"rbytes=") {
                add(0, number(value));
            } else if let Some(value) = word.strip_prefix(b"wbytes=") {
                add(1, number(value));
            } else if word == b"Read" {
                add(0, words.next().and_then(number));
            } else if word == b"Write" {
                add(1, words.next().and_then(number));
            }
        }
    }
    bytes
}

/// The group's path in a hierarchy, from `/proc/PID/cgroup`; the only hierarchy of the second
/// version has the empty name.
pub fn path_in(text: &[u8], hierarchy: &str) -> Option<String> {
    text.split(|b| *b == b'\n').find_map(|line| {
        let mut parts = line.splitn(3, |b| *b == b':');
        let (_number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let is_it = controllers.split(|b| *b == b',').any(|name| name == hierarchy.as_bytes());
        is_it.then(|| String::from_utf8_lossy(path).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_are_numbers_or_none() {
        assert_eq!(limit(b"268435456\n"), Ok(Some(268_435_456)));
        assert_eq!(limit(b"max\n"), Ok(None));
        assert_eq!(limit(b"-1\n"), Ok(None));
        assert_eq!(limit(b"9223372036854771712\n"), Ok(None));
        let expect = "line 1: expected a number or `max`, found `much `";
        assert_eq!(limit(b"much\n").unwrap_err().to_string(), expect);
    }

    #[test]
    fn a_quota_is_a_number_of_processors() {
        assert_eq!(cpu_max(b"150000 100000\n"), Ok(Some(1.5)));
        assert_eq!(cpu_max(b"max 100000\n"), Ok(None));
        assert!(cpu_max(b"1 0\n").is_err());
        assert!(cpu_max(b"5\n").is_err());
    }

    #[test]
    fn bytes_are_added_up_over_devices() {
        let second =
            b"8:0 rbytes=10 wbytes=5 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2\n";
        assert_eq!(io_bytes(second), [11, 7]);
        let first = b"8:0 Read 10\n8:0 Write 5\n8:0 Sync 15\n8:16 Read 1\nTotal 16\n";
        assert_eq!(io_bytes(first), [11, 5]);
    }

    #[test]
    fn the_path_depends_on_the_hierarchy() {
        let text = b"4:memory:/a\n2:cpu,cpuacct:/b\n0::/c:d\n";
        assert_eq!(path_in(text, "cpuacct").as_deref(), Some("/b"));
        assert_eq!(path_in(text, "").as_deref(), Some("/c:d"));
        assert_eq!(path_in(text, "pids"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            limit(&text).ok();
            cpu_max(&text).ok();
            io_bytes(&text);
            path_in(&text, "memory");
        }

        #[test]
        fn no_io_text_makes_it_panic(text in "(8:0( Read| rbytes=| Write| [0-9]{1,21}){0,4}\n?){0,4}") {
            io_bytes(text.as_bytes());
        }
    }
}
