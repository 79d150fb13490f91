//! What the machine is made of: native calls, the firmware's table, the registry. All that is
//! wanted is told by these, so that WMI, which is slow and may hang, is not asked at all.
#![expect(unsafe_code, reason = "calls to kernel32 and advapi32")]

mod adapter;
mod disk;
mod processor;

use std::ptr;

use windows_sys::Win32::Storage::FileSystem::GetVolumeInformationW;
use windows_sys::Win32::System::SystemInformation::{
    ComputerNameDnsDomain, GetComputerNameExW, GetSystemFirmwareTable, RSMB,
};

use super::drive::DriveReader;
use super::host::host_facts;
use super::registry::{machine_number, machine_text};
use super::wide::{narrow, wide};
use crate::parse::smbios::{self, Firmware};
use crate::readings::{Computer, Drive, DriveFacts, Inventory, OperatingSystem, Virtualisation};
use crate::roots::Roots;

const BIOS_KEY: &str = r"HARDWARE\DESCRIPTION\System\BIOS";

pub(crate) fn inventory(roots: &Roots) -> Inventory {
    let mut missing = Vec::new();
    let facts = host_facts(roots);
    let firmware = firmware(&mut missing);
    let from_registry =
        |told: Option<String>, name: &str| told.or_else(|| machine_text(BIOS_KEY, name));
    Inventory {
        computer: Computer {
            name: facts.host,
            domain: domain(),
            manufacturer: from_registry(firmware.manufacturer, "SystemManufacturer"),
            model: from_registry(firmware.product, "SystemProductName"),
            serial: firmware.serial,
            memory_bytes: facts.memory_bytes,
            virtualisation: processor::is_virtual().map(|is_virtual| {
                if is_virtual { Virtualisation::VirtualMachine } else { Virtualisation::None }
            }),
        },
        system: OperatingSystem {
            name: facts.os_name,
            version: facts.kernel,
            architecture: facts.architecture,
            installed_ms: installed_ms(),
            booted_ms: facts.boot_time_ms,
        },
        processors: processor::processors(facts.cpu_model.as_deref(), &mut missing),
        memory_modules: firmware.memory_modules,
        disks: disk::disks(),
        drives: drives(roots, &mut missing),
        adapters: adapter::adapters(&mut missing),
        missing,
    }
}

fn firmware(missing: &mut Vec<String>) -> Firmware {
    const MAX_BYTES: u32 = 1024 * 1024;
    // SAFETY: without a buffer it only tells the size.
    let length = unsafe { GetSystemFirmwareTable(RSMB, 0, ptr::null_mut(), 0) };
    let mut answer = vec![0_u8; length.min(MAX_BYTES) as usize];
    // SAFETY: the call is told the buffer's size.
    let filled = unsafe {
        GetSystemFirmwareTable(
            RSMB,
            0,
            answer.as_mut_ptr(),
            u32::try_from(answer.len()).unwrap_or(0),
        )
    };
    answer.truncate(filled as usize);
    match smbios::within_windows_answer(&answer).and_then(smbios::parse) {
        Ok(firmware) => {
            if firmware.memory_modules.is_empty() {
                missing.push(smbios::NO_MODULES.into());
            }
            firmware
        }
        Err(error) => {
            missing.push(format!("memory modules: {error}"));
            Firmware::default()
        }
    }
}

fn domain() -> Option<String> {
    let mut name = [0; 256];
    let mut length = 256;
    // SAFETY: the call is told the buffer's length.
    let done =
        unsafe { GetComputerNameExW(ComputerNameDnsDomain, name.as_mut_ptr(), &raw mut length) };
    Some(narrow(&name)).filter(|name| done != 0 && !name.is_empty())
}

fn installed_ms() -> Option<i64> {
    let seconds = machine_number(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion", "InstallDate")?;
    (seconds > 0).then(|| i64::from(seconds) * 1000)
}

fn drives(roots: &Roots, missing: &mut Vec<String>) -> Vec<DriveFacts> {
    let mut reader = DriveReader::new(roots);
    match reader.read() {
        Ok(drives) => drives.iter().map(drive_facts).collect(),
        Err(error) => {
            missing.push(format!("drives: {}", crate::chain(&error)));
            Vec::new()
        }
    }
}

fn drive_facts(drive: &Drive) -> DriveFacts {
    DriveFacts {
        mount_point: drive.mount_point.clone(),
        label: label(&drive.mount_point),
        device: drive.device.clone(),
        file_system: drive.file_system.clone(),
        size_bytes: drive.size_bytes,
        free_bytes: drive.available_bytes,
        used_bytes: drive.size_bytes.saturating_sub(drive.free_bytes),
    }
}

fn label(drive: &str) -> Option<String> {
    let root = wide(&format!("{drive}\\"));
    let mut name = [0; 261];
    // SAFETY: the name ends with a zero; the call is told the buffer's length.
    let done = unsafe {
        GetVolumeInformationW(
            root.as_ptr(),
            name.as_mut_ptr(),
            261,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            0,
        )
    };
    Some(narrow(&name)).filter(|name| done != 0 && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        let found = inventory(&Roots::default());
        println!("{found:#?}");
        assert!(!found.computer.name.is_empty());
        assert!(found.computer.memory_bytes > Some(0));
        let logical: u32 = found.processors.iter().map(|one| one.logical).sum();
        assert!(logical >= 1, "{:?}", found.processors);
        assert!(found.drives.iter().any(|drive| drive.mount_point == "C:"), "{:?}", found.drives);
        let adapter = found.adapters.iter().find(|one| one.kind != "loopback").unwrap();
        assert!(!adapter.addresses.is_empty() && !adapter.name.is_empty(), "{adapter:?}");
    }
}
