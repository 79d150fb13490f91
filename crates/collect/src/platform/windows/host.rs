//! What hardly changes about a host.
#![expect(unsafe_code, reason = "calls to kernel32 and ntdll")]

use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW, OSVERSIONINFOW,
};
use windows_sys::Win32::System::Threading::{ALL_PROCESSOR_GROUPS, GetActiveProcessorCount};

use super::memory::MemoryReader;
use super::wide::narrow;
use super::{clock, registry};
use crate::readings::{HostFacts, Limits};
use crate::roots::Roots;

/// The first build of Windows 11, whose registry says 10.
const FIRST_BUILD_OF_11: u32 = 22_000;

pub(crate) fn host_facts(roots: &Roots) -> HostFacts {
    let version = version();
    let memory = MemoryReader::new(roots).read().map(|memory| memory.total_bytes);
    HostFacts {
        host: computer_name().unwrap_or_else(|| "localhost".to_owned()),
        os: "windows",
        os_name: registry::machine_text(
            r"SOFTWARE\Microsoft\Windows NT\CurrentVersion",
            "ProductName",
        )
        .map(|name| product(&name, version.map_or(0, |(_, _, build)| build))),
        kernel: version.map(|(major, minor, build)| format!("{major}.{minor}.{build}")),
        architecture: Some(std::env::consts::ARCH.to_owned()),
        cpu_model: registry::machine_text(
            r"HARDWARE\DESCRIPTION\System\CentralProcessor\0",
            "ProcessorNameString",
        ),
        // SAFETY: it takes a number and cannot fail.
        cpu_count: Some(unsafe { GetActiveProcessorCount(ALL_PROCESSOR_GROUPS) })
            .filter(|count| *count > 0),
        memory_bytes: memory.ok(),
        boot_time_ms: Some(milliseconds(clock::boot_time_seconds())),
        limits: Limits::default(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a time of this age is far from 2^63")]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1e3) as i64
}

fn product(name: &str, build: u32) -> String {
    match name.strip_prefix("Windows 10") {
        Some(edition) if build >= FIRST_BUILD_OF_11 => format!("Windows 11{edition}"),
        _ => name.to_owned(),
    }
}

fn computer_name() -> Option<String> {
    let mut name = [0; 256];
    let mut length = 256;
    // SAFETY: the call is told the buffer's length.
    let done = unsafe {
        GetComputerNameExW(ComputerNamePhysicalDnsHostname, name.as_mut_ptr(), &raw mut length)
    };
    Some(narrow(&name)).filter(|name| done != 0 && !name.is_empty())
}

fn version() -> Option<(u32, u32, u32)> {
    let mut version = OSVERSIONINFOW {
        dwOSVersionInfoSize: u32::try_from(size_of::<OSVERSIONINFOW>()).ok()?,
        ..OSVERSIONINFOW::default()
    };
    // SAFETY: the structure says its own size.
    let status = unsafe { RtlGetVersion(&raw mut version) };
    (status >= 0).then_some((version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_are_told() {
        let facts = host_facts(&Roots::default());
        println!("{facts:?}");
        assert_eq!(facts.os, "windows");
        assert!(!facts.host.is_empty() && facts.host != "localhost", "{facts:?}");
        assert!(facts.kernel.as_ref().is_some_and(|kernel| kernel.split('.').count() == 3));
        assert!(facts.os_name.as_ref().is_some_and(|name| name.contains("Windows")));
        assert!(facts.cpu_model.is_some() && facts.cpu_count >= Some(1), "{facts:?}");
        assert!(facts.memory_bytes > Some(0) && facts.boot_time_ms > Some(0), "{facts:?}");
    }

    #[test]
    fn windows_11_is_called_by_its_name() {
        assert_eq!(product("Windows 10 Pro", 22_631), "Windows 11 Pro");
        assert_eq!(product("Windows 10 Pro", 19_045), "Windows 10 Pro");
        assert_eq!(product("Windows Server 2022 Standard", 26_100), "Windows Server 2022 Standard");
    }
}
