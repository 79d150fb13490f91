//! What the kernel tells of each processor beside its times: interrupts, and how it sleeps.

use super::wine::under_wine;
use super::{failure, kernel};
use crate::Error;
use crate::parse::interrupts::CpuEvents;
use crate::parse::system_performance::Widened;
use crate::parse::{processor_idle, processor_times};
use crate::readings::CpuIdleState;
use crate::roots::Roots;

/// Asks the kernel for the interrupts of every processor.
#[derive(Debug)]
pub(crate) struct CpuEventsReader {
    table: Vec<u8>,
    totals: Vec<Widened>,
    hard: Vec<CpuEvents>,
}

impl CpuEventsReader {
    const WHAT: &str = "interrupts per processor";

    pub(crate) fn new(_: &Roots) -> Self {
        Self { table: Vec::new(), totals: Vec::new(), hard: Vec::new() }
    }

    /// Hardware interrupts; deferred calls are not told by processor in this table.
    pub(crate) fn read(&mut self) -> Result<(&[CpuEvents], &[CpuEvents]), Error> {
        if under_wine() {
            return Err(failure::absent(Self::WHAT, "Wine counts none"));
        }
        self.hard.clear();
        let Self { table, totals, hard } = self;
        kernel::each_group(kernel::PROCESSOR_TIMES, table, |table| append(table, totals, hard))?;
        Ok((hard, &[]))
    }
}

/// Adds the processors of a group, numbered on from those that are there.
fn append(table: &[u8], totals: &mut Vec<Widened>, hard: &mut Vec<CpuEvents>) {
    for source in processor_times::interrupts(table) {
        let place = hard.len();
        if totals.len() <= place {
            totals.push(Widened::default());
        }
        let cpu = u32::try_from(place).unwrap_or(u32::MAX);
        hard.push(CpuEvents { cpu, events: totals[place].at(source), timer: None });
    }
}

/// Asks the kernel how long and how often processors slept.
#[derive(Debug)]
pub(crate) struct CpuIdleReader {
    table: Vec<u8>,
    totals: Vec<[Widened; 3]>,
    states: Vec<CpuIdleState>,
}

impl CpuIdleReader {
    const WHAT: &str = "idle states of processors";

    pub(crate) fn new(_: &Roots) -> Self {
        Self { table: Vec::new(), totals: Vec::new(), states: Vec::new() }
    }

    pub(crate) fn read(&mut self) -> Result<&[CpuIdleState], Error> {
        if under_wine() {
            return Err(failure::absent(Self::WHAT, "Wine knows none"));
        }
        self.states.clear();
        let Self { table, totals, states } = self;
        let mut first = 0;
        kernel::each_group(kernel::PROCESSOR_IDLE, table, |table| {
            let count = table.len() / processor_idle::RECORD_BYTES;
            totals.resize(totals.len().max(first + count), Default::default());
            let widen = |cpu: u32, state: usize, source| totals[cpu as usize][state].at(source);
            let number = u32::try_from(first).unwrap_or(u32::MAX);
            processor_idle::append(table, number, widen, states);
            first += count;
        })?;
        if self.states.is_empty() {
            return Err(failure::absent(Self::WHAT, "this machine's processors have none"));
        }
        Ok(&self.states)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(interrupts: &[u32]) -> Vec<u8> {
        let record = |count: &u32| {
            let mut record = [0; processor_times::RECORD_BYTES];
            record[40..44].copy_from_slice(&count.to_le_bytes());
            record
        };
        interrupts.iter().flat_map(record).collect()
    }

    #[test]
    fn interrupts_are_totals_by_processor_that_do_not_go_round() {
        let (mut totals, mut hard) = (Vec::new(), Vec::new());
        append(&table(&[5, u32::MAX]), &mut totals, &mut hard);
        append(&table(&[7]), &mut totals, &mut hard);
        hard.clear();
        append(&table(&[6, 1]), &mut totals, &mut hard);
        append(&table(&[9]), &mut totals, &mut hard);
        let plain: Vec<_> = hard.iter().map(|one| (one.cpu, one.events)).collect();
        assert_eq!(plain, [(0, 6), (1, u64::from(u32::MAX) + 2), (2, 9)]);
    }

    /// Where the kernel answers at all, in the form that is read.
    #[test]
    fn each_processor_is_told_of_or_the_reading_is_absent() {
        let cores = std::thread::available_parallelism().unwrap().get();
        match CpuEventsReader::new(&Roots::default()).read() {
            Ok((hard, _)) => assert!(hard.len() >= cores, "{hard:?}"),
            Err(error) => assert!(error.is_absent() && under_wine(), "{error}"),
        }
        match CpuIdleReader::new(&Roots::default()).read() {
            Ok(states) => assert!(states.iter().all(|it| it.seconds >= 0.0), "{states:?}"),
            Err(error) => assert!(error.is_absent(), "{error}"),
        }
    }
}
