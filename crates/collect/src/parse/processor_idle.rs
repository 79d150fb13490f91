//! What Windows' kernel says about the sleep of processors: one record per processor.

use super::processor_times::TICKS_PER_SECOND;
use crate::readings::CpuIdleState;

/// The bytes of a record: times idle, in C1, in C2, in C3 or deeper, of 64 bits in 100 ns units;
/// then how often it went into each of the three, and padding, of 32 bits.
pub const RECORD_BYTES: usize = 48;

const STATES: [&str; 3] = ["C1", "C2", "C3"];

/// Adds the states of each whole record. Processors are numbered on from `first`. The totals of
/// entries go round at 32 bits; `widen` gets the processor's number, the state and such a total.
///
/// A state in which no processor of the table ever was is one that the machine does not have.
pub fn append(
    table: &[u8],
    first: u32,
    mut widen: impl FnMut(u32, usize, u32) -> u64,
    states: &mut Vec<CpuIdleState>,
) {
    let records = || table.chunks_exact(RECORD_BYTES);
    let is_used = std::array::from_fn::<bool, 3, _>(|state| {
        records().any(|record| time(record, state) > 0 || entries(record, state) > 0)
    });
    for (cpu, record) in (first..).zip(records()) {
        for (at, name) in STATES.iter().enumerate().filter(|(at, _)| is_used[*at]) {
            states.push(CpuIdleState {
                cpu,
                state: u32::try_from(at).unwrap_or(0) + 1,
                name: (*name).to_owned(),
                seconds: time(record, at) as f64 / TICKS_PER_SECOND,
                entries: widen(cpu, at, entries(record, at)),
            });
        }
    }
}

fn time(record: &[u8], state: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[8 + state * 8..16 + state * 8]);
    u64::from_le_bytes(bytes)
}

fn entries(record: &[u8], state: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&record[32 + state * 4..36 + state * 4]);
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(times: [u64; 4], entries: [u32; 4]) -> Vec<u8> {
        let times = times.iter().flat_map(|time| time.to_le_bytes());
        times.chain(entries.iter().flat_map(|count| count.to_le_bytes())).collect()
    }

    fn read(table: &[u8], first: u32) -> Vec<(u32, u32, String, f64, u64)> {
        let mut states = Vec::new();
        append(table, first, |_, _, entries| entries.into(), &mut states);
        let plain = |one: CpuIdleState| (one.cpu, one.state, one.name, one.seconds, one.entries);
        states.into_iter().map(plain).collect()
    }

    #[test]
    fn states_are_told_by_processor_and_those_that_the_machine_lacks_are_not() {
        let table = [
            record([90_000_000, 50_000_000, 40_000_000, 0], [7, 8, 0, 0]),
            record([0, 0, 10_000_000, 0], [0, 9, 0, 0]),
        ]
        .concat();
        let expected = [
            (4, 1, "C1".to_owned(), 5.0, 7),
            (4, 2, "C2".to_owned(), 4.0, 8),
            (5, 1, "C1".to_owned(), 0.0, 0),
            (5, 2, "C2".to_owned(), 1.0, 9),
        ];
        assert_eq!(read(&table, 4), expected);
    }

    #[test]
    fn half_a_record_is_none_and_a_machine_that_does_not_sleep_has_no_state() {
        assert_eq!(read(&record([1, 1, 1, 1], [1, 1, 1, 1])[..47], 0), []);
        assert_eq!(read(&record([500, 0, 0, 0], [0; 4]), 0), []);
    }
}
