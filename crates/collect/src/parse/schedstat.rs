//! `/proc/schedstat`: what the scheduler counts for each processor.

use super::ParseError;
use super::fields::{lines, number};
use crate::readings::CpuQueue;

/// Adds the processors' run queues to `queues`, by number. The lines of scheduling domains are
/// passed over.
///
/// # Errors
/// A processor's line without its numbers.
pub fn parse(text: &[u8], queues: &mut Vec<CpuQueue>) -> Result<(), ParseError> {
    const EXPECTED: &str = "nine numbers behind a processor's name";
    for line in lines(text) {
        let mut words = line.words();
        let Some(digits) = words.next().and_then(|word| word.strip_prefix(b"cpu")) else {
            continue;
        };
        let cpu = number(digits).and_then(|cpu| u32::try_from(cpu).ok());
        let cpu = cpu.ok_or_else(|| line.error("a processor's number"))?;
        let mut numbers = [0_u64; 9];
        for value in &mut numbers {
            *value = words.number(EXPECTED)?;
        }
        let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
        let queue = CpuQueue::of(cpu, queues).ok_or_else(|| line.error(CpuQueue::TOO_MANY))?;
        queue.run_seconds = Some(seconds(numbers[6]));
        queue.wait_seconds = Some(seconds(numbers[7]));
        queue.timeslices = Some(numbers[8]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn processors_are_found_among_domains() {
        let text = b"version 15\ntimestamp 4294892295\ncpu0 0 0 0 0 0 0 2500000000 500000000 77\n\
                     domain0 00000003 1 2 3\ncpu2 0 0 0 0 0 0 1 2 3\n";
        let mut queues = Vec::new();
        parse(text, &mut queues).unwrap();
        assert_eq!((queues[0].cpu, queues[1].cpu), (0, 2));
        assert_eq!((queues[0].run_seconds, queues[0].wait_seconds), (Some(2.5), Some(0.5)));
        assert_eq!((queues[0].timeslices, queues[0].packets), (Some(77), None));
    }

    #[test]
    fn a_short_line_is_named() {
        let error = parse(b"version 15\ncpu0 0 0\n", &mut Vec::new()).unwrap_err();
        let expect = "line 2: expected nine numbers behind a processor's name, found `cpu0 0 0`";
        assert_eq!(error.to_string(), expect);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(cpu[0-9]{0,11}( [0-9]{1,21}){0,10}\n?){0,4}") {
            parse(text.as_bytes(), &mut Vec::new()).ok();
        }
    }
}
