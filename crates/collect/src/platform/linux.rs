//! Linux: `/proc`, `/sys` and `statvfs`.

mod adapter;
mod counter_source;
mod cpu;
mod disk;
mod drive;
mod host;
mod kept_file;
mod load;
mod memory;
mod own;
mod paging;
mod pressure;
mod process_count;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use adapter::AdapterReader;
pub(crate) use counter_source::CounterSource;
pub(crate) use cpu::CpuReader;
pub(crate) use disk::DiskReader;
pub(crate) use drive::{DriveReader, statvfs_table};
pub(crate) use host::host_facts;
pub(crate) use load::LoadReader;
pub(crate) use memory::MemoryReader;
pub(crate) use own::{OwnReader, thread_cpu_time};
pub(crate) use paging::PagingReader;
pub(crate) use pressure::PressureReader;
pub(crate) use system::SystemReader;
