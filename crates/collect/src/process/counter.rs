//! The counters of Windows' object `Process`, for each process of a reading.

use super::reading::{Extras, Vitals};
use super::table::{Known, Used};
use crate::platform;

/// One process, with what its counters are made of.
#[derive(Debug, Clone)]
pub(crate) struct CountedProcess {
    /// As counter paths name it: on Windows without `.exe`.
    pub(crate) name: String,
    vitals: Vitals,
    extras: Extras,
    used: Used,
    /// Since the reading before; absent at the first one of a process that was there before.
    seconds: Option<f64>,
    age_seconds: Option<f64>,
}

/// What a counter shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessCounter {
    ProcessorTime,
    UserTime,
    PrivilegedTime,
    WorkingSet,
    WorkingSetPeak,
    WorkingSetPrivate,
    PrivateBytes,
    VirtualBytes,
    PageFileBytes,
    Threads,
    Handles,
    PageFaults,
    ReadBytes,
    WrittenBytes,
    Reads,
    Writes,
    DataBytes,
    Pid,
    Parent,
    Elapsed,
    Priority,
}

impl ProcessCounter {
    /// Whether it takes two readings.
    pub fn needs_two(self) -> bool {
        matches!(
            self,
            Self::ProcessorTime
                | Self::UserTime
                | Self::PrivilegedTime
                | Self::PageFaults
                | Self::ReadBytes
                | Self::WrittenBytes
                | Self::Reads
                | Self::Writes
                | Self::DataBytes
        )
    }

    /// Whether a sum over all processes means something.
    pub fn has_total(self) -> bool {
        !matches!(self, Self::Pid | Self::Parent | Self::Elapsed | Self::Priority)
    }

    /// Whether the system tells what it is made of.
    pub(crate) fn is_told_of(self, process: &CountedProcess) -> bool {
        self.of(&CountedProcess { seconds: Some(1.0), ..process.clone() }).is_some()
    }

    /// Nothing where the system does not tell it, or two readings are missing.
    pub(crate) fn of(self, process: &CountedProcess) -> Option<f64> {
        let CountedProcess { vitals, extras, used, .. } = process;
        let count = |count: u64| Some(count as f64);
        let some = |count: Option<u64>| count.map(|count| count as f64);
        let rate = |increase: f64| Some(increase / process.seconds?);
        let io = |increase: f64| rate(increase).filter(|_| extras.io.is_some());
        match self {
            Self::ProcessorTime => rate(100.0 * (used.user_seconds + used.privileged_seconds)),
            Self::UserTime => rate(100.0 * used.user_seconds),
            Self::PrivilegedTime => rate(100.0 * used.privileged_seconds),
            Self::WorkingSet => count(vitals.working_set_bytes),
            Self::WorkingSetPeak => some(extras.peak_working_set_bytes),
            Self::WorkingSetPrivate => some(extras.private_working_set_bytes),
            Self::PrivateBytes | Self::PageFileBytes if extras.private_bytes.is_some() => {
                some(extras.private_bytes)
            }
            Self::PrivateBytes => None,
            Self::PageFileBytes => some(extras.page_file_bytes),
            Self::VirtualBytes => count(vitals.virtual_bytes),
            Self::Threads => count(vitals.threads),
            Self::Handles => some(extras.handles),
            Self::PageFaults => rate(used.page_faults),
            Self::ReadBytes => io(used.read_bytes),
            Self::WrittenBytes => io(used.written_bytes),
            Self::Reads => io(used.reads),
            Self::Writes => io(used.writes),
            Self::DataBytes => io(used.read_bytes + used.written_bytes),
            Self::Pid => Some(vitals.id.pid.into()),
            Self::Parent => Some(vitals.parent.into()),
            Self::Elapsed => process.age_seconds,
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            Self::Priority => Some(vitals.priority as f64),
        }
    }
}

/// Windows puts these in the place of what has a meaning in a counter path.
fn in_path(c: char) -> char {
    match c {
        '(' => '[',
        ')' => ']',
        '#' | '/' | '\\' => '_',
        c if c.is_control() => '_',
        c => c,
    }
}

impl CountedProcess {
    pub(super) fn new(known: &Known, now_ms: i64) -> Self {
        let name = known.facts.name.as_str();
        let bare = name.strip_suffix(".exe").filter(|_| platform::PROGRAM_NAMES_IGNORE_CASE);
        let age_ms = known.vitals.started_ms.map(|ms| now_ms.saturating_sub(ms).max(0));
        Self {
            name: bare.unwrap_or(name).chars().map(in_path).collect(),
            vitals: known.vitals.clone(),
            extras: known.extras,
            used: known.used,
            seconds: known.seconds,
            age_seconds: age_ms.map(|ms| ms as f64 / 1e3),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.vitals.id.pid
    }

    #[cfg(test)]
    pub(crate) fn of_test(pid: u32, name: &str, user_seconds: f64, seconds: Option<f64>) -> Self {
        let id = super::ProcessId { pid, start: 1 };
        Self {
            name: name.to_owned(),
            vitals: Vitals { id, threads: 2, ..Vitals::default() },
            extras: Extras::default(),
            used: Used { user_seconds, ..Used::default() },
            seconds,
            age_seconds: Some(5.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_written_in_a_path() {
        let name: String = "kworker/0:1 (x) a#b\\c\n".chars().map(in_path).collect();
        assert_eq!(name, "kworker_0:1 [x] a_b_c_");
    }
}
