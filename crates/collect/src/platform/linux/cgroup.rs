//! Control groups, of both versions.

use std::fs;
use std::path::{Path, PathBuf};

use super::kept_file::KeptFile;
use super::small_file;
use crate::Error;
use crate::parse::cgroup_files::{cpu_max, io_bytes, limit, path_in};
use crate::parse::keyed::Keyed;
use crate::readings::{Cgroup, Container, Limits};
use crate::roots::Roots;

/// Finds the groups once in a while, and reads each.
#[derive(Debug)]
pub(crate) struct CgroupReader {
    tree: GroupTree,
    groups: Vec<Cgroup>,
    readings_until_list: u32,
}

/// Where the groups are.
#[derive(Debug)]
struct GroupTree {
    root: PathBuf,
    /// `/proc/self/cgroup`
    own: PathBuf,
}

/// A hierarchy for each controller, or one for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    First,
    Second,
}

impl CgroupReader {
    /// With the limits, which hardly change.
    const READINGS_PER_LIST: u32 = 6;
    /// A machine with more is looked at in part.
    const MAX_GROUPS: usize = 500;
    const MAX_DEPTH: usize = 10;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self { tree: GroupTree::new(roots), groups: Vec::new(), readings_until_list: 0 }
    }

    pub(crate) fn read(&mut self) -> Result<&[Cgroup], Error> {
        let version = self.tree.version()?;
        if self.readings_until_list == 0 {
            self.readings_until_list = Self::READINGS_PER_LIST;
            self.list(version);
        }
        self.readings_until_list -= 1;
        let tree = &self.tree;
        self.groups.retain_mut(|group| tree.fill(version, group));
        Ok(&self.groups)
    }

    fn list(&mut self, version: Version) {
        let hierarchies: &[&str] = match version {
            Version::First => &["memory", "cpuacct", "pids"],
            Version::Second => &[""],
        };
        let mut paths = Vec::new();
        for hierarchy in hierarchies {
            walk(&self.tree.root.join(hierarchy), "", 0, &mut paths);
        }
        paths.sort();
        paths.dedup();
        paths.truncate(Self::MAX_GROUPS);
        let group = |path: String| {
            let limits = self.tree.limits(version, &path);
            Cgroup { path, limits, ..Cgroup::default() }
        };
        self.groups = paths.into_iter().map(group).collect();
    }
}

/// Services and scopes, and what has no groups below it.
fn walk(folder: &Path, path: &str, depth: usize, found: &mut Vec<String>) {
    let is_unit = [".service", ".scope"].iter().any(|kind| path.ends_with(kind));
    let mut below = Vec::new();
    if !is_unit && depth < CgroupReader::MAX_DEPTH {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        below.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .filter_map(|entry| entry.file_name().into_string().ok()),
        );
    }
    if below.is_empty() && !path.is_empty() && found.len() < 4 * CgroupReader::MAX_GROUPS {
        found.push(path.to_owned());
    }
    for name in below {
        walk(&folder.join(&name), &format!("{path}/{name}"), depth + 1, found);
    }
}

impl GroupTree {
    fn new(roots: &Roots) -> Self {
        Self { root: roots.sys.join("fs/cgroup"), own: roots.proc.join("self/cgroup") }
    }

    fn version(&self) -> Result<Version, Error> {
        if self.root.join("cgroup.controllers").exists() {
            Ok(Version::Second)
        } else if ["memory", "cpuacct", "pids"].iter().any(|name| self.root.join(name).is_dir()) {
            Ok(Version::First)
        } else {
            let why = format!("nothing is mounted at {}", self.root.display());
            Err(Error::Absent { what: "control groups", why })
        }
    }

    fn file(&self, hierarchy: &str, path: &str, name: &str) -> PathBuf {
        self.root.join(hierarchy).join(path.trim_start_matches('/')).join(name)
    }

    fn text(&self, hierarchy: &str, path: &str, name: &str) -> Option<String> {
        small_file::text(&self.file(hierarchy, path, name))
    }

    fn number(&self, hierarchy: &str, path: &str, name: &str) -> Option<u64> {
        small_file::number(&self.file(hierarchy, path, name))
    }

    fn named<const N: usize>(
        &self,
        hierarchy: &str,
        path: &str,
        file: &str,
        names: [&'static str; N],
    ) -> [Option<u64>; N] {
        let mut keyed = Keyed::new(names.map(|name| ("", name)));
        if let Some(text) = self.text(hierarchy, path, file)
            && keyed.parse_lines(text.as_bytes()).is_err()
        {
            keyed.clear();
        }
        let mut found = [None; N];
        found.copy_from_slice(keyed.values());
        found
    }

    fn limit(&self, hierarchy: &str, path: &str, name: &str) -> Option<u64> {
        limit(self.text(hierarchy, path, name)?.as_bytes()).ok()?
    }

    fn limits(&self, version: Version, path: &str) -> Limits {
        match version {
            Version::Second => Limits {
                cpu_cores: self
                    .text("", path, "cpu.max")
                    .and_then(|text| cpu_max(text.as_bytes()).ok()?),
                memory_bytes: self.limit("", path, "memory.max"),
                processes: self.limit("", path, "pids.max"),
            },
            Version::First => {
                let quota = self.limit("cpu", path, "cpu.cfs_quota_us");
                let period = self.number("cpu", path, "cpu.cfs_period_us").filter(|us| *us > 0);
                Limits {
                    cpu_cores: quota.zip(period).map(|(quota, us)| quota as f64 / us as f64),
                    memory_bytes: self.limit("memory", path, "memory.limit_in_bytes"),
                    processes: self.limit("pids", path, "pids.max"),
                }
            }
        }
    }

    /// False for a group that is gone.
    fn fill(&self, version: Version, group: &mut Cgroup) -> bool {
        let path = &*group.path;
        let cpu = self.cpu(version, path);
        let was = [group.cpu_user_seconds, group.cpu_system_seconds, group.cpu_throttled_seconds];
        // Most groups idle, and then hardly anything of theirs changes. All is read anew whenever
        // the groups are listed.
        if cpu[0].is_some() && cpu == was {
            return true;
        }
        let [bytes, working_set] = self.memory(version, path);
        let (pids, io) = match version {
            Version::Second => ("", self.text("", path, "io.stat")),
            Version::First => ("pids", self.text("blkio", path, "blkio.throttle.io_service_bytes")),
        };
        let processes = self.number(pids, path, "pids.current");
        if cpu[0].is_none() && bytes.is_none() && processes.is_none() {
            return false;
        }
        let [kills] = match version {
            Version::Second => self.named("", path, "memory.events", ["oom_kill"]),
            Version::First => self.named("memory", path, "memory.oom_control", ["oom_kill"]),
        };
        let io = io.map(|text| io_bytes(text.as_bytes()));
        [group.cpu_user_seconds, group.cpu_system_seconds, group.cpu_throttled_seconds] = cpu;
        group.memory_bytes = bytes;
        group.memory_working_set_bytes = working_set;
        group.oom_kills = kills;
        group.processes = processes;
        group.read_bytes = io.map(|[read, _]| read);
        group.written_bytes = io.map(|[_, written]| written);
        true
    }

    /// Seconds in programs, in the kernel, and throttled.
    fn cpu(&self, version: Version, path: &str) -> [Option<f64>; 3] {
        let seconds = |value: Option<u64>, per_second: f64| value.map(|n| n as f64 / per_second);
        match version {
            Version::Second => self
                .named("", path, "cpu.stat", ["user_usec", "system_usec", "throttled_usec"])
                .map(|value| seconds(value, 1e6)),
            Version::First => {
                let [user, system] =
                    self.named("cpuacct", path, "cpuacct.stat", ["user", "system"]);
                let [throttled] = self.named("cpu", path, "cpu.stat", ["throttled_time"]);
                [seconds(user, 100.0), seconds(system, 100.0), seconds(throttled, 1e9)]
            }
        }
    }

    /// Bytes in all, and without what is dropped first.
    fn memory(&self, version: Version, path: &str) -> [Option<u64>; 2] {
        let (hierarchy, usage, inactive) = memory_files(version);
        let bytes = self.number(hierarchy, path, usage);
        let [inactive] = self.named(hierarchy, path, "memory.stat", [inactive]);
        [bytes, bytes.map(|bytes| bytes.saturating_sub(inactive.unwrap_or(0)))]
    }

    /// A hierarchy's own group and those above it. In a container the path can be one that only
    /// the host sees; then the root is the container's.
    fn own_paths(&self, hierarchy: &str) -> Vec<String> {
        let text = small_file::text(&self.own).unwrap_or_default();
        let mut path = path_in(text.as_bytes(), hierarchy).unwrap_or_default();
        if path.split('/').any(|part| part == "..") || !self.file(hierarchy, &path, "").is_dir() {
            path.clear();
        }
        let mut paths = vec![path.trim_end_matches('/').to_owned()];
        while let Some((above, _)) = paths.last().and_then(|path| path.rsplit_once('/')) {
            paths.push(above.to_owned());
        }
        paths
    }
}

/// Looks up the limits that this process lives under, and what is used of them.
#[derive(Debug)]
pub(crate) struct ContainerReader {
    tree: GroupTree,
    used: Used,
    readings_until_limits: u32,
}

/// The limits, and the files that tell how much of each is used.
#[derive(Debug, Default)]
struct Used {
    limits: Limits,
    cpu: Option<Named<2>>,
    /// In one second.
    cpu_units: f64,
    memory: Option<(Named<1>, Named<1>)>,
    processes: Option<Named<1>>,
}

/// A file with some numbers that are wanted.
#[derive(Debug)]
struct Named<const N: usize> {
    file: KeptFile,
    keyed: Keyed,
}

impl<const N: usize> Named<N> {
    fn new(path: PathBuf, names: [&'static str; N]) -> Self {
        let keyed = Keyed::new(names.map(|name| ("", name)));
        Self { file: KeptFile::new(path), keyed }
    }

    /// Nothing for what the file does not say. A file without names holds one number.
    fn read(&mut self) -> [Option<u64>; N] {
        let Self { file, keyed } = self;
        keyed.clear();
        let read = file.read(|text| {
            let is_number = text.first().is_some_and(u8::is_ascii_digit);
            if is_number { keyed.parse_numbers(text) } else { keyed.parse_lines(text) }
        });
        let mut found = [None; N];
        if read.is_ok() {
            found.copy_from_slice(keyed.values());
        }
        found
    }
}

impl ContainerReader {
    const READINGS_PER_LIMITS: u32 = 60;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self { tree: GroupTree::new(roots), used: Used::default(), readings_until_limits: 0 }
    }

    /// Without any limit, all of it is absent.
    pub(crate) fn read(&mut self) -> Result<Container, Error> {
        if self.readings_until_limits == 0 {
            self.used = self.used(self.tree.version()?);
            self.readings_until_limits = Self::READINGS_PER_LIMITS;
        }
        self.readings_until_limits -= 1;
        let Used { limits, cpu, cpu_units, memory, processes } = &mut self.used;
        let cpu = cpu.as_mut().and_then(|cpu| {
            let [user, system] = cpu.read();
            Some((user? + system?) as f64 / *cpu_units)
        });
        let working_set = memory.as_mut().and_then(|(bytes, stat)| {
            let ([bytes], [inactive]) = (bytes.read(), stat.read());
            Some(bytes?.saturating_sub(inactive.unwrap_or(0)))
        });
        let processes = processes.as_mut().and_then(|processes| processes.read()[0]);
        Ok(Container {
            limits: *limits,
            cpu_seconds: cpu,
            memory_working_set_bytes: working_set,
            processes,
        })
    }

    fn used(&self, version: Version) -> Used {
        let (limits, [cpu, memory, pids]) = self.limits(version);
        let file = |hierarchy, path: &str, name| self.tree.file(hierarchy, path, name);
        let number = |path| Named::new(path, ["number"]);
        let named_cpu = || match version {
            Version::First => Named::new(file("cpuacct", &cpu, "cpuacct.stat"), ["user", "system"]),
            Version::Second => Named::new(file("", &cpu, "cpu.stat"), ["user_usec", "system_usec"]),
        };
        let (of_memory, usage, inactive) = memory_files(version);
        let of_pids = if version == Version::First { "pids" } else { "" };
        Used {
            limits,
            cpu: limits.cpu_cores.map(|_| named_cpu()),
            cpu_units: if version == Version::First { 100.0 } else { 1e6 },
            memory: limits.memory_bytes.map(|_| {
                let stat = Named::new(file(of_memory, &memory, "memory.stat"), [inactive]);
                (number(file(of_memory, &memory, usage)), stat)
            }),
            processes: limits.processes.map(|_| number(file(of_pids, &pids, "pids.current"))),
        }
    }

    /// The tightest of each kind, and the group that has it.
    fn limits(&self, version: Version) -> (Limits, [String; 3]) {
        let hierarchies = match version {
            Version::First => ["cpu", "memory", "pids"],
            Version::Second => [""; 3],
        };
        let mut tightest = Limits::default();
        let mut paths = [const { String::new() }; 3];
        for (place, hierarchy) in hierarchies.into_iter().enumerate() {
            for path in self.tree.own_paths(hierarchy) {
                let limits = self.tree.limits(version, &path);
                let is_tighter = match place {
                    0 => replace_if_less(&mut tightest.cpu_cores, limits.cpu_cores),
                    1 => replace_if_less(&mut tightest.memory_bytes, limits.memory_bytes),
                    _ => replace_if_less(&mut tightest.processes, limits.processes),
                };
                if is_tighter {
                    paths[place] = path;
                }
            }
        }
        (tightest, paths)
    }
}

/// The hierarchy, the file of what is used, and what of it is dropped first in `memory.stat`.
fn memory_files(version: Version) -> (&'static str, &'static str, &'static str) {
    match version {
        Version::Second => ("", "memory.current", "inactive_file"),
        Version::First => ("memory", "memory.usage_in_bytes", "total_inactive_file"),
    }
}

fn replace_if_less<T: PartialOrd + Copy>(tightest: &mut Option<T>, limit: Option<T>) -> bool {
    let is_less = limit.is_some_and(|limit| tightest.is_none_or(|known| limit < known));
    if is_less {
        *tightest = limit;
    }
    is_less
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> (Tree, Roots) {
        let tree = Tree::empty().unwrap();
        for (name, text) in files {
            tree.write(name, text).unwrap();
        }
        let roots = Roots::recorded(tree.path());
        (tree, roots)
    }

    #[test]
    fn the_second_version_has_one_hierarchy() {
        let group = "sys/fs/cgroup/system.slice/web.service";
        let file = |name: &str| format!("{group}/{name}");
        let (tree, roots) = tree(&[
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n"),
            (&file("cpu.stat"), "usage_usec 3\nuser_usec 2000000\nsystem_usec 500000\n"),
            (&file("cpu.max"), "50000 100000\n"),
            (&file("memory.current"), "1000\n"),
            (&file("memory.stat"), "anon 1\ninactive_file 400\n"),
            (&file("memory.max"), "max\n"),
            (&file("memory.events"), "low 0\noom 1\noom_kill 2\n"),
            (&file("pids.current"), "7\n"),
            (&file("pids.max"), "100\n"),
            (&file("io.stat"), "8:0 rbytes=10 wbytes=5 rios=1 wios=1\n"),
            (&file("inner/pids.current"), "7\n"),
            ("sys/fs/cgroup/kubepods/pod1/abc/pids.current", "3\n"),
        ]);
        let mut reader = CgroupReader::new(&roots);
        let groups = reader.read().unwrap();
        let expect = Cgroup {
            path: "/system.slice/web.service".into(),
            cpu_user_seconds: Some(2.0),
            cpu_system_seconds: Some(0.5),
            cpu_throttled_seconds: None,
            memory_bytes: Some(1000),
            memory_working_set_bytes: Some(600),
            oom_kills: Some(2),
            processes: Some(7),
            read_bytes: Some(10),
            written_bytes: Some(5),
            limits: Limits { cpu_cores: Some(0.5), memory_bytes: None, processes: Some(100) },
        };
        assert_eq!((groups[0].path.as_str(), groups[0].processes), ("/kubepods/pod1/abc", Some(3)));
        assert_eq!(groups[1..], [expect]);
        tree.remove("sys/fs/cgroup/kubepods").unwrap();
        assert_eq!(reader.read().unwrap().len(), 1);
    }

    #[test]
    fn the_first_version_has_a_hierarchy_for_each_controller() {
        let (_tree, roots) = tree(&[
            ("sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", "1000\n"),
            ("sys/fs/cgroup/memory/docker/abc/memory.stat", "total_inactive_file 100\n"),
            ("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "2000\n"),
            ("sys/fs/cgroup/cpuacct/docker/abc/cpuacct.stat", "user 150\nsystem 50\n"),
            ("sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/docker/abc/cpu.stat", "nr_periods 0\nthrottled_time 5000000000\n"),
        ]);
        let mut reader = CgroupReader::new(&roots);
        let [group] = reader.read().unwrap() else { panic!("one group") };
        assert_eq!((group.cpu_user_seconds, group.cpu_throttled_seconds), (Some(1.5), Some(5.0)));
        assert_eq!((group.memory_working_set_bytes, group.processes), (Some(900), None));
        let limits = Limits { memory_bytes: Some(2000), ..Limits::default() };
        assert_eq!(group.limits, limits);
    }

    #[test]
    fn the_tightest_limit_above_this_process_counts() {
        let (_tree, roots) = tree(&[
            ("proc/self/cgroup", "0::/a.slice/b.service\n"),
            ("sys/fs/cgroup/cgroup.controllers", "\n"),
            ("sys/fs/cgroup/a.slice/memory.max", "1000\n"),
            ("sys/fs/cgroup/a.slice/memory.current", "500\n"),
            ("sys/fs/cgroup/a.slice/b.service/memory.max", "5000\n"),
            ("sys/fs/cgroup/a.slice/b.service/memory.current", "100\n"),
            ("sys/fs/cgroup/a.slice/b.service/pids.max", "9\n"),
            ("sys/fs/cgroup/a.slice/b.service/pids.current", "2\n"),
        ]);
        let container = ContainerReader::new(&roots).read().unwrap();
        assert_eq!(container.limits.memory_bytes, Some(1000));
        assert_eq!(container.memory_working_set_bytes, Some(500));
        assert_eq!((container.limits.processes, container.processes), (Some(9), Some(2)));
        assert_eq!((container.limits.cpu_cores, container.cpu_seconds), (None, None));
    }

    #[test]
    fn in_a_container_the_root_is_its_own_group() {
        let (_tree, roots) = tree(&[
            ("proc/self/cgroup", "0::/../../docker/abc\n"),
            ("sys/fs/cgroup/cgroup.controllers", "\n"),
            ("sys/fs/cgroup/cpu.max", "200000 100000\n"),
            ("sys/fs/cgroup/cpu.stat", "user_usec 1000000\nsystem_usec 1000000\n"),
        ]);
        let container = ContainerReader::new(&roots).read().unwrap();
        assert_eq!((container.limits.cpu_cores, container.cpu_seconds), (Some(2.0), Some(2.0)));
    }

    #[test]
    fn a_system_without_groups_says_so() {
        let (_tree, roots) = tree(&[]);
        assert!(CgroupReader::new(&roots).read().unwrap_err().is_absent());
        assert!(ContainerReader::new(&roots).read().unwrap_err().is_absent());
    }
}
