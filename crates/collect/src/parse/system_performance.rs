//! What Windows' kernel counts about the whole system, in one record.

/// The bytes of a record, all versions of Windows' kernel have at least these.
pub const RECORD_BYTES: usize = 312;

/// Totals of 32 bits, from boot; they restart from zero when they are full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SystemPerformance {
    pub page_faults: u32,
    /// Reads from a disk to resolve page faults.
    pub page_reads: u32,
    pub context_switches: u32,
}

/// Reads a record; absent if it is too short to be one.
pub fn parse(record: &[u8]) -> Option<SystemPerformance> {
    let record = record.first_chunk::<RECORD_BYTES>()?;
    let number = |at: usize| {
        u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
    };
    Some(SystemPerformance {
        page_faults: number(60),
        page_reads: number(84),
        context_switches: number(296),
    })
}

/// A total of 32 bits that goes on counting when its source restarts from zero.
#[derive(Debug, Clone, Copy, Default)]
pub struct Widened {
    total: Option<u64>,
}

impl Widened {
    /// The total now. The source must be asked before it restarts twice.
    pub fn at(&mut self, source: u32) -> u64 {
        let total = self.total.map_or(u64::from(source), |total| {
            #[expect(clippy::cast_possible_truncation, reason = "the lower half is the source's")]
            let grown = source.wrapping_sub(total as u32);
            total.wrapping_add(grown.into())
        });
        self.total = Some(total);
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_stand_at_their_places() {
        let mut record = [0_u8; RECORD_BYTES + 32];
        for (at, value) in [(60, 7_u32), (84, 8), (296, 9)] {
            record[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let expected = SystemPerformance { page_faults: 7, page_reads: 8, context_switches: 9 };
        assert_eq!(parse(&record), Some(expected));
        assert_eq!(parse(&record[..RECORD_BYTES - 1]), None);
    }

    #[test]
    fn a_full_total_goes_on() {
        let mut total = Widened::default();
        let source = [u32::MAX - 1, u32::MAX, 3, 3, 2];
        let expected = [4_294_967_294, 4_294_967_295, 4_294_967_299, 4_294_967_299];
        let seen: Vec<_> = source.iter().map(|&source| total.at(source)).collect();
        assert_eq!(seen[..4], expected);
        // What falls has gone round: there is no telling it from a restart.
        assert_eq!(seen[4], 8_589_934_594);
    }
}
