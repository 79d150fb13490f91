//! `cargo xtask record-tree`: what Barograph reads of a Linux machine, as a fixture for tests.
//!
//! The result is a tar file because names below /sys hold `:`, which a checkout on Windows refuses.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tar::{Builder, EntryType, Header};

use crate::{place, process};

/// What is read, below `/`. A `*` stands for any name that does not start with a dot, a `#` at the
/// end of a name for a number.
const FILES: &[&str] = &[
    "etc/os-release",
    "proc/cpuinfo",
    "proc/diskstats",
    "proc/interrupts",
    "proc/loadavg",
    "proc/meminfo",
    "proc/modules",
    "proc/net/dev",
    "proc/net/netstat",
    "proc/net/rpc/nfs",
    "proc/net/snmp",
    "proc/net/snmp6",
    "proc/net/sockstat",
    "proc/net/sockstat6",
    "proc/net/softnet_stat",
    "proc/pressure/*",
    "proc/schedstat",
    "proc/self/cgroup",
    "proc/softirqs",
    "proc/stat",
    "proc/swaps",
    "proc/sys/fs/file-nr",
    "proc/sys/fs/inode-nr",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/pid_max",
    "proc/sys/kernel/random/entropy_avail",
    "proc/sys/kernel/threads-max",
    "proc/sys/net/netfilter/nf_conntrack_count",
    "proc/sys/net/netfilter/nf_conntrack_max",
    "proc/sysvipc/sem",
    "proc/sysvipc/shm",
    "proc/uptime",
    "proc/vmstat",
    "sys/class/drm/card#/device/gpu_busy_percent",
    "sys/class/drm/card#/device/mem_info_vram_total",
    "sys/class/drm/card#/device/mem_info_vram_used",
    "sys/class/hwmon/hwmon#/*_alarm",
    "sys/class/hwmon/hwmon#/*_average",
    "sys/class/hwmon/hwmon#/*_crit",
    "sys/class/hwmon/hwmon#/*_input",
    "sys/class/hwmon/hwmon#/*_label",
    "sys/class/hwmon/hwmon#/name",
    "sys/class/net/*/speed",
    "sys/class/net/*/statistics/rx_nohandler",
    "sys/class/thermal/thermal_zone#/cdev#/cur_state",
    "sys/class/thermal/thermal_zone#/cdev#/max_state",
    "sys/class/thermal/thermal_zone#/temp",
    "sys/class/thermal/thermal_zone#/type",
    "sys/devices/system/cpu/cpu#/acpi_cppc/nominal_freq",
    "sys/devices/system/cpu/cpu#/cpufreq/base_frequency",
    "sys/devices/system/cpu/cpu#/cpufreq/cpuinfo_max_freq",
    "sys/devices/system/cpu/cpu#/cpufreq/scaling_cur_freq",
    "sys/devices/system/cpu/cpu#/cpufreq/scaling_max_freq",
    "sys/devices/system/cpu/cpu#/cpuidle/state#/name",
    "sys/devices/system/cpu/cpu#/cpuidle/state#/time",
    "sys/devices/system/cpu/cpu#/cpuidle/state#/usage",
    "sys/devices/system/cpu/online",
    "sys/devices/system/cpu/present",
    "sys/devices/system/node/node#/cpulist",
    // Of control groups only those of systemd: others are named after what somebody runs there.
    "sys/fs/cgroup/cgroup.controllers",
    "sys/fs/cgroup/blkio/system.slice/*.service/blkio.throttle.io_service_bytes",
    "sys/fs/cgroup/cpu/system.slice/*.service/cpu.cfs_period_us",
    "sys/fs/cgroup/cpu/system.slice/*.service/cpu.cfs_quota_us",
    "sys/fs/cgroup/cpu/system.slice/*.service/cpu.stat",
    "sys/fs/cgroup/cpuacct/system.slice/*.service/cpuacct.stat",
    "sys/fs/cgroup/memory/system.slice/*.service/memory.limit_in_bytes",
    "sys/fs/cgroup/memory/system.slice/*.service/memory.oom_control",
    "sys/fs/cgroup/memory/system.slice/*.service/memory.stat",
    "sys/fs/cgroup/memory/system.slice/*.service/memory.usage_in_bytes",
    "sys/fs/cgroup/pids/system.slice/*.service/pids.current",
    "sys/fs/cgroup/pids/system.slice/*.service/pids.max",
    "sys/fs/cgroup/system.slice/*.service/cpu.max",
    "sys/fs/cgroup/system.slice/*.service/cpu.stat",
    "sys/fs/cgroup/system.slice/*.service/io.stat",
    "sys/fs/cgroup/system.slice/*.service/memory.current",
    "sys/fs/cgroup/system.slice/*.service/memory.events",
    "sys/fs/cgroup/system.slice/*.service/memory.max",
    "sys/fs/cgroup/system.slice/*.service/memory.stat",
    "sys/fs/cgroup/system.slice/*.service/pids.current",
    "sys/fs/cgroup/system.slice/*.service/pids.max",
];

/// Folders of which only it matters that they are there: processes, and what makes an adapter a
/// device.
const FOLDERS: &[&str] = &["proc/#", "sys/class/hwmon", "sys/class/net/*/device"];

/// Of mounts only those at places that every system has: others are named after what somebody
/// keeps there.
const MOUNTS: &str = "proc/self/mountinfo";
const PUBLIC_PLACES: &[&str] =
    &["", "boot", "dev", "home", "opt", "proc", "run", "srv", "sys", "tmp", "usr", "var"];

/// Told instead of the machine's own name.
const HOST: (&str, &str) = ("proc/sys/kernel/hostname", "recorded\n");

/// A file longer than this is not what we think it is.
const LONGEST_BYTES: u64 = 1024 * 1024;

/// Between the two moments that are recorded.
const BETWEEN: Duration = Duration::from_secs(1);

/// Records this machine at two moments into `crates/collect/tests/trees/NAME.tar`.
pub(crate) fn run(name: &str) -> Result<()> {
    if name.is_empty()
        || !name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_'))
    {
        bail!("`{name}` is no name for a tree: use letters, digits, `-`, `_` and `.`");
    }
    let folder = place::root().join("crates/collect/tests/trees");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(format!("{name}.tar"));
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut archive = Builder::new(file);
    let statvfs = process::read(process::cargo().args([
        "run",
        "--quiet",
        "--package",
        "barograph-collect",
        "--example",
        "statvfs",
    ]))?;
    let mut recorded = 0;
    for moment in ["1", "2"] {
        if moment == "2" {
            thread::sleep(BETWEEN);
        }
        recorded += record(Path::new("/"), Path::new(moment), &statvfs, &mut archive)
            .with_context(|| format!("cannot record into {}", path.display()))?;
    }
    archive.finish().with_context(|| format!("cannot finish {}", path.display()))?;
    println!("{recorded} files in {}", path.display());
    Ok(())
}

/// Adds everything that matches; what cannot be read is absent there too.
fn record(
    root: &Path,
    moment: &Path,
    statvfs: &str,
    archive: &mut Builder<impl io::Write>,
) -> io::Result<usize> {
    let mut recorded = 0;
    for path in FILES.iter().flat_map(|pattern| expand(root, pattern)) {
        if let Some(bytes) = read(&root.join(&path)) {
            add(archive, &moment.join(path), EntryType::Regular, &bytes)?;
            recorded += 1;
        }
    }
    for path in FOLDERS.iter().flat_map(|pattern| expand(root, pattern)) {
        if root.join(&path).is_dir() {
            add(archive, &moment.join(path), EntryType::Directory, &[])?;
        }
    }
    let mounts = read(&root.join(MOUNTS)).unwrap_or_default();
    let mounts = public(&String::from_utf8_lossy(&mounts), 4);
    let statvfs = public(statvfs, 0);
    for (path, text) in [HOST, (MOUNTS, mounts.as_str()), ("statvfs", statvfs.as_str())] {
        add(archive, &moment.join(path), EntryType::Regular, text.as_bytes())?;
    }
    Ok(recorded)
}

/// The lines whose word at `place` is a mount point that says nothing of anybody.
fn public(text: &str, place: usize) -> String {
    let is_public = |line: &&str| {
        let mount_point = line.split_whitespace().nth(place).unwrap_or_default();
        let first = mount_point.trim_start_matches('/').split('/').next().unwrap_or_default();
        PUBLIC_PLACES.contains(&first)
    };
    text.split_inclusive('\n').filter(is_public).collect()
}

/// The paths that a pattern stands for, sorted.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.split('/') {
        found = found
            .into_iter()
            .flat_map(|path| {
                let names = if part.contains(['*', '#']) {
                    list(&root.join(&path), part)
                } else {
                    vec![part.to_owned()]
                };
                names.into_iter().map(move |name| path.join(name))
            })
            .filter(|path| root.join(path).exists())
            .collect();
    }
    found
}

fn list(folder: &Path, part: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| matches(name, part))
        .collect();
    names.sort();
    names
}

fn matches(name: &str, part: &str) -> bool {
    if let Some(start) = part.strip_suffix('#') {
        let number = name.strip_prefix(start).unwrap_or_default();
        return !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    part.split_once('*').is_some_and(|(start, end)| {
        !name.starts_with('.')
            && name.len() >= start.len() + end.len()
            && name.starts_with(start)
            && name.ends_with(end)
    })
}

/// The file's content, if it is a file and may be read.
fn read(path: &Path) -> Option<Vec<u8>> {
    use io::Read;
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    // Files below /proc tell no size, so it is bounded while reading.
    File::open(path).ok()?.take(LONGEST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn add(
    archive: &mut Builder<impl io::Write>,
    path: &Path,
    kind: EntryType,
    bytes: &[u8],
) -> io::Result<()> {
    // Only name and content: a recording does not tell when or by whom it was made.
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
    archive.append_data(&mut header, path, bytes)
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    /// A folder of this test's own, gone at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, files: &[(&str, &str)]) -> Scratch {
            let root = env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Scratch(root)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn a_star_matches_within_one_name() {
        let scratch = Scratch::new(
            "star",
            &[("a/x1/input", ""), ("a/x2/other", ""), ("a/.x3/input", ""), ("a/y/input", "")],
        );
        assert_eq!(expand(&scratch.0, "a/x*/input"), [PathBuf::from("a/x1/input")]);
        assert!(matches("17", "#") && !matches("17a", "#"));
        assert!(matches("cpu17", "cpu#") && !matches("cpufreq", "cpu#") && !matches("cpu", "cpu#"));
    }

    #[test]
    fn a_recording_holds_files_folders_that_matter_and_no_name() {
        let scratch = Scratch::new(
            "record",
            &[
                ("proc/17/status", "secret\n"),
                (
                    "proc/self/mountinfo",
                    "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27 8:2 / /mnt/secret rw - ext4 x rw\n",
                ),
                ("proc/stat", "cpu 1 2 3\n"),
                ("proc/sys/kernel/hostname", "secret\n"),
                ("sys/class/net/eth0/device/vendor", "0x1af4\n"),
                ("sys/class/net/eth0/speed", "1000\n"),
            ],
        );
        let mut archive = Builder::new(Vec::new());
        assert_eq!(record(&scratch.0, Path::new("1"), "/ 4096 3 2 1\n", &mut archive).unwrap(), 2);
        let bytes = archive.into_inner().unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("/dev/sda1"));
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
        let mut read = tar::Archive::new(bytes.as_slice());
        let paths: Vec<_> = read
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        let expected = [
            "1/proc/stat",
            "1/sys/class/net/eth0/speed",
            "1/proc/17",
            "1/sys/class/net/eth0/device",
            "1/proc/sys/kernel/hostname",
            "1/proc/self/mountinfo",
            "1/statvfs",
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        let error = run("../x").unwrap_err().to_string();
        assert!(error.starts_with("`../x` is no name for a tree"), "{error}");
    }
}
