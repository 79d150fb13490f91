//! Windows' table of all processes, as `NtQuerySystemInformation` fills it in on 64-bit systems.

use crate::process::{IoTotals, ProcessState};

/// One process. Times are in units of 100 ns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemProcess {
    pub pid: u32,
    pub parent: u32,
    /// Since 1601.
    pub created: u64,
    pub user: u64,
    pub kernel: u64,
    /// The program's file without its folder; empty for the process that idles.
    pub name: String,
    pub state: ProcessState,
    pub threads: u32,
    pub handles: u32,
    pub base_priority: i32,
    pub working_set_bytes: u64,
    pub peak_working_set_bytes: u64,
    pub private_working_set_bytes: u64,
    pub virtual_bytes: u64,
    pub page_file_bytes: u64,
    pub private_bytes: u64,
    pub page_faults: u32,
    pub io: IoTotals,
}

/// A walk through the table. `base` is the address that it lay at when it was filled: the names
/// are in it, and are pointed to.
#[derive(Debug, Clone)]
pub struct SystemProcesses<'a> {
    table: &'a [u8],
    base: u64,
    at: Option<usize>,
}

const PROCESS_BYTES: usize = 256;
const THREAD_BYTES: usize = 80;

impl<'a> SystemProcesses<'a> {
    pub fn new(table: &'a [u8], base: u64) -> Self {
        Self { table, base, at: Some(0) }
    }

    /// Takes the next process; false at the end, also where the table is cut off.
    pub fn next_into(&mut self, process: &mut SystemProcess) -> bool {
        let Some(record) = self.at.and_then(|at| self.table.get(at..)) else { return false };
        if record.len() < PROCESS_BYTES {
            return false;
        }
        let to_next = number(record, 0) as usize;
        // Always forward: a table without end would have no memory to be in.
        self.at = (to_next > 0).then(|| self.at.and_then(|at| at.checked_add(to_next))).flatten();
        let threads = number(record, 4);
        process.threads = threads;
        process.private_working_set_bytes = long(record, 8);
        process.created = long(record, 32);
        process.user = long(record, 40);
        process.kernel = long(record, 48);
        self.set_name(record, &mut process.name);
        process.base_priority = number(record, 72).cast_signed();
        process.pid = number(record, 80);
        process.parent = number(record, 88);
        process.handles = number(record, 96);
        process.virtual_bytes = long(record, 120);
        process.page_faults = number(record, 128);
        process.peak_working_set_bytes = long(record, 136);
        process.working_set_bytes = long(record, 144);
        process.page_file_bytes = long(record, 184);
        process.private_bytes = long(record, 200);
        process.io = IoTotals {
            reads: long(record, 208),
            writes: long(record, 216),
            read_bytes: long(record, 232),
            written_bytes: long(record, 240),
        };
        process.state = state(record.get(PROCESS_BYTES..).unwrap_or_default(), threads);
        true
    }

    fn set_name(&self, record: &[u8], name: &mut String) {
        name.clear();
        let length = usize::from(u16::from_le_bytes([record[56], record[57]]));
        let start = long(record, 64).checked_sub(self.base).and_then(|at| usize::try_from(at).ok());
        let bytes = start.and_then(|start| self.table.get(start..start.checked_add(length)?));
        let units = bytes.unwrap_or_default().chunks_exact(2);
        let units = units.map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        let replaced = |unit: Result<char, _>| unit.unwrap_or(char::REPLACEMENT_CHARACTER);
        name.extend(char::decode_utf16(units).map(replaced));
    }
}

/// A process does what the most active of its threads does.
fn state(threads: &[u8], count: u32) -> ProcessState {
    const READY: u32 = 1;
    const RUNNING: u32 = 2;
    const STANDBY: u32 = 3;
    const WAITING: u32 = 5;
    const DEFERRED_READY: u32 = 7;
    const SUSPENDED: u32 = 5;
    if count == 0 {
        return ProcessState::Zombie;
    }
    let mut all_suspended = true;
    for thread in threads.chunks_exact(THREAD_BYTES).take(count as usize) {
        match number(thread, 68) {
            READY | RUNNING | STANDBY | DEFERRED_READY => return ProcessState::Running,
            WAITING => all_suspended &= number(thread, 72) == SUSPENDED,
            _ => all_suspended = false,
        }
    }
    if all_suspended { ProcessState::Stopped } else { ProcessState::Sleeping }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    field.map_or(0, u32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    field.map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: u64 = 0x7ff0_0000_1000;

    /// A record with threads of these states and wait reasons, and its name behind it.
    fn record(pid: u32, name: &str, threads: &[[u32; 2]], at: usize, is_last: bool) -> Vec<u8> {
        let mut record = vec![0; PROCESS_BYTES + THREAD_BYTES * threads.len()];
        let mut set = |at: usize, bytes: &[u8]| record[at..at + bytes.len()].copy_from_slice(bytes);
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let name_at = PROCESS_BYTES + THREAD_BYTES * threads.len();
        let length = (name_at + units.len()).next_multiple_of(8);
        set(0, &u32::try_from(if is_last { 0 } else { length }).unwrap().to_le_bytes());
        set(4, &u32::try_from(threads.len()).unwrap().to_le_bytes());
        set(32, &132_000_000_000_000_000_u64.to_le_bytes());
        set(40, &20_000_000_u64.to_le_bytes());
        set(48, &5_000_000_u64.to_le_bytes());
        set(56, &u16::try_from(units.len()).unwrap().to_le_bytes());
        set(64, &(BASE + (at + name_at) as u64).to_le_bytes());
        set(72, &8_i32.to_le_bytes());
        set(80, &u64::from(pid).to_le_bytes());
        set(88, &4_u64.to_le_bytes());
        set(96, &77_u32.to_le_bytes());
        set(144, &4096_u64.to_le_bytes());
        set(232, &123_u64.to_le_bytes());
        for (index, [state, reason]) in threads.iter().enumerate() {
            set(PROCESS_BYTES + THREAD_BYTES * index + 68, &state.to_le_bytes());
            set(PROCESS_BYTES + THREAD_BYTES * index + 72, &reason.to_le_bytes());
        }
        record.extend(units);
        record.resize(length, 0);
        record
    }

    fn all(table: &[u8]) -> Vec<SystemProcess> {
        let mut walk = SystemProcesses::new(table, BASE);
        let mut process = SystemProcess::default();
        let mut all = Vec::new();
        while walk.next_into(&mut process) {
            all.push(process.clone());
        }
        all
    }

    #[test]
    fn every_process_of_the_table_is_found() {
        let mut table = record(4, "System", &[[5, 0], [2, 0]], 0, false);
        table.extend(record(123, "Größe 🎈.exe", &[[5, 5]], table.len(), false));
        table.extend(record(124, "gone.exe", &[], table.len(), true));
        let found = all(&table);
        let facts: Vec<_> = found.iter().map(|p| (p.pid, p.name.as_str(), p.state)).collect();
        let expect = [
            (4, "System", ProcessState::Running),
            (123, "Größe 🎈.exe", ProcessState::Stopped),
            (124, "gone.exe", ProcessState::Zombie),
        ];
        assert_eq!(facts, expect);
        let one = &found[1];
        assert_eq!((one.parent, one.threads, one.handles, one.base_priority), (4, 1, 77, 8));
        assert_eq!((one.user, one.kernel, one.working_set_bytes), (20_000_000, 5_000_000, 4096));
        assert_eq!(one.io.read_bytes, 123);
    }

    #[test]
    fn a_name_that_points_elsewhere_is_no_name() {
        let table = record(4, "System", &[], 100_000, true);
        assert_eq!(all(&table)[0].name, "");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            cut in 0_usize..900,
            odd in prop::collection::vec((0_usize..900, any::<[u8; 4]>()), 0..8),
        ) {
            let mut table = record(4, "System", &[[5, 0], [2, 0]], 0, false);
            table.extend(record(5, "x", &[[5, 5]], table.len(), true));
            for (at, bytes) in odd {
                let at = at.min(table.len() - 4);
                table[at..at + 4].copy_from_slice(&bytes);
            }
            table.truncate(cut);
            prop_assert!(all(&table).len() <= table.len());
        }
    }
}
