//! What Linux' `/proc` and `/sys` say, as pure functions over bytes: they run and are tested on
//! every system. A line that is unknown is passed over, since kernels differ; a known line that
//! makes no sense is an error that names it. Nothing here panics, whatever the bytes are.

mod fields;

pub mod cgroup;
pub mod cgroup_files;
pub mod cpu_list;
pub mod cpuinfo;
pub mod dbus;
pub mod diskstats;
pub mod doctor;
pub mod drm_fdinfo;
pub mod hwmon;
pub mod inet_diag;
pub mod interrupts;
pub mod kernel_objects;
pub mod kernel_process;
pub mod keyed;
pub mod loadavg;
pub mod meminfo;
pub mod mountinfo;
pub mod mountstats;
pub mod net_dev;
pub mod netlink;
pub mod os_release;
pub mod own_status;
pub mod passwd;
pub mod perf_names;
pub mod pid_io;
pub mod pid_stat;
pub mod pid_status;
pub mod pressure;
pub mod proc_connector;
pub mod proc_net_tcp;
pub mod processor_idle;
pub mod processor_times;
pub mod raw_counter;
pub mod rtm_address;
pub mod schedstat;
pub mod smbios;
pub mod snmp;
pub mod softnet;
pub mod stat;
pub mod statvfs;
pub mod swaps;
pub mod system_performance;
pub mod system_processes;
pub mod systemd;
pub mod uptime;
pub mod vmstat;

/// A text that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}, found `{found}`")]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    pub expected: &'static str,
    /// The start of the line.
    pub found: String,
}

impl ParseError {
    const MAX_FOUND_CHARS: usize = 80;

    pub fn new(line: usize, expected: &'static str, found: &[u8]) -> Self {
        // No character takes more than four bytes.
        let start = &found[..found.len().min(4 * Self::MAX_FOUND_CHARS)];
        let found = String::from_utf8_lossy(start)
            .chars()
            .take(Self::MAX_FOUND_CHARS)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Self { line, expected, found }
    }
}

#[cfg(test)]
mod tests;
