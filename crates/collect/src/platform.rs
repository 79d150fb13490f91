//! The seam to the operating system, and the only file of this crate with `cfg`. Every system
//! offers the same names: readers that are made without touching anything, are asked again and
//! again, keep what they can between the readings, and lend out what they read. A system that
//! lacks a reading returns [`crate::Error::Absent`].

#[cfg(not(any(target_os = "linux", windows)))]
compile_error!("Barograph reads Linux and Windows machines");

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as os;
#[cfg(windows)]
use windows as os;

pub(crate) use os::{
    AdapterReader, CgroupReader, ContainerReader, CounterNames, CounterSource, CpuReader,
    DiskReader, DriveReader, LoadReader, MemoryReader, OwnReader, PROGRAM_NAMES_IGNORE_CASE,
    PagingReader, PressureReader, ProcessListener, ProcessReader, ServiceReader, SocketReader,
    SystemReader, TcpUdpReader, host_facts, inventory, statvfs_table, thread_cpu_time,
};
pub(crate) use os::{
    CpuClockReader, CpuEventsReader, CpuIdleReader, CpuPlaceReader, GpuReader, HwmonReader,
    KernelObjectsReader, NfsReader, ProcFile, ThermalReader, VolumeReader, doctor_facts,
};
