//! Sensors of monitoring chips.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::small_file::{number, numbered, text};
use crate::Error;
use crate::parse::hwmon::{channel, value};
use crate::readings::{Sensor, SensorKind};
use crate::roots::Roots;

/// Reads `/sys/class/hwmon`. Many chips are asked over a slow bus.
#[derive(Debug)]
pub(crate) struct HwmonReader {
    folder: PathBuf,
    sensors: Vec<Sensor>,
}

impl HwmonReader {
    /// Servers with a chip for each disk have some dozens.
    const MAX_CHIPS: usize = 256;
    const MAX_SENSORS_PER_CHIP: usize = 256;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self { folder: roots.sys.join("class/hwmon"), sensors: Vec::new() }
    }

    pub(crate) fn read(&mut self) -> Result<&[Sensor], Error> {
        self.sensors.clear();
        if !self.folder.is_dir() {
            let why = format!("{} is missing (kernel without CONFIG_HWMON)", self.folder.display());
            return Err(Error::Absent { what: "sensors of the board", why });
        }
        let mut chips = HashSet::new();
        for number in numbered(&self.folder, "hwmon").into_iter().take(Self::MAX_CHIPS) {
            let folder = self.folder.join(format!("hwmon{number}"));
            // Drivers of old kernels keep their files with the device.
            let is_old = !folder.join("name").exists();
            let files = if is_old { folder.join("device") } else { folder.clone() };
            let mut chip = chip_name(&files, &folder);
            // Two chips without a device are told apart by their numbers.
            if !chips.insert(chip.clone()) {
                chip = format!("{chip} {number}");
                chips.insert(chip.clone());
            }
            self.read_chip(&files, &chip);
        }
        Ok(&self.sensors)
    }

    fn read_chip(&mut self, folder: &Path, chip: &str) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        let mut channels: Vec<_> = names.iter().filter_map(|name| channel(name)).collect();
        channels.sort_unstable_by_key(|one| (one.kind, one.number, one.is_average));
        channels.dedup_by_key(|one| (one.kind, one.number));
        let first = self.sensors.len();
        for one in channels.into_iter().take(Self::MAX_SENSORS_PER_CHIP) {
            let file = |what: &str| folder.join(format!("{}_{what}", one.stem));
            let measured = |what: &str| number(&file(what)).map(|raw| value(one.kind, raw));
            let label = text(&file("label")).filter(|label| !label.is_empty());
            let mut name = label.unwrap_or_else(|| one.stem.to_owned());
            let is_taken = |known: &Sensor| known.kind == one.kind && known.name == name;
            if self.sensors[first..].iter().any(is_taken) {
                name = format!("{name} {}", one.stem);
            }
            let is_temperature = one.kind == SensorKind::Temperature;
            self.sensors.push(Sensor {
                chip: chip.to_owned(),
                kind: one.kind,
                name,
                // A sensor whose device sleeps, or that is not connected, refuses to be read.
                value: measured(if one.is_average { "average" } else { "input" }),
                critical: if is_temperature { measured("crit").filter(|c| *c > 0.0) } else { None },
                alarm: number::<u8>(&file("alarm")).map(|alarm| alarm != 0),
            });
        }
    }
}

/// The driver's name and the device's; only the latter where it says both.
fn chip_name(files: &Path, folder: &Path) -> String {
    let driver = text(&files.join("name")).unwrap_or_default();
    let device = fs::read_link(folder.join("device")).ok();
    let device = device.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    match device {
        Some(device) if device.starts_with(&driver) => device.to_owned(),
        Some(device) => format!("{driver} {device}"),
        None => driver,
    }
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    fn read(files: &[(&str, &str)], links: &[(&str, &str)]) -> Vec<Sensor> {
        let tree = Tree::empty().unwrap();
        for (path, content) in files {
            tree.write(&format!("sys/{path}"), content).unwrap();
        }
        for (path, target) in links {
            let at = |path: &str| tree.path().join("sys").join(path);
            fs::create_dir_all(at(target)).unwrap();
            std::os::unix::fs::symlink(at(target), at(path)).unwrap();
        }
        HwmonReader::new(&Roots::recorded(tree.path())).read().unwrap().to_vec()
    }

    fn brief(sensors: &[Sensor]) -> Vec<(&str, &str, Option<f64>)> {
        sensors.iter().map(|one| (one.chip.as_str(), one.name.as_str(), one.value)).collect()
    }

    #[test]
    fn a_chip_tells_temperatures_fans_and_voltages_by_their_labels() {
        let chip = "class/hwmon/hwmon0";
        let file = |name: &str| format!("{chip}/{name}");
        let files = [
            ("name", "nct6775\n"),
            ("temp1_input", "45500\n"),
            ("temp1_label", "SYSTIN\n"),
            ("temp1_crit", "100000\n"),
            ("temp1_alarm", "1\n"),
            ("temp2_input", "-3000\n"),
            ("temp2_label", "SYSTIN\n"),
            ("fan1_input", "1180\n"),
            ("in0_input", "1216\n"),
            ("power1_average", "65000000\n"),
            ("power1_input", "66000000\n"),
        ]
        .map(|(name, content)| (file(name), content));
        let files: Vec<_> = files.iter().map(|(name, content)| (name.as_str(), *content)).collect();
        let device = file("device");
        let found = read(&files, &[(&device, "devices/platform/nct6775.656")]);
        let expect = [
            ("nct6775.656", "SYSTIN", Some(45.5)),
            ("nct6775.656", "SYSTIN temp2", Some(-3.0)),
            ("nct6775.656", "fan1", Some(1180.0)),
            ("nct6775.656", "in0", Some(1.216)),
            ("nct6775.656", "power1", Some(66.0)),
        ];
        assert_eq!(brief(&found), expect);
        assert_eq!((found[0].critical, found[0].alarm), (Some(100.0), Some(true)));
        assert_eq!((found[2].critical, found[2].alarm), (None, None));
    }

    #[test]
    fn chips_of_one_kind_are_told_apart_and_old_drivers_are_read() {
        let found = read(
            &[
                ("class/hwmon/hwmon0/name", "acpitz\n"),
                ("class/hwmon/hwmon0/temp1_input", "20000\n"),
                ("class/hwmon/hwmon1/name", "acpitz\n"),
                ("class/hwmon/hwmon1/temp1_input", "what\n"),
                ("class/hwmon/hwmon1/temp1_label", "\n"),
                ("devices/platform/w83627hf.656/name", "w83627hf\n"),
                ("devices/platform/w83627hf.656/fan1_input", "900\n"),
                ("class/hwmon/hwmon2/uevent", ""),
            ],
            &[("class/hwmon/hwmon2/device", "devices/platform/w83627hf.656")],
        );
        let expect = [
            ("acpitz", "temp1", Some(20.0)),
            ("acpitz 1", "temp1", None),
            ("w83627hf.656", "fan1", Some(900.0)),
        ];
        assert_eq!(brief(&found), expect);
    }

    #[test]
    fn a_machine_without_sensors_tells_none_and_a_kernel_without_them_is_known() {
        assert_eq!(read(&[("class/hwmon/x", "")], &[]), []);
        let tree = Tree::empty().unwrap();
        let mut reader = HwmonReader::new(&Roots::recorded(tree.path()));
        assert!(reader.read().unwrap_err().is_absent());
    }
}
