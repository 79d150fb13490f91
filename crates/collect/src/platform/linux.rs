//! Linux: `/proc`, `/sys` and `statvfs`.

mod adapter;
mod counter_source;
mod cpu;
mod cpu_details;
mod cpu_events;
mod disk;
mod drive;
mod gpu;
mod host;
mod kept_file;
mod kernel_objects;
mod load;
mod memory;
mod own;
mod paging;
mod pressure;
mod process_count;
mod small_file;
mod system;
#[cfg(test)]
mod tests;
mod thermal;
mod volume;

pub(crate) use adapter::AdapterReader;
pub(crate) use counter_source::CounterSource;
pub(crate) use cpu::CpuReader;
pub(crate) use cpu_details::{CpuClockReader, CpuIdleReader, CpuPlaceReader};
pub(crate) use cpu_events::CpuEventsReader;
pub(crate) use disk::DiskReader;
pub(crate) use drive::{DriveReader, statvfs_table};
pub(crate) use gpu::GpuReader;
pub(crate) use host::host_facts;
pub(crate) use kernel_objects::KernelObjectsReader;
pub(crate) use load::LoadReader;
pub(crate) use memory::MemoryReader;
pub(crate) use own::{OwnReader, thread_cpu_time};
pub(crate) use paging::PagingReader;
pub(crate) use pressure::PressureReader;
pub(crate) use system::SystemReader;
pub(crate) use thermal::ThermalReader;
pub(crate) use volume::VolumeReader;
