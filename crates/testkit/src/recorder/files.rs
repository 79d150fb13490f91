//! Which files of a Linux machine are recorded.

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
    "proc/net/tcp",
    "proc/net/tcp6",
    "proc/net/udp",
    "proc/net/udp6",
    "proc/pressure/*",
    "proc/schedstat",
    "proc/self/cgroup",
    "proc/self/mountinfo",
    "proc/self/mountstats",
    "proc/softirqs",
    "proc/stat",
    "proc/swaps",
    "proc/sys/fs/file-nr",
    "proc/sys/fs/inode-nr",
    "proc/sys/kernel/hostname",
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
    // Drivers of old kernels keep their files with the device.
    "sys/class/hwmon/hwmon#/device/*_alarm",
    "sys/class/hwmon/hwmon#/device/*_average",
    "sys/class/hwmon/hwmon#/device/*_crit",
    "sys/class/hwmon/hwmon#/device/*_input",
    "sys/class/hwmon/hwmon#/device/*_label",
    "sys/class/hwmon/hwmon#/device/name",
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
    "sys/fs/cgroup/cgroup.controllers",
];

/// Folders of which only it matters that they are there: processes, and what makes an adapter a
/// device.
pub(super) const FOLDERS: &[&str] = &["proc/#", "sys/class/hwmon", "sys/class/net/*/device"];

/// What matters is where they lead. Where files behind one are recorded, it is a folder.
pub(super) const LINKS: &[&str] = &["sys/class/hwmon/hwmon#/device"];

/// The files of a control group, by hierarchy; the second version has one for all.
const GROUP_FILES: &[(&str, &[&str])] = &[
    ("blkio/", &["blkio.throttle.io_service_bytes"]),
    ("cpu/", &["cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.stat"]),
    ("cpuacct/", &["cpuacct.stat"]),
    (
        "memory/",
        &["memory.limit_in_bytes", "memory.oom_control", "memory.stat", "memory.usage_in_bytes"],
    ),
    ("pids/", &["pids.current", "pids.max"]),
    (
        "",
        &[
            "cpu.max",
            "cpu.stat",
            "io.stat",
            "memory.current",
            "memory.events",
            "memory.max",
            "memory.stat",
            "pids.current",
            "pids.max",
        ],
    ),
];

/// The one at the top, which in a container is the container's, and those of systemd's services.
/// Others are named after what somebody runs there.
const GROUPS: &[&str] = &["", "system.slice/", "system.slice/*.service/"];

/// The patterns of all files, those of control groups among them.
pub(super) fn patterns() -> impl Iterator<Item = String> {
    let of_groups = GROUP_FILES.iter().flat_map(|(hierarchy, names)| {
        let file = move |group, name| format!("sys/fs/cgroup/{hierarchy}{group}{name}");
        GROUPS.iter().flat_map(move |group| names.iter().map(move |name| file(group, name)))
    });
    FILES.iter().map(|pattern| (*pattern).to_owned()).chain(of_groups)
}
