//! All processes at one moment.

use std::cmp::Ordering;
use std::sync::Arc;

use super::reading::{Facts, ProcessId, ProcessState};

/// All processes, or those that used most.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessSnapshot {
    /// When the reading ended, in milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    pub processes: Vec<Process>,
    /// How many there were in all.
    pub total: usize,
    /// Processes of which the system refused to tell some particulars.
    pub denied: usize,
}

/// One process, and what it used since the reading before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Process {
    pub id: ProcessId,
    pub parent: u32,
    /// Milliseconds since 1970-01-01 UTC.
    pub started_ms: Option<i64>,
    pub facts: Arc<Facts>,
    pub state: ProcessState,
    /// Share of one processor, in percent: above 100 with several threads. Absent at the first
    /// reading of a process that was there before.
    pub cpu_user_percent: Option<f64>,
    pub cpu_privileged_percent: Option<f64>,
    pub working_set_bytes: u64,
    pub virtual_bytes: u64,
    /// In swap (Linux), or promised from the page file (Windows).
    pub page_file_bytes: Option<u64>,
    pub threads: u64,
    /// Open files (Linux) or handles (Windows).
    pub handles: Option<u64>,
    /// Whatever was read from: files, pipes, sockets, cached or not.
    pub read_bytes_per_second: Option<f64>,
    pub written_bytes_per_second: Option<f64>,
}

impl Process {
    pub fn cpu_percent(&self) -> Option<f64> {
        Some(self.cpu_user_percent? + self.cpu_privileged_percent?)
    }

    pub fn io_bytes_per_second(&self) -> Option<f64> {
        Some(self.read_bytes_per_second? + self.written_bytes_per_second?)
    }
}

/// By what processes are put in order, the largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessSort {
    Cpu,
    Memory,
    Io,
}

impl ProcessSort {
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Memory, Self::Io];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Io => "io",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == word)
    }

    /// Equals come in the order of their numbers.
    pub fn compare(self, a: &Process, b: &Process) -> Ordering {
        let key = |process: &Process| match self {
            Self::Cpu => process.cpu_percent().unwrap_or(-1.0),
            Self::Memory => process.working_set_bytes as f64,
            Self::Io => process.io_bytes_per_second().unwrap_or(-1.0),
        };
        key(b).total_cmp(&key(a)).then(a.id.cmp(&b.id))
    }
}

impl ProcessSnapshot {
    /// The processes that are among the first `count` by any order, by their numbers. What uses
    /// neither processor nor files is not among the first by these.
    #[must_use]
    pub fn top(&self, count: usize) -> Self {
        let mut chosen: Vec<&Process> = Vec::with_capacity(3 * count);
        let mut order: Vec<&Process> = self.processes.iter().collect();
        for sort in ProcessSort::ALL {
            let compare = |a: &&Process, b: &&Process| sort.compare(a, b);
            if count < order.len() {
                order.select_nth_unstable_by(count, compare);
            }
            let uses = |process: &&Process| match sort {
                ProcessSort::Cpu => process.cpu_percent() > Some(0.0),
                ProcessSort::Memory => process.working_set_bytes > 0,
                ProcessSort::Io => process.io_bytes_per_second() > Some(0.0),
            };
            chosen.extend(order.iter().take(count).copied().filter(uses));
        }
        chosen.sort_by_key(|process| process.id);
        chosen.dedup_by_key(|process| process.id);
        Self {
            time_ms: self.time_ms,
            processes: chosen.into_iter().cloned().collect(),
            total: self.total,
            denied: self.denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, cpu: f64, memory: u64, io: f64) -> Process {
        Process {
            id: ProcessId { pid, start: 1 },
            cpu_user_percent: Some(cpu),
            cpu_privileged_percent: Some(0.0),
            working_set_bytes: memory,
            read_bytes_per_second: Some(io),
            written_bytes_per_second: Some(0.0),
            ..Process::default()
        }
    }

    fn top(count: usize) -> Vec<u32> {
        let processes = vec![
            process(1, 0.0, 5, 0.0),
            process(2, 90.0, 1, 0.0),
            process(3, 0.0, 90, 0.0),
            process(4, 0.0, 2, 90.0),
            process(5, 1.0, 3, 1.0),
        ];
        let snapshot = ProcessSnapshot { processes, ..ProcessSnapshot::default() };
        snapshot.top(count).processes.iter().map(|process| process.id.pid).collect()
    }

    #[test]
    fn top_is_the_union_of_three_orders() {
        assert_eq!(top(1), [2, 3, 4]);
        assert_eq!(top(2), [1, 2, 3, 4, 5]);
        assert_eq!(top(100), [1, 2, 3, 4, 5]);
        assert_eq!(top(0), [0_u32; 0]);
    }

    #[test]
    fn unknown_shares_come_last_and_equals_by_number() {
        let unknown = Process { id: ProcessId { pid: 1, start: 0 }, ..Process::default() };
        let mut all = [unknown, process(3, 0.0, 0, 0.0), process(2, 0.0, 0, 0.0)];
        all.sort_by(|a, b| ProcessSort::Cpu.compare(a, b));
        assert_eq!(all.map(|process| process.id.pid), [2, 3, 1]);
    }
}
