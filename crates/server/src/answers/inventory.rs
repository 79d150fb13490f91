//! What the machine is made of.

use barograph_collect::readings::{
    AdapterFacts, Computer, DiskFacts, DriveFacts, Inventory, MemoryModule, OperatingSystem,
    Processor, Virtualisation,
};
use serde::Serialize;

use crate::timestamp::iso;

/// The whole inventory.
#[derive(Debug, Serialize)]
pub struct InventoryAnswer {
    time_ms: i64,
    timestamp: String,
    computer: ComputerAnswer,
    operating_system: SystemAnswer,
    processors: Vec<ProcessorAnswer>,
    memory_modules: Vec<ModuleAnswer>,
    disks: Vec<DiskAnswer>,
    drives: Vec<DriveAnswer>,
    adapters: Vec<AdapterAnswer>,
    /// What the system does not tell, and why.
    missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ComputerAnswer {
    name: String,
    domain: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    memory_bytes: Option<u64>,
    virtualisation: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct SystemAnswer {
    name: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    installed_ms: Option<i64>,
    booted_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
struct ProcessorAnswer {
    socket: u32,
    name: Option<String>,
    cores: Option<u32>,
    logical: u32,
    maximum_hertz: Option<f64>,
    current_hertz: Option<f64>,
}

#[derive(Debug, Serialize)]
struct ModuleAnswer {
    slot: String,
    capacity_bytes: u64,
    transfers_per_second: Option<u64>,
    kind: Option<&'static str>,
    manufacturer: Option<String>,
    part_number: Option<String>,
    serial: Option<String>,
}

#[derive(Debug, Serialize)]
struct DiskAnswer {
    name: String,
    model: Option<String>,
    serial: Option<String>,
    size_bytes: u64,
    rotational: Option<bool>,
    removable: Option<bool>,
}

#[derive(Debug, Serialize)]
struct DriveAnswer {
    mount_point: String,
    label: Option<String>,
    device: String,
    file_system: String,
    size_bytes: u64,
    free_bytes: u64,
    used_bytes: u64,
    used_percent: Option<f64>,
}

#[derive(Debug, Serialize)]
struct AdapterAnswer {
    name: String,
    description: Option<String>,
    mac: Option<String>,
    kind: &'static str,
    manufacturer: Option<String>,
    speed_bits_per_second: Option<u64>,
    addresses: Vec<String>,
    up: bool,
}

impl InventoryAnswer {
    pub fn new(inventory: &Inventory, time_ms: i64) -> Self {
        Self {
            time_ms,
            timestamp: iso(time_ms),
            computer: computer(inventory.computer.clone()),
            operating_system: system(inventory.system.clone()),
            processors: inventory.processors.iter().cloned().map(processor).collect(),
            memory_modules: inventory.memory_modules.iter().cloned().map(module).collect(),
            disks: inventory.disks.iter().cloned().map(disk).collect(),
            drives: inventory.drives.iter().cloned().map(drive).collect(),
            adapters: inventory.adapters.iter().cloned().map(adapter).collect(),
            missing: inventory.missing.clone(),
        }
    }
}

fn computer(one: Computer) -> ComputerAnswer {
    ComputerAnswer {
        name: one.name,
        domain: one.domain,
        manufacturer: one.manufacturer,
        model: one.model,
        serial: one.serial,
        memory_bytes: one.memory_bytes,
        virtualisation: one.virtualisation.map(Virtualisation::as_str),
    }
}

fn system(one: OperatingSystem) -> SystemAnswer {
    SystemAnswer {
        name: one.name,
        version: one.version,
        architecture: one.architecture,
        installed_ms: one.installed_ms,
        booted_ms: one.booted_ms,
    }
}

fn processor(one: Processor) -> ProcessorAnswer {
    ProcessorAnswer {
        socket: one.socket,
        name: one.name,
        cores: one.cores,
        logical: one.logical,
        maximum_hertz: one.maximum_hertz,
        current_hertz: one.current_hertz,
    }
}

fn module(one: MemoryModule) -> ModuleAnswer {
    ModuleAnswer {
        slot: one.slot,
        capacity_bytes: one.capacity_bytes,
        transfers_per_second: one.transfers_per_second,
        kind: one.kind,
        manufacturer: one.manufacturer,
        part_number: one.part_number,
        serial: one.serial,
    }
}

fn disk(one: DiskFacts) -> DiskAnswer {
    DiskAnswer {
        name: one.name,
        model: one.model,
        serial: one.serial,
        size_bytes: one.size_bytes,
        rotational: one.is_rotational,
        removable: one.is_removable,
    }
}

fn drive(one: DriveFacts) -> DriveAnswer {
    DriveAnswer {
        used_percent: one.used_percent(),
        mount_point: one.mount_point,
        label: one.label,
        device: one.device,
        file_system: one.file_system,
        size_bytes: one.size_bytes,
        free_bytes: one.free_bytes,
        used_bytes: one.used_bytes,
    }
}

fn adapter(one: AdapterFacts) -> AdapterAnswer {
    AdapterAnswer {
        addresses: one.addresses.iter().map(|(ip, bits)| format!("{ip}/{bits}")).collect(),
        name: one.name,
        description: one.description,
        mac: one.mac,
        kind: one.kind,
        manufacturer: one.manufacturer,
        speed_bits_per_second: one.speed_bits_per_second,
        up: one.is_up,
    }
}
