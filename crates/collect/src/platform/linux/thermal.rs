//! Temperatures.

use std::fs;
use std::path::{Path, PathBuf};

use super::small_file::{number, numbered, text};
use crate::Error;
use crate::readings::ThermalZone;
use crate::roots::Roots;

/// Reads `/sys/class/thermal`. Some zones ask a chip over a slow bus.
#[derive(Debug)]
pub(crate) struct ThermalReader {
    folder: PathBuf,
    zones: Vec<ThermalZone>,
}

const ZERO_CELSIUS: f64 = 273.15;

impl ThermalReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { folder: roots.sys.join("class/thermal"), zones: Vec::new() }
    }

    pub(crate) fn read(&mut self) -> Result<&[ThermalZone], Error> {
        self.zones.clear();
        let numbers = numbered(&self.folder, "thermal_zone");
        if numbers.is_empty() {
            return Err(Error::Absent {
                what: "temperatures",
                why: "no thermal zones, as in most virtual machines".into(),
            });
        }
        for zone in numbers {
            let folder = self.folder.join(format!("thermal_zone{zone}"));
            // A zone whose device sleeps refuses to be read, and some give nonsense until then.
            let Some(millicelsius) = number::<f64>(&folder.join("temp")) else { continue };
            let kelvin = millicelsius / 1000.0 + ZERO_CELSIUS;
            if !(kelvin.is_finite() && kelvin > 0.0) {
                continue;
            }
            let kind = text(&folder.join("type")).unwrap_or_default();
            self.zones.push(ThermalZone {
                name: format!("{kind} {zone}").trim_start().to_owned(),
                kelvin,
                passive_limit_percent: passive_limit(&folder),
            });
        }
        Ok(&self.zones)
    }
}

/// What the hardest working of the zone's cooling devices leaves.
fn passive_limit(zone: &Path) -> Option<f64> {
    let devices = numbered(zone, "cdev");
    let shares = devices.iter().filter_map(|device| {
        let folder = fs::canonicalize(zone.join(format!("cdev{device}"))).ok()?;
        let max = number::<f64>(&folder.join("max_state")).filter(|max| *max > 0.0)?;
        Some(number::<f64>(&folder.join("cur_state"))? / max)
    });
    let hardest = shares.reduce(f64::max)?;
    Some(100.0 * (1.0 - hardest.clamp(0.0, 1.0)))
}
