//! How counters are asked of history.

use super::{cooked, row, snapshot};
use crate::catalog::History;

#[test]
fn what_only_windows_tells_has_no_value_and_no_history() {
    let now = snapshot(0, &[]);
    let path = r"\Memory\Write Copies/sec";
    let (row, _) = row(path);
    assert!(!now.serves(row));
    let expected =
        r#"OnlyWindows("Linux counts no copies on write for the whole system")"#.to_owned();
    assert_eq!(cooked(path, Some(&now), &now), [(String::new(), expected)]);
    let history = History { instance: None, host: None, window: "1m" };
    assert_eq!(row.promql(&history), None);
}

#[track_caller]
fn check_promql(path: &str, expect: &str) {
    let (row, path) = row(path);
    let history = History { instance: path.instance.as_ref(), host: None, window: "1m" };
    assert_eq!(row.promql(&history).as_deref(), Some(expect), "{path}");
}

#[test]
fn history_is_asked_in_promql() {
    check_promql(
        r"\Processor(*)\% Processor Time",
        r#"100 * sum without (mode) (rate(cpu_seconds_total{mode=~"user|nice|system|irq|softirq"}[1m])) / (sum without (mode) (rate(cpu_seconds_total[1m])) > 0)"#,
    );
    check_promql(
        r"\Processor(_Total)\% DPC Time",
        r#"100 * sum without (cpu, mode) (rate(cpu_seconds_total{mode="softirq"}[1m])) / (sum without (cpu, mode) (rate(cpu_seconds_total[1m])) > 0)"#,
    );
    check_promql(
        r"\Processor(3)\% Idle Time",
        r#"100 * sum without (mode) (rate(cpu_seconds_total{cpu="3",mode=~"idle|iowait"}[1m])) / (sum without (mode) (rate(cpu_seconds_total{cpu="3"}[1m])) > 0)"#,
    );
    check_promql(
        r"\PhysicalDisk(sd*)\Disk Transfers/sec",
        r#"rate(disk_reads_total{disk=~"(?i)sd.*"}[1m]) + rate(disk_writes_total{disk=~"(?i)sd.*"}[1m])"#,
    );
    check_promql(
        r"\PhysicalDisk(_Total)\% Idle Time",
        r#"avg without (disk) (clamp(100 - 100 * rate(disk_busy_seconds_total{disk!~"(bcache|dm-|loop|md|ram|zram).*"}[1m]), 0, 100))"#,
    );
    check_promql(
        r"\PhysicalDisk(*)\% Disk Time",
        "100 * (rate(disk_read_seconds_total[1m]) + rate(disk_write_seconds_total[1m]))",
    );
    check_promql(
        r"\PhysicalDisk(*)\Avg. Disk Bytes/Transfer",
        "(rate(disk_read_bytes_total[1m]) + rate(disk_written_bytes_total[1m])) / ((rate(disk_reads_total[1m]) + rate(disk_writes_total[1m])) > 0)",
    );
    check_promql(
        r"\LogicalDisk(_Total)\Free Megabytes",
        "sum without (mountpoint, device, fstype) (filesystem_available_bytes) / 1048576",
    );
    check_promql(
        r"\Memory\Cache Bytes",
        "memory_cached_bytes + (memory_buffers_bytes or memory_cached_bytes * 0)",
    );
    check_promql(
        r"\System\Processor Queue Length",
        "clamp_min(system_processes_running - cpu_count - 1, 0)",
    );
    check_promql(r"\System\System Up Time", "system_uptime_seconds");
    check_promql(r"\Processor(_Total)\Interrupts/sec", "rate(system_interrupts_total[1m])");
    check_promql(
        r"\Processor Information(1,12)\Clock Interrupts/sec",
        r#"rate(cpu_timer_interrupts_total[1m]) and on (host, cpu) (cpu_node{index="12"} == 1)"#,
    );
    check_promql(
        r"\Processor Information(*,1*)\Clock Interrupts/sec",
        r#"(rate(cpu_timer_interrupts_total[1m]) and on (host, cpu) (cpu_node{index=~"(?i)1.*"})) or (rate(cpu_timer_interrupts_total{cpu=~"(?i)1.*"}[1m]) unless on (host) cpu_node)"#,
    );
    check_promql(
        r"\Processor Information(0,3)\Parking Status",
        r#"(1 - 1 * cpu_online and on (host, cpu) (cpu_node{index="3"} == 0)) or (1 - 1 * cpu_online{cpu="3"} unless on (host) cpu_node)"#,
    );
    check_promql(
        r"\Processor Information(1,*)\Parking Status",
        "1 - 1 * cpu_online and on (host, cpu) (cpu_node == 1)",
    );
    check_promql(r"\Processor Information(*)\Parking Status", "1 - 1 * cpu_online");
    check_promql(
        r"\Processor Information(_Total)\% Privileged Utility",
        r#"avg without (cpu) (100 * sum without (mode) (rate(cpu_seconds_total{mode=~"system|irq|softirq"}[1m])) / (sum without (mode) (rate(cpu_seconds_total[1m])) > 0) * cpu_frequency_hertz / (cpu_frequency_base_hertz > 0))"#,
    );
    check_promql(
        r"\Processor(2)\% C3 Time",
        r#"clamp(100 * sum without (state, name) (rate(cpu_idle_state_seconds_total{cpu="2",state=~"3|4|5|6|7|8|9"}[1m])), 0, 100)"#,
    );
}

#[test]
fn history_names_host_and_instance_safely() {
    let (row, path) = row(r#"\Network Interface(a"b.c*)\Bytes Sent/sec"#);
    let history = History { instance: path.instance.as_ref(), host: Some("h\"1"), window: "5m" };
    assert_eq!(
        row.promql(&history).as_deref(),
        Some(r#"rate(network_transmit_bytes_total{host="h\"1",adapter=~"(?i)a\"b\\.c.*"}[5m])"#)
    );
}

#[test]
fn history_has_no_second_instance_of_a_name_and_no_total_that_does_not_exist() {
    for path in [
        r"\Processor(0#1)\% User Time",
        r"\Network Interface(_Total)\Bytes Sent/sec",
        r"\Processor Information(0,_Total)\% Processor Time",
        r"\Processor Information(0)\% Processor Time",
        r"\Processor Information(1*,0)\% Processor Time",
    ] {
        let (row, path) = row(path);
        let history = History { instance: path.instance.as_ref(), host: None, window: "1m" };
        assert_eq!(row.promql(&history), None, "{path}");
    }
}
