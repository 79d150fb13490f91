//! Where processors are, how fast they run, how deep they sleep: `/sys/devices/system`.

use std::path::PathBuf;

use super::kept_file::KeptFile;
use super::small_file::{number, numbered, text};
use crate::Error;
use crate::parse::{cpu_list, cpuinfo};
use crate::readings::{CpuClock, CpuIdleState, CpuPlace};
use crate::roots::Roots;

/// Reads which processors are present and online, and the nodes that they belong to.
#[derive(Debug)]
pub(crate) struct CpuPlaceReader {
    present: KeptFile,
    online: KeptFile,
    nodes: PathBuf,
    places: Vec<CpuPlace>,
}

impl CpuPlaceReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        let file = |name: &str| KeptFile::new(roots.sys.join("devices/system/cpu").join(name));
        Self {
            present: file("present"),
            online: file("online"),
            nodes: roots.sys.join("devices/system/node"),
            places: Vec::new(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&[CpuPlace], Error> {
        let list = |file: &mut KeptFile| {
            file.read_if_there("places of processors", "no sysfs here", cpu_list::parse)
        };
        let present = list(&mut self.present)?;
        let online = list(&mut self.online)?;
        self.places.clear();
        self.places.extend(present.into_iter().map(|cpu| CpuPlace {
            cpu,
            is_online: online.contains(&cpu),
            node: 0,
        }));
        for node in numbered(&self.nodes, "node") {
            let path = self.nodes.join(format!("node{node}/cpulist"));
            let Some(members) = text(&path) else { continue };
            let members = cpu_list::parse(members.as_bytes())
                .map_err(|source| Error::Parse { path, source })?;
            for place in self.places.iter_mut().filter(|place| members.contains(&place.cpu)) {
                place.node = node;
            }
        }
        Ok(&self.places)
    }
}

/// Reads `cpufreq`, and where that is missing `/proc/cpuinfo`.
#[derive(Debug)]
pub(crate) struct CpuClockReader {
    folder: PathBuf,
    cpuinfo: KeptFile,
    clocks: Vec<CpuClock>,
}

impl CpuClockReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            folder: roots.sys.join("devices/system/cpu"),
            cpuinfo: KeptFile::new(roots.proc.join("cpuinfo")),
            clocks: Vec::new(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&[CpuClock], Error> {
        self.clocks.clear();
        for cpu in numbered(&self.folder, "cpu") {
            let folder = self.folder.join(format!("cpu{cpu}"));
            let kilohertz = |name: &str| {
                number::<f64>(&folder.join("cpufreq").join(name)).map(|value| value * 1e3)
            };
            let max = kilohertz("cpuinfo_max_freq");
            let nominal = || {
                let megahertz = number::<f64>(&folder.join("acpi_cppc/nominal_freq"));
                megahertz.filter(|value| *value > 0.0).map(|value| value * 1e6)
            };
            let clock = CpuClock {
                cpu,
                now: kilohertz("scaling_cur_freq"),
                limit: kilohertz("scaling_max_freq"),
                max,
                base: kilohertz("base_frequency").or_else(nominal).or(max),
            };
            if clock.now.is_some() {
                self.clocks.push(clock);
            }
        }
        if self.clocks.is_empty() {
            self.clocks = self
                .cpuinfo
                .read_if_there("processor frequencies", "no procfs here", |text| {
                    Ok(cpuinfo::megahertz(text))
                })?
                .into_iter()
                .map(|(cpu, megahertz)| CpuClock {
                    cpu,
                    now: Some(megahertz * 1e6),
                    ..CpuClock::default()
                })
                .collect();
        }
        if self.clocks.is_empty() {
            return Err(Error::Absent {
                what: "processor frequencies",
                why: "no cpufreq driver, as in most virtual machines, and none in cpuinfo".into(),
            });
        }
        Ok(&self.clocks)
    }
}

/// Reads `cpuidle`.
#[derive(Debug)]
pub(crate) struct CpuIdleReader {
    folder: PathBuf,
    states: Vec<CpuIdleState>,
}

impl CpuIdleReader {
    /// The kernel's own limit.
    const MAX_STATES: u32 = 10;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self { folder: roots.sys.join("devices/system/cpu"), states: Vec::new() }
    }

    pub(crate) fn read(&mut self) -> Result<&[CpuIdleState], Error> {
        self.states.clear();
        for cpu in numbered(&self.folder, "cpu") {
            for state in 0..Self::MAX_STATES {
                let folder = self.folder.join(format!("cpu{cpu}/cpuidle/state{state}"));
                let Some(entries) = number(&folder.join("usage")) else { break };
                let Some(microseconds) = number::<f64>(&folder.join("time")) else { break };
                let name = text(&folder.join("name")).unwrap_or_default();
                let seconds = microseconds / 1e6;
                self.states.push(CpuIdleState { cpu, state, name, seconds, entries });
            }
        }
        if self.states.is_empty() {
            return Err(Error::Absent {
                what: "idle states of processors",
                why: "no cpuidle driver, as in most virtual machines".into(),
            });
        }
        Ok(&self.states)
    }
}
