//! Windows. Nothing is read yet, and every reader says so.

use crate::Error;
use crate::readings::{
    Adapter, Cpu, Disk, Drive, HostFacts, Load, Memory, PagingFile, Pressure, System,
};
use crate::roots::Roots;
use crate::rows::Rows;

fn absent<T>(what: &'static str) -> Result<T, Error> {
    Err(Error::Absent { what, why: "it is not read on Windows".into() })
}

macro_rules! absent_reader {
    ($reader:ident, $reading:ty, $what:literal) => {
        #[derive(Debug)]
        pub(crate) struct $reader;

        impl $reader {
            pub(crate) fn new(_roots: &Roots) -> Self {
                Self
            }

            pub(crate) fn read(&mut self) -> Result<&$reading, Error> {
                absent($what)
            }
        }
    };
}

absent_reader!(CpuReader, Cpu, "processor times");
absent_reader!(MemoryReader, Memory, "memory");
absent_reader!(PagingReader, Rows<PagingFile>, "the list of paging files");
absent_reader!(DiskReader, Rows<Disk>, "disk counters");
absent_reader!(DriveReader, Rows<Drive>, "the list of drives");
absent_reader!(AdapterReader, Rows<Adapter>, "network adapter counters");
absent_reader!(SystemReader, System, "uptime");
absent_reader!(LoadReader, Load, "load average");
absent_reader!(PressureReader, Pressure, "pressure stall information");

pub(crate) fn host_facts(_roots: &Roots) -> HostFacts {
    let host = std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".into());
    HostFacts {
        host,
        os: "windows",
        architecture: Some(std::env::consts::ARCH.into()),
        ..HostFacts::default()
    }
}

pub(crate) fn statvfs_table(_roots: &Roots) -> Result<String, Error> {
    absent("statvfs")
}
