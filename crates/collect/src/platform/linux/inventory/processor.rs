//! Processors.

use std::collections::{BTreeMap, BTreeSet};

use super::{names, number};
use crate::parse::cpuinfo;
use crate::readings::Processor;
use crate::roots::Roots;

/// Those that are online, by socket. `name` is that of the first, which the others share.
pub(super) fn processors(roots: &Roots, name: Option<&str>) -> Vec<Processor> {
    let folder = roots.sys.join("devices/system/cpu");
    let mut sockets: BTreeMap<u32, (Processor, BTreeSet<u64>)> = BTreeMap::new();
    for cpu in names(&folder) {
        let Some(digits) = cpu.strip_prefix("cpu") else { continue };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let path = folder.join(&cpu);
        // What is offline has no place.
        let Some(package) = number(&path.join("topology/physical_package_id")) else { continue };
        let place = sockets.entry(u32::try_from(package).unwrap_or_default()).or_default();
        let (processor, cores) = place;
        processor.logical += 1;
        cores.extend(number(&path.join("topology/core_id")));
        let hertz = |file: &str| {
            let kilohertz = number(&path.join("cpufreq").join(file))?;
            Some(kilohertz as f64 * 1e3)
        };
        let faster = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        processor.maximum_hertz = faster(processor.maximum_hertz, hertz("cpuinfo_max_freq"));
        processor.current_hertz = faster(processor.current_hertz, hertz("scaling_cur_freq"));
    }
    // Where the kernel does not govern the speed, as in a virtual machine, it may still tell it.
    let text = std::fs::read(roots.proc.join("cpuinfo")).unwrap_or_default();
    let told = cpuinfo::megahertz(&text).into_iter().map(|(_, megahertz)| megahertz * 1e6);
    let told = told.reduce(f64::max);
    let finish = |(socket, (processor, cores)): (u32, (Processor, BTreeSet<u64>))| Processor {
        socket,
        name: name.map(str::to_owned),
        current_hertz: processor.current_hertz.or(told),
        cores: u32::try_from(cores.len()).ok().filter(|cores| *cores > 0),
        ..processor
    };
    sockets.into_iter().map(finish).collect()
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    #[test]
    fn threads_share_cores_and_cores_share_sockets() {
        let tree = Tree::empty().unwrap();
        for (cpu, package, core) in [(0, 0, 0), (1, 0, 0), (2, 0, 1), (3, 1, 0)] {
            let folder = format!("sys/devices/system/cpu/cpu{cpu}");
            tree.write(&format!("{folder}/topology/physical_package_id"), format!("{package}\n"))
                .unwrap();
            tree.write(&format!("{folder}/topology/core_id"), format!("{core}\n")).unwrap();
            tree.write(&format!("{folder}/cpufreq/cpuinfo_max_freq"), "3000000\n").unwrap();
        }
        tree.write("sys/devices/system/cpu/cpuidle/x", "").unwrap();
        let found = processors(&Roots::recorded(tree.path()), Some("CPU"));
        let brief: Vec<_> = found.iter().map(|p| (p.socket, p.cores, p.logical)).collect();
        assert_eq!(brief, [(0, Some(2), 3), (1, Some(1), 1)]);
        assert_eq!(found[0].maximum_hertz, Some(3e9));
    }
}
