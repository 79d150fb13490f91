//! `/proc/net/softnet_stat`: packets that came in, one line for each processor that is online,
//! numbers in hexadecimal digits.

use super::ParseError;
use super::fields::lines;
use crate::readings::CpuQueue;

/// Adds the processors' packet queues to `queues`.
///
/// # Errors
/// A line that is not made of hexadecimal numbers, or of too few.
pub fn parse(text: &[u8], queues: &mut Vec<CpuQueue>) -> Result<(), ParseError> {
    const EXPECTED: &str = "three hexadecimal numbers or more";
    /// The processor's number; kernels before 5.10 do not tell it.
    const CPU_COLUMN: usize = 12;
    for (row, line) in (0..).zip(lines(text)) {
        let mut words = line.words();
        let mut hex =
            || words.next().map(|word| hexadecimal(word).ok_or_else(|| line.error(EXPECTED)));
        let mut wanted = || hex().unwrap_or_else(|| Err(line.error(EXPECTED)));
        let (packets, dropped, squeezed) = (wanted()?, wanted()?, wanted()?);
        let cpu = std::iter::from_fn(hex).nth(CPU_COLUMN - 3).transpose()?.unwrap_or(row);
        let queue = u32::try_from(cpu).ok().and_then(|cpu| CpuQueue::of(cpu, queues));
        let queue = queue.ok_or_else(|| line.error(CpuQueue::TOO_MANY))?;
        queue.packets = Some(packets);
        queue.dropped = Some(dropped);
        queue.squeezed = Some(squeezed);
    }
    Ok(())
}

fn hexadecimal(word: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(word).ok().filter(|text| !text.starts_with('+'))?;
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Vec<CpuQueue>, String> {
        let mut queues = Vec::new();
        parse(text.as_bytes(), &mut queues).map_err(|error| error.to_string())?;
        Ok(queues)
    }

    #[test]
    fn the_last_column_tells_the_processor() {
        let line = |packets: &str, cpu: &str| {
            format!("{packets} 00000002 00000003 0 0 0 0 0 0 0 0 0 {cpu} 0 0\n")
        };
        let queues =
            parsed(&(line("0000001f", "00000000") + &line("00000100", "00000004"))).unwrap();
        let first = CpuQueue {
            packets: Some(31),
            dropped: Some(2),
            squeezed: Some(3),
            ..CpuQueue::default()
        };
        assert_eq!(queues[0], first);
        assert_eq!((queues[1].cpu, queues[1].packets), (4, Some(256)));
    }

    #[test]
    fn old_kernels_list_them_in_order() {
        let queues = parsed("a 0 0 0 0 0 0 0 0 0 0\nb 0 0 0 0 0 0 0 0 0 0\n").unwrap();
        assert_eq!((queues[1].cpu, queues[1].packets), (1, Some(11)));
    }

    #[test]
    fn a_line_of_something_else_is_named() {
        assert_eq!(
            parsed("1 2\n").unwrap_err(),
            "line 1: expected three hexadecimal numbers or more, found `1 2`"
        );
        assert!(parsed("x y z\n").is_err());
        assert!(parsed("1 2 3 0 0 0 0 0 0 0 0 0 ffffffff\n").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(([0-9a-f+x]{1,18} ){0,14}\n?){0,4}", bytes: Vec<u8>) {
            parse(text.as_bytes(), &mut Vec::new()).ok();
            parse(&bytes, &mut Vec::new()).ok();
        }
    }
}
