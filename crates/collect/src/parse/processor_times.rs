//! What Windows' kernel says about processors: one record per processor, in 100 ns units.

use crate::readings::{Core, ModeSeconds};
use crate::rows::Rows;

/// The bytes of a record: times idle, in the kernel (with idle, deferred calls and interrupts),
/// in programs, in deferred procedure calls, in interrupts; then a count of interrupts, and
/// padding.
pub const RECORD_BYTES: usize = 48;

pub(super) const TICKS_PER_SECOND: f64 = 1e7;

/// Adds a core per whole record, numbered on from those that are there.
pub fn append(table: &[u8], cores: &mut Rows<Core>) {
    for record in table.chunks_exact(RECORD_BYTES) {
        let number = u32::try_from(cores.as_slice().len()).unwrap_or(u32::MAX);
        *cores.add() = Core { number, times: times(record), guest: [None; 2] };
    }
}

fn times(record: &[u8]) -> ModeSeconds {
    let seconds = |field: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&record[field * 8..field * 8 + 8]);
        i64::from_le_bytes(bytes) as f64 / TICKS_PER_SECOND
    };
    let (idle, kernel, user, deferred, interrupt) =
        (seconds(0), seconds(1), seconds(2), seconds(3), seconds(4));
    ModeSeconds {
        user,
        // The parts are read one after the other and may exceed the whole by a tick.
        system: (kernel - idle - deferred - interrupt).max(0.0),
        idle,
        irq: Some(interrupt),
        softirq: Some(deferred),
        nice: None,
        iowait: None,
        steal: None,
    }
}

/// The interrupts that each processor of the table has served: totals of 32 bits.
pub fn interrupts(table: &[u8]) -> impl Iterator<Item = u32> {
    table
        .chunks_exact(RECORD_BYTES)
        .map(|record| u32::from_le_bytes([record[40], record[41], record[42], record[43]]))
}

/// For a kernel that gives zeros for interrupts because it does not measure them.
pub fn forget_interrupts(times: &mut ModeSeconds) {
    times.irq = None;
    times.softirq = None;
}

/// All processors together.
pub fn sum(cores: &Rows<Core>) -> ModeSeconds {
    let mut sum = ModeSeconds::default();
    for Core { times, .. } in cores {
        sum.user += times.user;
        sum.system += times.system;
        sum.idle += times.idle;
        for (sum, part) in [(&mut sum.irq, times.irq), (&mut sum.softirq, times.softirq)] {
            if let Some(part) = part {
                *sum = Some(sum.unwrap_or_default() + part);
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(idle: i64, kernel: i64, user: i64, deferred: i64, interrupt: i64) -> Vec<u8> {
        let fields = [idle, kernel, user, deferred, interrupt, 77];
        fields.iter().flat_map(|field| field.to_le_bytes()).collect()
    }

    #[test]
    fn the_kernels_time_is_told_apart_and_cores_are_numbered_on() {
        let mut cores = Rows::default();
        let table = record(50_000_000, 90_000_000, 30_000_000, 10_000_000, 5_000_000);
        append(&table, &mut cores);
        append(&table, &mut cores);
        let [first, second] = cores.as_slice() else { panic!("{cores:?}") };
        assert_eq!((first.number, second.number), (0, 1));
        assert_eq!(interrupts(&table).collect::<Vec<_>>(), [77]);
        let expected = ModeSeconds {
            user: 3.0,
            system: 2.5,
            idle: 5.0,
            irq: Some(0.5),
            softirq: Some(1.0),
            ..ModeSeconds::default()
        };
        assert_eq!(first.times, expected);
        let total = sum(&cores);
        assert_eq!((total.user, total.irq, total.nice), (6.0, Some(1.0), None));
    }

    #[test]
    fn parts_that_exceed_the_kernels_time_leave_nothing() {
        let mut cores = Rows::default();
        append(&record(100, 90, 0, 0, 0), &mut cores);
        assert_eq!(cores.as_slice()[0].times.system.to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn half_a_record_is_none_and_unmeasured_interrupts_stay_absent_in_the_sum() {
        let mut cores = Rows::default();
        append(&record(1, 2, 3, 0, 0)[..47], &mut cores);
        assert!(cores.as_slice().is_empty());
        append(&record(1, 2, 3, 0, 0), &mut cores);
        forget_interrupts(&mut cores.as_mut_slice()[0].times);
        assert_eq!((sum(&cores).irq, sum(&cores).softirq), (None, None));
    }
}
