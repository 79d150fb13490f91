//! What the doctor asks of Linux.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use barograph_model::Clock;

use super::host::host_facts;
use super::small_file::text;
use crate::doctor::{FileFact, FileState, LinuxFacts, Rights, SystemFacts};
use crate::parse::doctor::{capabilities, cpu_limit, hidepid, kernel_version, own_groups};
use crate::roots::Roots;

/// Below `/proc` and `/sys`: what comes from it, and whether headline metrics do.
const FILES: [(&str, &str, bool); 17] = [
    ("proc/stat", "processor times", true),
    ("proc/meminfo", "memory", true),
    ("proc/vmstat", "paging", false),
    ("proc/diskstats", "disks", true),
    ("proc/net/dev", "network adapters", true),
    ("proc/net/snmp", "TCP and UDP", false),
    ("proc/loadavg", "load and threads", true),
    ("proc/uptime", "uptime", true),
    ("proc/swaps", "paging files", false),
    ("proc/interrupts", "interrupts per processor", false),
    ("proc/softirqs", "software interrupts per processor", false),
    ("proc/self/mountinfo", "drives", true),
    ("proc/pressure/cpu", "waiting for processors", false),
    ("proc/pressure/memory", "waiting for memory", false),
    ("proc/pressure/io", "waiting for disks", false),
    ("sys/class/net", "speed of network adapters", false),
    ("sys/devices/system/cpu/online", "places of processors", false),
];

pub(crate) fn doctor_facts(roots: &Roots, clock: &Arc<dyn Clock>) -> SystemFacts {
    let facts = host_facts(roots);
    let mounts = text_of(&roots.proc.join("self/mounts"));
    let groups = own_groups(&text_of(&roots.proc.join("self/cgroup")));
    let limits = Limits::of(roots, &groups.paths);
    SystemFacts::Linux(LinuxFacts {
        kernel: facts.kernel.as_deref().and_then(kernel_version),
        files: FILES.iter().map(|of| file(roots, &**clock, of)).collect(),
        rights: rights(&text_of(&roots.proc.join("self/status"))),
        hidepid: hidepid(&mounts),
        cgroup_versions: groups.versions,
        memory_limit_bytes: limits.memory_bytes,
        memory_total_bytes: facts.memory_bytes,
        cpu_limit: limits.cpus,
        cpu_count: facts.cpu_count,
        clock_source: text(
            &roots.sys.join("devices/system/clocksource/clocksource0/current_clocksource"),
        ),
    })
}

fn rights(status: &str) -> Rights {
    // By the kernel's numbers.
    const DAC_OVERRIDE: u32 = 1;
    const DAC_READ_SEARCH: u32 = 2;
    const NET_ADMIN: u32 = 12;
    const SYS_PTRACE: u32 = 19;
    let held = capabilities(status).unwrap_or_default();
    let has = |capability: u32| held >> capability & 1 == 1;
    Rights {
        traces: has(SYS_PTRACE),
        reads_all: has(DAC_READ_SEARCH) || has(DAC_OVERRIDE),
        administers_net: has(NET_ADMIN),
    }
}

fn text_of(path: &Path) -> String {
    const MAX_BYTES: u64 = 1024 * 1024;
    let mut bytes = Vec::new();
    // What cannot be read tells nothing here; the files that matter are checked by themselves.
    if let Ok(file) = File::open(path) {
        file.take(MAX_BYTES).read_to_end(&mut bytes).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn file(roots: &Roots, clock: &dyn Clock, of: &(&str, &'static str, bool)) -> FileFact {
    let (name, what, is_basic) = *of;
    let path = match name.split_once('/') {
        Some(("proc", rest)) => roots.proc.join(rest),
        Some((_, rest)) => roots.sys.join(rest),
        None => roots.root.join(name),
    };
    let began = clock.monotonic();
    let state = match read(&path) {
        Ok(()) => FileState::Readable,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::Unsupported => FileState::Missing,
            io::ErrorKind::PermissionDenied => FileState::Denied,
            _ => FileState::Failed(error.to_string()),
        },
    };
    let seconds = clock.monotonic().saturating_sub(began).as_secs_f64();
    FileFact { path: path.display().to_string(), what, is_basic, state, seconds }
}

fn read(path: &Path) -> io::Result<()> {
    const MAX_BYTES: u64 = 16 * 1024 * 1024;
    if fs::metadata(path)?.is_dir() {
        return fs::read_dir(path).map(drop);
    }
    io::copy(&mut File::open(path)?.take(MAX_BYTES), &mut io::sink()).map(drop)
}

/// The narrowest limits of the groups that this program is in, and of those around them.
#[derive(Debug, Default)]
struct Limits {
    memory_bytes: Option<u64>,
    cpus: Option<f64>,
}

impl Limits {
    fn of(roots: &Roots, groups: &[(String, String)]) -> Self {
        let mut limits = Self::default();
        let root = roots.sys.join("fs/cgroup");
        for (controller, path) in groups {
            let base = root.join(controller);
            let mut folder = base.join(path.trim_start_matches('/'));
            loop {
                limits.narrow(&folder);
                if folder == base || !folder.pop() || !folder.starts_with(&base) {
                    break;
                }
            }
        }
        limits
    }

    fn narrow(&mut self, folder: &Path) {
        // The first is of version 2, the second of version 1.
        for name in ["memory.max", "memory.limit_in_bytes"] {
            let bytes = text(&folder.join(name)).and_then(|text| text.parse::<u64>().ok());
            self.memory_bytes = [self.memory_bytes, bytes].into_iter().flatten().min();
        }
        let of_two = text(&folder.join("cpu.max"));
        let of_one = || {
            let quota = text(&folder.join("cpu.cfs_quota_us"))?;
            Some(format!("{quota} {}", text(&folder.join("cpu.cfs_period_us"))?))
        };
        let cpus = of_two.or_else(of_one).and_then(|text| cpu_limit(&text));
        self.cpus = [self.cpus, cpus].into_iter().flatten().reduce(f64::min);
    }
}

#[cfg(test)]
mod tests {
    use barograph_model::SystemClock;
    use barograph_testkit::Tree;

    use super::*;

    fn linux(tree: &Tree) -> LinuxFacts {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        match doctor_facts(&Roots::recorded(tree.path()), &clock) {
            SystemFacts::Linux(linux) => linux,
            SystemFacts::Windows(_) => unreachable!(),
        }
    }

    #[test]
    fn limits_are_the_narrowest_on_the_way_up() {
        let tree = Tree::empty().unwrap();
        tree.write("proc/self/cgroup", "0::/a/b\n").unwrap();
        tree.write("sys/fs/cgroup/a/memory.max", "1048576\n").unwrap();
        tree.write("sys/fs/cgroup/a/b/memory.max", "max\n").unwrap();
        tree.write("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n").unwrap();
        let facts = linux(&tree);
        assert_eq!((facts.memory_limit_bytes, facts.cpu_limit), (Some(1 << 20), Some(1.5)));
        assert_eq!(facts.cgroup_versions, [2]);
    }

    #[test]
    fn limits_of_the_first_version_are_read_too() {
        let tree = Tree::empty().unwrap();
        tree.write("proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/x\n").unwrap();
        tree.write("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "4096\n").unwrap();
        tree.write("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "50000\n").unwrap();
        tree.write("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n").unwrap();
        let facts = linux(&tree);
        assert_eq!((facts.memory_limit_bytes, facts.cpu_limit), (Some(4096), Some(0.5)));
        assert_eq!(facts.cgroup_versions, [1]);
    }

    #[test]
    fn rights_are_capabilities_whoever_the_user_is() {
        let of = |bits: u64| rights(&format!("Uid:\t0\t0\t0\t0\nCapEff:\t{bits:016x}\n"));
        let all = Rights { traces: true, reads_all: true, administers_net: true };
        assert_eq!(of(1 << 2 | 1 << 12 | 1 << 19), all);
        assert_eq!(of(1 << 1 | 1 << 19), Rights { administers_net: false, ..all });
        assert_eq!(of(1 << 7), Rights::default());
        assert_eq!(rights(""), Rights::default());
    }

    #[test]
    fn files_are_readable_or_missing() {
        let tree = Tree::empty().unwrap();
        tree.write("proc/stat", "cpu 1\n").unwrap();
        tree.write("proc/self/mounts", "proc /proc proc rw,hidepid=invisible 0 0\n").unwrap();
        tree.write("proc/sys/kernel/osrelease", "5.4.0-1\n").unwrap();
        let facts = linux(&tree);
        let state = |name: &str| {
            let is_it = |file: &&FileFact| file.path.ends_with(name);
            facts.files.iter().find(is_it).map(|file| file.state.clone())
        };
        assert_eq!(state("proc/stat"), Some(FileState::Readable));
        assert_eq!(state("proc/meminfo"), Some(FileState::Missing));
        assert_eq!(facts.hidepid.as_deref(), Some("invisible"));
        assert_eq!(facts.kernel, Some([5, 4]));
    }
}
