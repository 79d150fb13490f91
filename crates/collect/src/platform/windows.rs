//! Windows: native calls first, performance counters (PDH) for what these do not tell.
//!
//! Under Wine, where the tests run, some calls succeed and give zeros; such readings are absent
//! there, as on any system that lacks them.

mod adapter;
mod clock;
mod cpu;
mod cpu_clock;
mod cpu_details;
mod disk;
mod doctor;
mod drive;
mod elsewhere;
mod failure;
mod host;
mod inventory;
mod kernel;
mod memory;
mod own;
mod paging;
mod pdh;
mod process;
mod process_events;
mod process_name;
mod registry;
mod service;
#[cfg(test)]
mod slope;
mod sockets;
mod system;
mod tcp_bytes;
mod tcp_udp;
mod trace;
mod volume;
mod wide;
mod wine;

pub(crate) use adapter::AdapterReader;
pub(crate) use cpu::CpuReader;
pub(crate) use cpu_clock::CpuClockReader;
pub(crate) use cpu_details::{CpuEventsReader, CpuIdleReader};
pub(crate) use disk::DiskReader;
pub(crate) use doctor::doctor_facts;
pub(crate) use drive::{DriveReader, statvfs_table};
pub(crate) use elsewhere::{
    CgroupReader, ContainerReader, CpuPlaceReader, GpuReader, HwmonReader, KernelObjectsReader,
    NfsReader, ProcFile, ThermalReader,
};
pub(crate) use host::host_facts;
pub(crate) use inventory::inventory;
pub(crate) use memory::MemoryReader;
pub(crate) use own::{OwnReader, thread_cpu_time};
pub(crate) use paging::PagingReader;
pub(crate) use pdh::{CounterNames, CounterSource};
pub(crate) use process::{PROGRAM_NAMES_IGNORE_CASE, ProcessReader};
pub(crate) use process_events::ProcessListener;
pub(crate) use service::ServiceReader;
pub(crate) use sockets::SocketReader;
pub(crate) use system::SystemReader;
pub(crate) use tcp_udp::TcpUdpReader;
pub(crate) use volume::VolumeReader;

use crate::Error;
use crate::readings::{Load, Pressure};
use crate::roots::Roots;

/// Averages over minutes are Unix' idea.
#[derive(Debug)]
pub(crate) struct LoadReader;

impl LoadReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "every system's readers have the same form")]
    pub(crate) fn read(&mut self) -> Result<&Load, Error> {
        Err(failure::absent("load average", "Windows keeps none"))
    }
}

/// Pressure stall information is Linux' idea.
#[derive(Debug)]
pub(crate) struct PressureReader;

impl PressureReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "every system's readers have the same form")]
    pub(crate) fn read(&mut self) -> Result<&Pressure, Error> {
        Err(failure::absent("pressure stall information", "Windows keeps none"))
    }
}
