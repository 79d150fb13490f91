//! The block devices below mounted file systems.

use std::fs;
use std::path::{Path, PathBuf};

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::diskstats::{self, Device};
use crate::parse::mountinfo::{self, Mount};
use crate::readings::Volume;
use crate::roots::Roots;
use crate::rows::Rows;

/// Reads `/proc/diskstats`, and now and then what is mounted.
#[derive(Debug)]
pub(crate) struct VolumeReader {
    diskstats: KeptFile,
    mountinfo: KeptFile,
    root: PathBuf,
    mounted: Vec<Mounted>,
    readings_until_refresh: u32,
    devices: Rows<Device>,
    volumes: Rows<Volume>,
}

/// A mount and how its device is known.
#[derive(Debug)]
struct Mounted {
    mount_point: String,
    number: [u64; 2],
    /// `sda2`, `dm-0`: for file systems over several devices, whose own number is nobody's.
    name: String,
}

impl VolumeReader {
    const READINGS_PER_REFRESH: u32 = 10;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            diskstats: KeptFile::new(roots.proc.join("diskstats")),
            mountinfo: KeptFile::new(roots.proc.join("self/mountinfo")),
            root: roots.root.clone(),
            mounted: Vec::new(),
            readings_until_refresh: 0,
            devices: Rows::default(),
            volumes: Rows::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Volume>, Error> {
        if self.readings_until_refresh == 0 {
            let mounts = mountinfo::local_disks(self.mountinfo.read(mountinfo::parse)?);
            self.mounted = mounts.into_iter().map(|mount| mounted(mount, &self.root)).collect();
            self.readings_until_refresh = Self::READINGS_PER_REFRESH;
        }
        self.readings_until_refresh -= 1;
        let Self { diskstats, mounted, devices, volumes, .. } = self;
        let wanted = |number: [u64; 2], name: &[u8]| mounted.iter().any(|m| m.is_on(number, name));
        diskstats.read_if_there("disk counters", "container or no block devices", |text| {
            diskstats::parse_some(text, wanted, devices)
        })?;
        volumes.clear();
        for mount in mounted {
            let is_its = |d: &&Device| mount.is_on(d.number, d.totals.name.as_bytes());
            if let Some(device) = devices.iter().find(is_its) {
                let volume = volumes.add();
                volume.mount_point.clone_from(&mount.mount_point);
                volume.device.clone_from(&device.totals);
            }
        }
        Ok(volumes)
    }
}

impl Mounted {
    fn is_on(&self, number: [u64; 2], name: &[u8]) -> bool {
        // Major 0 is for file systems that no one device stands behind.
        if self.number[0] == 0 { self.name.as_bytes() == name } else { self.number == number }
    }
}

fn mounted(mount: Mount, root: &Path) -> Mounted {
    let number = mount
        .device_number
        .split_once(':')
        .and_then(|(major, minor)| Some([major.parse().ok()?, minor.parse().ok()?]));
    let number = number.unwrap_or([0, 0]);
    let source = Path::new(&mount.source);
    // `/dev/mapper/vg-home` is a link to `../dm-0`.
    let target = if number[0] == 0 && source.is_absolute() {
        fs::read_link(root.join(mount.source.trim_start_matches('/'))).ok()
    } else {
        None
    };
    let name = target.as_deref().unwrap_or(source).file_name();
    Mounted {
        mount_point: mount.mount_point,
        number,
        name: name.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
    }
}
