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

/// What a sensor of the board measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SensorKind {
    Temperature,
    Fan,
    Voltage,
    Current,
    Power,
    Humidity,
}

impl SensorKind {
    /// The word of the label `kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::Fan => "fan",
            Self::Voltage => "voltage",
            Self::Current => "current",
            Self::Power => "power",
            Self::Humidity => "humidity",
        }
    }
}

/// A sensor of a monitoring chip: in degrees Celsius, revolutions per minute, volts, amperes,
/// watts, percent.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    /// Driver and device: `coretemp.0`, `k10temp 0000:00:18.3`.
    pub chip: String,
    pub kind: SensorKind,
    /// `Core 0`; `temp2` where the driver has no better name.
    pub name: String,
    pub value: Option<f64>,
    /// From where on the device is in danger.
    pub critical: Option<f64>,
    /// Whether the chip itself finds the value out of bounds.
    pub alarm: Option<bool>,
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

/// Graphics adapters, and the work on them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graphics {
    pub gpus: Vec<Gpu>,
    pub engines: Vec<GpuEngine>,
    pub programs: Vec<GpuProgram>,
}

/// The engines of one kind, such as `render`, of an adapter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GpuEngine {
    /// `card0`
    pub gpu: String,
    pub engine: String,
    /// That they have worked since this program looks, for the processes that it may look at.
    pub seconds: f64,
}

/// The processes of one name that work on an adapter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GpuProgram {
    pub gpu: String,
    pub name: String,
    /// That all engines have worked for it since this program looks.
    pub seconds: f64,
    /// Bytes by region, such as `vram`.
    pub memory: Vec<(String, u64)>,
}

/// What waited for one processor, since boot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CpuQueue {
    /// The number that the system gives it.
    pub cpu: u32,
    /// Time in which threads ran on it, and time in which threads that could run waited for it.
    pub run_seconds: Option<f64>,
    pub wait_seconds: Option<f64>,
    /// How often a thread got it.
    pub timeslices: Option<u64>,
    /// Network packets that it took from its queue, and those that did not fit into the queue.
    pub packets: Option<u64>,
    pub dropped: Option<u64>,
    /// How often its time was up before the queue of packets was empty.
    pub squeezed: Option<u64>,
}

impl CpuQueue {
    /// More than any machine has.
    const MAX_CPUS: u32 = 8192;
    pub(crate) const TOO_MANY: &str = "a processor's number below 8192";

    /// The processor's place in a list by number, made if it is not there; nothing for a number
    /// out of reason.
    pub(crate) fn of(cpu: u32, queues: &mut Vec<Self>) -> Option<&mut Self> {
        if cpu >= Self::MAX_CPUS {
            return None;
        }
        let place = queues.binary_search_by_key(&cpu, |queue| queue.cpu);
        let place = place.unwrap_or_else(|place| {
            queues.insert(place, Self { cpu, ..Self::default() });
            place
        });
        queues.get_mut(place)
    }
}
