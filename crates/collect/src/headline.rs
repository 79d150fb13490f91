//! The metrics that people put into thresholds. Names and units are part of the public
//! interface: never renamed.

use barograph_model::Desc;

use crate::{cpu, disk, filesystem, memory, network, system};

/// Computed at the source at every tick, on every system.
pub static HEADLINE: [&Desc; 20] = [
    &cpu::CPU_USAGE,
    &memory::MEMORY_AVAILABLE,
    &memory::MEMORY_COMMITTED,
    &memory::MEMORY_PERCENT,
    &memory::MEMORY_TOTAL_GB,
    &memory::MEMORY_USED_GB,
    &disk::DISK_READS,
    &disk::DISK_WRITES,
    &disk::DISK_READ_BYTES,
    &disk::DISK_WRITE_BYTES,
    &filesystem::DISK_PERCENT,
    &filesystem::DISK_TOTAL_GB,
    &filesystem::DISK_USED_GB,
    &filesystem::DISK_FREE_GB,
    &network::NETWORK_BYTES_TOTAL,
    &network::NETWORK_BYTES_SENT,
    &network::NETWORK_BYTES_RECV,
    &system::PROCESS_COUNT,
    &system::THREAD_COUNT,
    &cpu::CPU_COUNT,
];
