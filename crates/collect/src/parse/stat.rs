//! `/proc/stat`: processor times in ticks, and what the scheduler counts.

use super::ParseError;
use super::fields::{Line, Words, lines, number};
use crate::readings::{Core, Cpu, ModeSeconds};

/// Ticks per second in what the kernel tells programs. A fixed part of its interface on every
/// architecture that Rust's Linux targets cover, whatever the kernel's own timer does.
const TICKS_PER_SECOND: f64 = 100.0;
const TICKS: &str = "a number of ticks";
const EVENTS: &str = "a number of events";

/// Reads the whole file into `cpu`.
///
/// # Errors
/// A line about processors or events without its numbers, or no `cpu` line at all.
pub fn parse(text: &[u8], cpu: &mut Cpu) -> Result<(), ParseError> {
    cpu.cores.clear();
    *cpu = Cpu { cores: std::mem::take(&mut cpu.cores), ..Cpu::default() };
    let mut has_total = false;
    for line in lines(text) {
        let mut words = line.words();
        match words.word("a name")? {
            b"cpu" => {
                cpu.total = times(&mut words)?;
                has_total = true;
            }
            // The sum comes first, behind it one number per interrupt line.
            b"intr" => cpu.interrupts = Some(words.number(EVENTS)?),
            b"softirq" => {
                cpu.soft_interrupts = Some(words.number(EVENTS)?);
                for kind in &mut cpu.soft_interrupts_by_kind {
                    *kind = words.optional_number(EVENTS)?;
                }
            }
            b"ctxt" => cpu.context_switches = Some(words.number(EVENTS)?),
            b"processes" => cpu.forks = Some(words.number(EVENTS)?),
            b"procs_running" => cpu.running = Some(words.number("a number of threads")?),
            b"procs_blocked" => cpu.blocked = Some(words.number("a number of threads")?),
            b"btime" => {
                cpu.boot_time_seconds = Some(words.number("seconds since 1970")? as f64);
            }
            word => core(word, line, words, cpu)?,
        }
    }
    if has_total { Ok(()) } else { Err(ParseError::new(1, "a line `cpu`", text)) }
}

fn core(
    word: &[u8],
    line: Line<'_>,
    mut words: Words<'_>,
    cpu: &mut Cpu,
) -> Result<(), ParseError> {
    let Some(digits) = word.strip_prefix(b"cpu") else { return Ok(()) };
    let number = number(digits)
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| line.error("a processor's number"))?;
    let times = times(&mut words)?;
    let mut seconds =
        || Ok(words.optional_number(TICKS)?.map(|ticks| ticks as f64 / TICKS_PER_SECOND));
    let guest = [seconds()?, seconds()?];
    *cpu.cores.add() = Core { number, times, guest };
    Ok(())
}

/// The first four modes are as old as the file; the others came with 2.6 and 2.6.11.
fn times(words: &mut Words<'_>) -> Result<ModeSeconds, ParseError> {
    let seconds = |ticks: u64| ticks as f64 / TICKS_PER_SECOND;
    Ok(ModeSeconds {
        user: seconds(words.number(TICKS)?),
        nice: Some(seconds(words.number(TICKS)?)),
        system: seconds(words.number(TICKS)?),
        idle: seconds(words.number(TICKS)?),
        iowait: words.optional_number(TICKS)?.map(seconds),
        irq: words.optional_number(TICKS)?.map(seconds),
        softirq: words.optional_number(TICKS)?.map(seconds),
        steal: words.optional_number(TICKS)?.map(seconds),
    })
}
