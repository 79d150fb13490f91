//! What processors, volumes, sensors and graphics adapters say beside their basic counters.

use super::Disk;

/// How fast a logical processor runs. Hertz.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuClock {
    pub cpu: u32,
    pub now: Option<f64>,
    /// What the governor allows it now.
    pub limit: Option<f64>,
    /// The fastest that it can run at all.
    pub max: Option<f64>,
    /// What it runs at for any length of time, without turbo; the fastest where that is unknown.
    pub base: Option<f64>,
}

/// An idle state of a logical processor: totals since boot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CpuIdleState {
    pub cpu: u32,
    /// From 0, the lightest.
    pub state: u32,
    /// `POLL`, `C1E`
    pub name: String,
    pub seconds: f64,
    pub entries: u64,
}

/// Where a logical processor is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuPlace {
    pub cpu: u32,
    pub is_online: bool,
    /// The NUMA node; 0 where there is one node.
    pub node: u32,
}

/// Totals of the block device below a mounted local file system.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Volume {
    pub mount_point: String,
    pub device: Disk,
}

/// What the kernel holds of itself and for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KernelObjects {
    /// All modules (drivers) together.
    pub module_bytes: Option<u64>,
    pub semaphores: Option<u64>,
    pub shared_segments: Option<u64>,
}

/// A part of the machine whose temperature is watched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThermalZone {
    /// Its type and number: `x86_pkg_temp 2`.
    pub name: String,
    pub kelvin: f64,
    /// What cooling by slowing down leaves of the speed; 100 when nothing is slowed down.
    pub passive_limit_percent: Option<f64>,
}

/// A graphics adapter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gpu {
    /// `card0`
    pub name: String,
    pub busy_percent: Option<f64>,
    pub memory_used_bytes: Option<u64>,
    pub memory_total_bytes: Option<u64>,
}
