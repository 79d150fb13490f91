//! What the kernel lists of itself and of what programs share: `/proc/modules`,
//! `/proc/sysvipc/sem`, `/proc/sysvipc/shm`.

use super::ParseError;
use super::fields::lines;

/// The bytes that all modules (drivers) take, from `/proc/modules`.
///
/// # Errors
/// A line without its size.
pub fn module_bytes(text: &[u8]) -> Result<u64, ParseError> {
    lines(text).try_fold(0_u64, |sum, line| {
        let mut words = line.words();
        words.word("a module's name")?;
        Ok(sum.saturating_add(words.number("a module's size")?))
    })
}

/// The semaphores in all sets, from `/proc/sysvipc/sem`.
///
/// # Errors
/// A line behind the heading without its number of semaphores.
pub fn semaphores(text: &[u8]) -> Result<u64, ParseError> {
    lines(text).filter(|line| line.number > 1).try_fold(0_u64, |sum, line| {
        let mut words = line.words();
        for expected in ["a key", "a set's number", "its rights"] {
            words.word(expected)?;
        }
        Ok(sum.saturating_add(words.number("a number of semaphores")?))
    })
}

/// The segments of shared memory, from `/proc/sysvipc/shm`.
pub fn shared_segments(text: &[u8]) -> u64 {
    lines(text).filter(|line| line.number > 1).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn modules_are_added_up() {
        let text = b"ext4 1085440 1 - Live 0x0000000000000000\njbd2 200704 1 ext4, Live 0x0\n";
        assert_eq!(module_bytes(text), Ok(1_286_144));
        assert_eq!(
            module_bytes(b"ext4 big\n").unwrap_err().to_string(),
            "line 1: expected a module's size, found `ext4 big`"
        );
    }

    #[test]
    fn semaphores_are_added_up_and_segments_counted() {
        let sem = b"       key      semid perms      nsems   uid\n\
                    1627521024          0   600          17     0\n\
                    1627521025          1   600          3     0\n";
        assert_eq!(semaphores(sem), Ok(20));
        assert_eq!(semaphores(b"key semid perms nsems\n"), Ok(0));
        assert_eq!(semaphores(b"key\n1 2 3\n").unwrap_err().line, 2);
        assert_eq!(shared_segments(b"key shmid\n0 1 600\n0 2 600\n"), 2);
        assert_eq!(shared_segments(b""), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            drop((module_bytes(&text), semaphores(&text), shared_segments(&text)));
        }
    }
}
