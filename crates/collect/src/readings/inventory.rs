//! What a machine is made of. What the system does not tell is absent.

use std::net::IpAddr;

/// Everything that hardly changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    pub computer: Computer,
    pub system: OperatingSystem,
    /// One for each socket.
    pub processors: Vec<Processor>,
    pub memory_modules: Vec<MemoryModule>,
    pub disks: Vec<DiskFacts>,
    /// Local, fixed ones.
    pub drives: Vec<DriveFacts>,
    pub adapters: Vec<AdapterFacts>,
    /// What could not be read, and why.
    pub missing: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Computer {
    pub name: String,
    pub domain: Option<String>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub serial: Option<String>,
    /// What the system can use.
    pub memory_bytes: Option<u64>,
    pub virtualisation: Option<Virtualisation>,
}

/// Whether the machine is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Virtualisation {
    /// A machine of its own.
    None,
    VirtualMachine,
    Container,
}

impl Virtualisation {
    /// The word of the interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::VirtualMachine => "virtual_machine",
            Self::Container => "container",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperatingSystem {
    /// `Debian GNU/Linux 12 (bookworm)`
    pub name: Option<String>,
    /// The kernel's release; on Windows with the build.
    pub version: Option<String>,
    pub architecture: Option<String>,
    /// Milliseconds since 1970-01-01 UTC; on Linux when the system was first started.
    pub installed_ms: Option<i64>,
    /// Milliseconds since 1970-01-01 UTC.
    pub booted_ms: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Processor {
    /// From 0.
    pub socket: u32,
    pub name: Option<String>,
    pub cores: Option<u32>,
    pub logical: u32,
    pub maximum_hertz: Option<f64>,
    pub current_hertz: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryModule {
    /// `DIMM A1`
    pub slot: String,
    pub capacity_bytes: u64,
    /// Transfers per second, as it runs.
    pub transfers_per_second: Option<u64>,
    /// `DDR4`
    pub kind: Option<&'static str>,
    pub manufacturer: Option<String>,
    pub part_number: Option<String>,
    pub serial: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiskFacts {
    /// `sda`, `PhysicalDrive0`
    pub name: String,
    pub model: Option<String>,
    pub serial: Option<String>,
    pub size_bytes: u64,
    /// It turns; others have no moving parts.
    pub is_rotational: Option<bool>,
    pub is_removable: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriveFacts {
    /// `/home`, `C:`
    pub mount_point: String,
    pub label: Option<String>,
    pub device: String,
    pub file_system: String,
    pub size_bytes: u64,
    /// What programs without special rights can use.
    pub free_bytes: u64,
    pub used_bytes: u64,
}

impl DriveFacts {
    /// Of what programs without special rights can use; nothing of a drive without size.
    pub fn used_percent(&self) -> Option<f64> {
        let usable = self.used_bytes.saturating_add(self.free_bytes);
        (usable > 0).then(|| 100.0 * self.used_bytes as f64 / usable as f64)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdapterFacts {
    /// `eth0`, `Ethernet 2`
    pub name: String,
    /// What it is, in the words of its driver.
    pub description: Option<String>,
    /// `52:54:00:12:34:56`
    pub mac: Option<String>,
    /// `ethernet`, `wireless`, `loopback`, `tunnel`, `bridge`, `bond`, `virtual`, `other`
    pub kind: &'static str,
    pub manufacturer: Option<String>,
    pub speed_bits_per_second: Option<u64>,
    /// Each with the number of bits that its network shares.
    pub addresses: Vec<(IpAddr, u8)>,
    pub is_up: bool,
}
