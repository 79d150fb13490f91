//! What the machine is made of, from `/proc`, `/sys`, and the firmware's tables.

mod adapter;
mod disk;
mod processor;

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::drive::DriveReader;
use super::host::host_facts;
use crate::parse::smbios::{self, Firmware};
use crate::readings::{Computer, Drive, DriveFacts, Inventory, OperatingSystem, Virtualisation};
use crate::roots::Roots;

const MACHINE_ID: &str = "etc/machine-id";
/// Larger tables of the firmware are none.
const MAX_FIRMWARE_BYTES: u64 = 1024 * 1024;

pub(crate) fn inventory(roots: &Roots) -> Inventory {
    let mut missing = Vec::new();
    let facts = host_facts(roots);
    let firmware = firmware(roots, &mut missing);
    let dmi = roots.sys.join("class/dmi/id");
    let from_dmi = |name: &str, told: Option<String>| told.or_else(|| line(&dmi.join(name)));
    let board = || line(&roots.proc.join("device-tree/model"));
    let domain = line(&roots.proc.join("sys/kernel/domainname"));
    let manufacturer = from_dmi("sys_vendor", firmware.manufacturer);
    let model = from_dmi("product_name", firmware.product).or_else(board);
    let installed_ms = installed_ms(roots);
    for (what, is_told) in [("manufacturer", manufacturer.is_some()), ("model", model.is_some())] {
        if !is_told {
            missing.push(format!("{what}: the firmware does not tell it in {}", dmi.display()));
        }
    }
    if installed_ms.is_none() {
        let path = roots.root.join(MACHINE_ID);
        missing.push(format!("time of installation: {} has none", path.display()));
    }
    Inventory {
        computer: Computer {
            name: facts.host,
            domain: domain.filter(|domain| domain != "(none)"),
            manufacturer,
            model,
            serial: from_dmi("product_serial", firmware.serial),
            memory_bytes: facts.memory_bytes,
            virtualisation: virtualisation(roots),
        },
        system: OperatingSystem {
            name: facts.os_name,
            version: facts.kernel,
            architecture: facts.architecture,
            installed_ms,
            booted_ms: facts.boot_time_ms,
        },
        processors: processor::processors(roots, facts.cpu_model.as_deref()),
        memory_modules: firmware.memory_modules,
        disks: disk::disks(roots, &mut missing),
        drives: drives(roots, &mut missing),
        adapters: adapter::adapters(roots, &mut missing),
        missing,
    }
}

/// The first line of a small file, without blanks around it; nothing if it is empty.
fn line(path: &Path) -> Option<String> {
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    // Files of the device tree end with a zero.
    let line = text.lines().next()?.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!line.is_empty()).then(|| line.to_owned())
}

fn number(path: &Path) -> Option<u64> {
    line(path)?.parse().ok()
}

fn firmware(roots: &Roots, missing: &mut Vec<String>) -> Firmware {
    let path = roots.sys.join("firmware/dmi/tables/DMI");
    let read = || {
        if fs::metadata(&path)?.len() > MAX_FIRMWARE_BYTES {
            return Err(io::Error::other("larger than 1 MiB"));
        }
        let table = fs::read(&path)?;
        smbios::parse(&table).map_err(io::Error::other)
    };
    let error = match read() {
        Ok(firmware) => {
            if firmware.memory_modules.is_empty() {
                missing.push(smbios::NO_MODULES.into());
            }
            return firmware;
        }
        Err(error) => error,
    };
    let why = match error.kind() {
        io::ErrorKind::NotFound => "the machine has no such firmware".to_owned(),
        io::ErrorKind::PermissionDenied => "only root may".to_owned(),
        _ => error.to_string(),
    };
    missing.push(format!("memory modules: {} cannot be read, {why}", path.display()));
    Firmware::default()
}

fn virtualisation(roots: &Roots) -> Option<Virtualisation> {
    let marks = ["run/systemd/container", ".dockerenv", "run/.containerenv"];
    if marks.iter().any(|mark| roots.root.join(mark).exists()) {
        return Some(Virtualisation::Container);
    }
    if roots.sys.join("hypervisor/type").exists() {
        return Some(Virtualisation::VirtualMachine);
    }
    let text = fs::read_to_string(roots.proc.join("cpuinfo")).ok()?;
    // Only processors of PCs say so.
    let flags = text.lines().find(|line| line.starts_with("flags"))?;
    Some(if flags.split_whitespace().any(|flag| flag == "hypervisor") {
        Virtualisation::VirtualMachine
    } else {
        Virtualisation::None
    })
}

/// The identity of an installation is made when it is first started.
fn installed_ms(roots: &Roots) -> Option<i64> {
    let made = fs::metadata(roots.root.join(MACHINE_ID)).ok()?;
    let made = made.created().or_else(|_| made.modified()).ok()?;
    let since = made.duration_since(UNIX_EPOCH).ok()?;
    // Images that are made to be the same every time have no time.
    i64::try_from(since.as_millis()).ok().filter(|ms| *ms > 0)
}

fn drives(roots: &Roots, missing: &mut Vec<String>) -> Vec<DriveFacts> {
    let labels = disk::labels(roots);
    let mut reader = DriveReader::new(roots);
    match reader.read() {
        Ok(drives) => {
            let hanging = drives.iter().filter(|drive| drive.hangs);
            missing
                .extend(hanging.map(|drive| format!("{}: it does not answer", drive.mount_point)));
            drives.iter().map(|drive| drive_facts(roots, drive, &labels)).collect()
        }
        Err(error) => {
            missing.push(format!("drives: {}", crate::chain(&error)));
            Vec::new()
        }
    }
}

fn drive_facts(roots: &Roots, drive: &Drive, labels: &[(String, String)]) -> DriveFacts {
    let source = Path::new(&drive.device);
    // `/dev/mapper/vg-home` is a link to `../dm-0`; labels are links to that, too.
    let target = source.strip_prefix("/").ok();
    let target = target.and_then(|source| fs::read_link(roots.root.join(source)).ok());
    let device = target.as_deref().unwrap_or(source).file_name().unwrap_or_default();
    let label = labels.iter().find(|(name, _)| device == name.as_str());
    let label = label.map(|(_, label)| label.clone());
    DriveFacts {
        mount_point: drive.mount_point.clone(),
        label,
        device: drive.device.clone(),
        file_system: drive.file_system.clone(),
        size_bytes: drive.size_bytes,
        free_bytes: drive.available_bytes,
        used_bytes: drive.size_bytes.saturating_sub(drive.free_bytes),
    }
}

/// The names in a folder, sorted; none if it is not there.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    #[test]
    fn drives_on_logical_volumes_have_their_labels() {
        let tree = Tree::empty().unwrap();
        for folder in ["dev/mapper", "dev/disk/by-label"] {
            fs::create_dir_all(tree.path().join(folder)).unwrap();
        }
        for (link, target) in [
            ("dev/mapper/vg-root", "../dm-0"),
            ("dev/disk/by-label/system", "../../dm-0"),
            ("dev/disk/by-label/start", "../../sda1"),
        ] {
            std::os::unix::fs::symlink(target, tree.path().join(link)).unwrap();
        }
        let roots = Roots::recorded(tree.path());
        let label = |device: &str| {
            let drive = Drive { device: device.to_owned(), ..Drive::default() };
            drive_facts(&roots, &drive, &disk::labels(&roots)).label
        };
        assert_eq!(label("/dev/mapper/vg-root").as_deref(), Some("system"));
        assert_eq!(label("/dev/sda1").as_deref(), Some("start"));
        assert_eq!(label("tank/data"), None);
    }

    #[test]
    fn what_is_not_told_of_the_computer_is_named() {
        let tree = Tree::empty().unwrap();
        let roots = Roots::recorded(tree.path());
        let missing = inventory(&roots).missing;
        for what in ["manufacturer: ", "model: ", "time of installation: "] {
            assert!(missing.iter().any(|why| why.starts_with(what)), "{missing:?}");
        }
        tree.write("sys/class/dmi/id/sys_vendor", "Maker\n").unwrap();
        tree.write("sys/class/dmi/id/product_name", "Thing 5\n").unwrap();
        tree.write("etc/machine-id", "0\n").unwrap();
        let missing = inventory(&roots).missing;
        for what in ["manufacturer: ", "model: ", "time of installation: "] {
            assert!(!missing.iter().any(|why| why.starts_with(what)), "{missing:?}");
        }
    }
}
