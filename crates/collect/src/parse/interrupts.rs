//! `/proc/interrupts` and `/proc/softirqs`: events per processor, one line per source.

use super::ParseError;
use super::fields::{Words, lines, number};

/// Events of one processor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuEvents {
    /// The processor's number.
    pub cpu: u32,
    pub events: u64,
    /// Those of the processor's own timer, if the table names it.
    pub timer: Option<u64>,
}

/// More than any machine has.
const MAX_CPUS: usize = 8192;
const EXPECTED: &str = "a heading of processors, CPU0 and so on";

/// The sums of a table's columns, into `cpus`. Lines with a single number for the whole machine
/// (errors) are left out.
///
/// # Errors
/// There is no heading of processors, or a line has no name.
pub fn parse(text: &[u8], cpus: &mut Vec<CpuEvents>) -> Result<(), ParseError> {
    cpus.clear();
    let mut lines = lines(text);
    let heading = lines.next().ok_or_else(|| ParseError::new(1, EXPECTED, text))?;
    let mut words = heading.words();
    while let Some(word) = words.next() {
        let cpu = word
            .strip_prefix(b"CPU")
            .and_then(number)
            .and_then(|cpu| u32::try_from(cpu).ok())
            .filter(|_| cpus.len() < MAX_CPUS)
            .ok_or_else(|| heading.error(EXPECTED))?;
        cpus.push(CpuEvents { cpu, ..CpuEvents::default() });
    }
    if cpus.is_empty() {
        return Err(heading.error(EXPECTED));
    }
    let mut row = Vec::with_capacity(cpus.len());
    for line in lines {
        let colon = line.text.iter().position(|b| *b == b':');
        let colon = colon.ok_or_else(|| line.error("a source's name and a colon"))?;
        let (name, numbers) = line.text.split_at(colon);
        row.clear();
        row.extend(events(Words::of_part(line, &numbers[1..]), cpus.len()));
        if row.len() < cpus.len() {
            continue;
        }
        let is_timer =
            name.trim_ascii() == b"LOC" || line.text.trim_ascii().ends_with(b"arch_timer");
        for (cpu, events) in cpus.iter_mut().zip(&row) {
            cpu.events = cpu.events.saturating_add(*events);
            if is_timer {
                cpu.timer = Some(cpu.timer.unwrap_or(0).saturating_add(*events));
            }
        }
    }
    Ok(())
}

/// The numbers at the start of a line, at most `count`; a description follows them.
fn events(mut words: Words<'_>, count: usize) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || number(words.next()?)).take(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "           CPU0       CPU2       
  1:         10          5   IO-APIC   1-edge      i8042
NMI:          1          0   Non-maskable interrupts
LOC:        700        900   Local timer interrupts
ERR:          4
";

    fn parsed(text: &str) -> Result<Vec<CpuEvents>, ParseError> {
        let mut cpus = Vec::new();
        parse(text.as_bytes(), &mut cpus).map(|()| cpus)
    }

    #[test]
    fn columns_are_added_up_and_the_timer_is_told() {
        let expected = [
            CpuEvents { cpu: 0, events: 711, timer: Some(700) },
            CpuEvents { cpu: 2, events: 905, timer: Some(900) },
        ];
        assert_eq!(parsed(TABLE).unwrap(), expected);
    }

    #[test]
    fn the_timer_of_arm_is_known_by_its_description() {
        let text =
            "  CPU0\n 11:  77  GICv3  27 Level     arch_timer\n 12:  1  GICv3  30 Level  uart\n";
        assert_eq!(parsed(text).unwrap(), [CpuEvents { cpu: 0, events: 78, timer: Some(77) }]);
    }

    #[test]
    fn a_table_without_heading_or_name_is_an_error() {
        let error = parsed("1: 10 5\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1: expected a heading of processors, CPU0 and so on, found `1: 10 5`"
        );
        assert_eq!(parsed("CPU0\nx 1\n").unwrap_err().line, 2);
        assert!(parsed("").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>, tail: Vec<u8>) {
            let mut cpus = Vec::new();
            drop(parse(&text, &mut cpus));
            drop(parse(&[b"CPU0 CPU1\nx: ", tail.as_slice()].concat(), &mut cpus));
        }
    }
}
