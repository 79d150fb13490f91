//! What the operating system says, as plain numbers. Every reader of the platform fills
//! one of these. A field that only some systems know is an `Option`: absent is never zero.
//! Totals count from boot, or from when the device appeared, and may restart from zero.

mod cgroup;
mod connections;
mod hardware;
mod inventory;
mod nfs;
mod service;

use crate::rows::Rows;

pub use cgroup::{Cgroup, Container, Limits};
pub use connections::{
    Socket, SocketOwners, TcpState, TcpTotals, TcpUdp, Traffic, Transport, UdpTotals,
};
pub use hardware::{
    CpuClock, CpuIdleState, CpuPlace, CpuQueue, Gpu, GpuEngine, GpuProgram, Graphics,
    KernelObjects, Sensor, SensorKind, ThermalZone, Volume,
};
pub use inventory::{
    AdapterFacts, Computer, DiskFacts, DriveFacts, Inventory, MemoryModule, OperatingSystem,
    Processor, Virtualisation,
};
pub use nfs::{NfsClient, NfsMount, NfsOperations, RpcTotals};
pub use service::{Service, ServiceState, ServiceStatus, StartMode};

/// Processors, and what the scheduler counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cpu {
    /// All processors together, also those that have gone offline since boot.
    pub total: ModeSeconds,
    /// Those that are online, by number.
    pub cores: Rows<Core>,
    pub context_switches: Option<u64>,
    /// Hardware interrupts served.
    pub interrupts: Option<u64>,
    /// Software interrupts (Linux) or deferred procedure calls (Windows) served.
    pub soft_interrupts: Option<u64>,
    /// The same by kind, in the order of [`Cpu::SOFT_INTERRUPT_KINDS`], of Linux.
    pub soft_interrupts_by_kind: [Option<u64>; 10],
    /// Processes and threads started.
    pub forks: Option<u64>,
    /// Threads that run or wait for a processor.
    pub running: Option<u64>,
    /// Threads that wait for a disk.
    pub blocked: Option<u64>,
    /// Seconds since 1970-01-01 UTC.
    pub boot_time_seconds: Option<f64>,
}

impl Cpu {
    /// The order has been the same since Linux 2.6.31.
    pub const SOFT_INTERRUPT_KINDS: [&str; 10] = [
        "hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer",
        "rcu",
    ];
}

/// One logical processor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Core {
    /// The number that the system gives it, from 0. It can have holes.
    pub number: u32,
    pub times: ModeSeconds,
    /// The part of `user` and of `nice` in which it ran virtual machines, on Linux.
    pub guest: [Option<f64>; 2],
}

/// Seconds a processor has spent in each mode since boot. The modes do not overlap; time that
/// guests ran is part of `user` and `nice`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ModeSeconds {
    pub user: f64,
    pub nice: Option<f64>,
    /// The kernel, without interrupts where these are known.
    pub system: f64,
    pub idle: f64,
    pub iowait: Option<f64>,
    pub irq: Option<f64>,
    /// Software interrupts (Linux), deferred procedure calls (Windows).
    pub softirq: Option<f64>,
    pub steal: Option<f64>,
}

/// Physical memory, the commit charge, and paging. Bytes and totals of events.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Memory {
    pub total_bytes: u64,
    /// What a new program can get without swapping.
    pub available_bytes: u64,
    pub free_bytes: Option<u64>,
    pub buffers_bytes: Option<u64>,
    /// File contents in memory.
    pub cached_bytes: Option<u64>,
    pub shared_bytes: Option<u64>,
    pub slab_reclaimable_bytes: Option<u64>,
    pub slab_unreclaimable_bytes: Option<u64>,
    pub kernel_stack_bytes: Option<u64>,
    pub page_tables_bytes: Option<u64>,
    pub swap_total_bytes: Option<u64>,
    pub swap_free_bytes: Option<u64>,
    /// Changed, and to be written to a file.
    pub dirty_bytes: Option<u64>,
    /// Being written to a file.
    pub writeback_bytes: Option<u64>,
    pub anonymous_bytes: Option<u64>,
    /// What has been promised to programs.
    pub committed_bytes: Option<u64>,
    pub commit_limit_bytes: Option<u64>,
    /// Addresses that the kernel can map for itself, and those that it has mapped.
    pub vmalloc_total_bytes: Option<u64>,
    pub vmalloc_used_bytes: Option<u64>,
    /// Kernel memory that can be given back or paged out.
    pub pool_paged_bytes: Option<u64>,
    /// Kernel memory that stays.
    pub pool_nonpaged_bytes: Option<u64>,
    pub page_faults: Option<u64>,
    /// Those that had to wait for a disk.
    pub major_page_faults: Option<u64>,
    pub swap_in_pages: Option<u64>,
    pub swap_out_pages: Option<u64>,
    /// Pages of files read again soon after they were dropped.
    pub cache_refaults: Option<u64>,
}

/// A paging file or swap device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PagingFile {
    pub file: String,
    pub size_bytes: u64,
    pub used_bytes: u64,
}

/// Totals of one block device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Disk {
    /// `nvme0n1`; on Windows PDH's instance, for example `0 C:`.
    pub name: String,
    pub reads: u64,
    pub writes: u64,
    pub read_bytes: u64,
    pub written_bytes: u64,
    /// Summed over the reads, so it can grow faster than time.
    pub read_seconds: f64,
    pub write_seconds: f64,
    /// Time with at least one request under way.
    pub busy_seconds: Option<f64>,
    /// Requests under way now.
    pub queue_length: Option<u64>,
    pub more: DiskDetails,
    /// Its data passes through another disk of this list as well (RAID, LVM, loop): left out of
    /// sums over all disks.
    pub is_layer: bool,
}

/// What only Linux counts of a block device.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DiskDetails {
    /// Requests that were joined with a neighbouring one before they were sent.
    pub reads_merged: Option<u64>,
    pub writes_merged: Option<u64>,
    /// Seconds that requests were under way, summed over the requests.
    pub waiting_seconds: Option<f64>,
    /// Blocks given back to the device (TRIM). Since Linux 4.18.
    pub discards: Option<u64>,
    pub discards_merged: Option<u64>,
    pub discarded_bytes: Option<u64>,
    pub discard_seconds: Option<f64>,
    /// Orders to write the device's own cache. Since Linux 5.5.
    pub flushes: Option<u64>,
    pub flush_seconds: Option<f64>,
}

/// A mounted local file system or a drive.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drive {
    /// `/home`, `C:`.
    pub mount_point: String,
    /// `/dev/sda1`; on Windows the volume's name.
    pub device: String,
    /// `ext4`, `NTFS`.
    pub file_system: String,
    /// The one that the system runs from.
    pub is_system: bool,
    pub size_bytes: u64,
    /// With what only the administrator may use.
    pub free_bytes: u64,
    pub available_bytes: u64,
    /// Files that it can hold and those that it could still; nothing where it has no such limit.
    pub files: Option<[u64; 2]>,
    /// Nothing can be written to it; a system does that to a file system that it finds damaged.
    pub is_read_only: Option<bool>,
    /// It does not answer; then its sizes are 0 and mean nothing.
    pub hangs: bool,
}

/// Totals of one network adapter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adapter {
    /// `eth0`; on Windows PDH's instance, the description with `()#/\` replaced by `[]___`.
    pub name: String,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    pub received_packets: u64,
    pub sent_packets: u64,
    pub receive_errors: u64,
    pub send_errors: u64,
    pub receive_dropped: u64,
    pub send_dropped: u64,
    pub received_multicast: Option<u64>,
    /// What only Linux counts: packets that found no room in the adapter, or were damaged in
    /// their framing; lost carriers and collisions when sending.
    pub receive_fifo_errors: Option<u64>,
    pub receive_frame_errors: Option<u64>,
    pub send_fifo_errors: Option<u64>,
    pub send_collisions: Option<u64>,
    pub send_carrier_errors: Option<u64>,
    /// Packets of a protocol that nobody here speaks.
    pub received_unknown: Option<u64>,
    pub speed_bits_per_second: Option<u64>,
    /// Part of the sum over all adapters: data that passes through two of them counts once.
    pub in_total: bool,
}

/// Uptime and how much runs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct System {
    pub uptime_seconds: f64,
    pub processes: Option<u64>,
    pub threads: Option<u64>,
}

/// Threads that run or wait, averaged over 1, 5 and 15 minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Load {
    pub one: f64,
    pub five: f64,
    pub fifteen: f64,
}

/// Seconds since boot in which some, or all, threads with work to do waited for a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pressure {
    pub cpu_some: Option<f64>,
    pub memory_some: Option<f64>,
    pub memory_full: Option<f64>,
    pub io_some: Option<f64>,
    pub io_full: Option<f64>,
}

/// What this process takes from the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Own {
    /// User and kernel mode together, since it was started.
    pub cpu_seconds: f64,
    pub resident_bytes: u64,
    pub threads: Option<u64>,
    /// Open file descriptors or handles.
    pub handles: Option<u64>,
}

/// What hardly changes about a host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostFacts {
    /// The computer's own name.
    pub host: String,
    /// `linux` or `windows`.
    pub os: &'static str,
    /// `Debian GNU/Linux 12 (bookworm)`
    pub os_name: Option<String>,
    /// `6.1.0-18-amd64`; on Windows the build, `10.0.20348`.
    pub kernel: Option<String>,
    /// `x86_64`
    pub architecture: Option<String>,
    pub cpu_model: Option<String>,
    /// Logical processors online.
    pub cpu_count: Option<u32>,
    pub memory_bytes: Option<u64>,
    /// Milliseconds since 1970-01-01 UTC.
    pub boot_time_ms: Option<i64>,
    /// Those that programs here live under, below what the machine has.
    pub limits: Limits,
}
