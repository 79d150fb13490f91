//! Checks of `/proc`, `/sys`, rights and limits.

use super::{FileFact, FileState, Finding, LinuxFacts, Rights, Severity};

/// A reading of one small file.
const SLOW_FILE_SECONDS: f64 = 0.02;

/// What kernels told from which version on.
const FEATURES: [([u32; 2], &str, &str); 4] = [
    ([3, 14], "available memory", "it is estimated from free memory and caches"),
    ([4, 20], "pressure stall information", "nothing tells how long work waits"),
    ([5, 9], "refaults of files apart from those of programs", "both are counted together"),
    (
        [6, 2],
        "the number of open files at once",
        "the open files of processes are counted one by one",
    ),
];

/// Clocks that take a device, or are known to be wrong.
const SLOW_CLOCKS: [&str; 3] = ["hpet", "acpi_pm", "jiffies"];

pub(super) fn check(linux: &LinuxFacts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = linux.files.iter().filter_map(file).collect();
    findings.extend(kernel(linux));
    findings.extend(rights(linux));
    findings.extend(control_groups(linux));
    if let Some(source) = &linux.clock_source
        && SLOW_CLOCKS.contains(&source.as_str())
    {
        let finding = Finding::new(
            Severity::Warning,
            "slow-clock-source",
            format!("the kernel's clock is `{source}`"),
            "each question for the time takes a system call and a slow device",
        );
        findings.push(finding.repaired_by(
            "see why the kernel gave up `tsc`: `journalctl -k | grep -i clocksource`",
        ));
    }
    findings
}

fn file(file: &FileFact) -> Option<Finding> {
    let FileFact { path, what, is_basic, state, seconds } = file;
    let grave = if *is_basic { Severity::Error } else { Severity::Warning };
    let why = if *is_basic { "headline metrics are missing" } else { "its counters are missing" };
    match state {
        FileState::Readable if *seconds > SLOW_FILE_SECONDS => Some(Finding::new(
            Severity::Warning,
            "slow-file",
            format!("reading {path} took {:.0} ms", seconds * 1000.0),
            "the kernel makes it anew at each reading, and every reading waits for that",
        )),
        FileState::Readable => None,
        FileState::Missing => {
            let severity = if *is_basic { Severity::Error } else { Severity::Note };
            let finding =
                Finding::new(severity, "missing-file", format!("{path} is missing: {what}"), why);
            Some(finding.repaired_by(missing(path)))
        }
        FileState::Denied => Some(
            Finding::new(grave, "denied-file", format!("{path} may not be read: {what}"), why)
                .repaired_by("run as root, or see what a security module or the container hides"),
        ),
        FileState::Failed(error) => Some(Finding::new(
            grave,
            "unreadable-file",
            format!("{path} cannot be read ({error}): {what}"),
            why,
        )),
    }
}

fn missing(path: &str) -> &'static str {
    if path.contains("/pressure/") {
        "boot with `psi=1` on a kernel with CONFIG_PSI (since Linux 4.20)"
    } else if path.starts_with("/sys/class/thermal") || path.contains("cpufreq") {
        "nothing to repair in a virtual machine; elsewhere load the driver"
    } else {
        "mount /proc and /sys; in a container, those of the host"
    }
}

fn kernel(linux: &LinuxFacts) -> Vec<Finding> {
    let Some(version) = linux.kernel else { return Vec::new() };
    let lacking = FEATURES.iter().filter(|(since, ..)| version < *since);
    lacking
        .map(|([major, minor], what, why)| {
            let text = format!(
                "Linux {}.{} does not tell {what}, {major}.{minor} does",
                version[0], version[1]
            );
            Finding::new(Severity::Note, "old-kernel", text, why)
        })
        .collect()
}

/// Whether a right is among those that there are.
type Has = fn(&Rights) -> bool;

/// Rights that Linux gives by themselves, and what is hidden without them.
const CAPABILITIES: [(&str, &str, Has); 3] = [
    (
        "CAP_SYS_PTRACE",
        "input and output, open files and programs of other users' processes are hidden",
        |rights| rights.traces,
    ),
    (
        "CAP_DAC_READ_SEARCH",
        "open files of other users' processes and memory modules are not told",
        |rights| rights.reads_all,
    ),
    (
        "CAP_NET_ADMIN",
        "starts and ends of processes are found by comparing, short ones not at all",
        |rights| rights.administers_net,
    ),
];

fn rights(linux: &LinuxFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if linux.rights == Rights::default() {
        findings.push(
            Finding::new(
                Severity::Note,
                "not-root",
                "Barograph does not run as root".to_owned(),
                "input and output, open files and programs of other users' processes are hidden, \
                 starts and ends of processes are found by comparing, memory modules are not told",
            )
            .repaired_by(
                "run it as root, or give it CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and CAP_NET_ADMIN",
            ),
        );
    } else {
        let lacking = CAPABILITIES.iter().filter(|(.., has)| !has(&linux.rights));
        findings.extend(lacking.map(|(name, why, _)| {
            let what = format!("Barograph runs without {name}");
            Finding::new(Severity::Note, "lacks-capability", what, why).repaired_by(format!(
                "give it {name}: AmbientCapabilities= and CapabilityBoundingSet= of its unit, \
                 --cap-add of its container"
            ))
        }));
    }
    let hides = linux.hidepid.as_deref().filter(|mode| !matches!(*mode, "0" | "off"));
    if let Some(mode) = hides.filter(|_| !linux.rights.traces) {
        findings.push(
            Finding::new(
                Severity::Warning,
                "hidepid",
                format!("/proc is mounted with hidepid={mode}"),
                "processes of other users are neither counted nor listed",
            )
            .repaired_by("run as root or with CAP_SYS_PTRACE, or mount /proc with gid= of a group that Barograph is in"),
        );
    }
    findings
}

fn control_groups(linux: &LinuxFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let note = |code, what, why| Finding::new(Severity::Note, code, what, why);
    match linux.cgroup_versions.as_slice() {
        [1, 2] => findings.push(note(
            "mixed-cgroups",
            "control groups of version 1 and 2 are mounted".to_owned(),
            "limits are looked for in both",
        )),
        [1] => findings.push(note(
            "old-cgroups",
            "control groups are of version 1".to_owned(),
            "pressure and input and output of a group are not told",
        )),
        _ => {}
    }
    if let (Some(limit), Some(total)) = (linux.memory_limit_bytes, linux.memory_total_bytes)
        && limit < total
    {
        findings.push(note(
            "memory-limit",
            format!("this container may use {} MiB of {} MiB", limit >> 20, total >> 20),
            "memory counters describe the host; what runs here is stopped at its own limit",
        ));
    }
    if let (Some(limit), Some(count)) = (linux.cpu_limit, linux.cpu_count)
        && limit < f64::from(count)
    {
        findings.push(note(
            "cpu-limit",
            format!("this container may use {limit:.1} of {count} processors"),
            "processor counters describe the host; what runs here is slowed at its own limit",
        ));
    }
    findings
}
