//! The catalog: what is found, what comes out, and how it is asked of history.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{CounterPath, Desc, SystemClock, Unit};

use super::formula::{Formula, Term};
use super::*;
use crate::desc::gauge;
use crate::{Roots, Sink, cpu, cpu_details, disk, filesystem, interrupts, memory, paging};

type Pushed<'a> = (&'static Desc, &'a [&'a str], f64);

fn snapshot(seconds: u64, samples: &[Pushed<'_>]) -> Snapshot {
    let mut snapshot = Snapshot { at: Duration::from_secs(seconds), ..Snapshot::default() };
    for (desc, values, value) in samples {
        snapshot.push(desc, values, *value);
    }
    snapshot
}

fn row(path: &str) -> (&'static Row, CounterPath) {
    let path = CounterPath::parse(path).unwrap();
    (find(&path).unwrap()[0], path)
}

/// Values by instance, or why there is none.
fn cooked(path: &str, before: Option<&Snapshot>, now: &Snapshot) -> Vec<(String, String)> {
    let (row, path) = row(path);
    cook(row, path.instance.as_ref(), before, now)
        .into_iter()
        .map(|cooked| {
            let value = match cooked.value {
                Ok(value) => format!("{value:.3}"),
                Err(Missing::NotTold(desc)) => format!("no {}", desc.name),
                Err(missing) => format!("{missing:?}"),
            };
            (cooked.instance.unwrap_or_default(), value)
        })
        .collect()
}

#[track_caller]
fn check(path: &str, before: &Snapshot, now: &Snapshot, expect: &[(&str, &str)]) {
    let found = cooked(path, Some(before), now);
    let found: Vec<_> = found.iter().map(|(i, v)| (i.as_str(), v.as_str())).collect();
    assert_eq!(found, expect, "{path}");
}

#[test]
fn counters_are_listed_once() {
    let mut paths: Vec<_> = rows().map(Row::path).collect();
    let count = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), count);
    for path in paths {
        assert_eq!(find(&CounterPath::parse(&path).unwrap()).unwrap().len(), 1, "{path}");
    }
}

#[test]
fn formulas_hold_together() {
    for row in rows() {
        let path = row.path();
        for sum in row.formula.value.sums() {
            assert!(!sum.is_empty() && !sum[0].optional, "{path}");
        }
        let Instances::Each { label, .. } = row.instances else { continue };
        assert!(row.formula.descs().all(|desc| desc.labels.contains(&label)), "{path}");
    }
}

/// Else history would have several series for what exists once, and a reading none.
#[test]
fn what_exists_once_leaves_no_label_over() {
    for row in rows() {
        if !matches!(row.instances, Instances::None | Instances::OnlyTotal) {
            continue;
        }
        for term in row.formula.value.sums().flatten() {
            let only = term.only.map(|(label, _)| label);
            let is_gone = |label: &&str| only == Some(*label) || term.over.contains(label);
            assert!(term.desc.labels.iter().all(is_gone), "{} of {}", row.path(), term.desc.name);
        }
    }
}

#[test]
fn each_term_of_what_exists_once_takes_its_own_series() {
    static ADDED: Desc = gauge("added", Unit::Count, &["kind"], "Told for each kind.");
    static WHOLE: Desc = gauge("whole", Unit::Count, &["kind"], "Told for all, and each kind.");
    static SUM: [Term; 2] = [Term { over: &["kind"], ..Term::of(&ADDED) }, Term::of(&WHOLE)];
    let row = Row {
        object: "Object",
        counter: "Counter",
        pdh_type: PdhType::RawCount,
        unit: Unit::Count,
        help: "A sum.",
        instances: Instances::None,
        formula: Formula::level(&SUM),
    };
    let samples: [Pushed<'_>; 5] = [
        (&ADDED, &["a"], 1.0),
        (&ADDED, &["b"], 2.0),
        (&WHOLE, &[], 40.0),
        (&WHOLE, &["a"], 15.0),
        (&WHOLE, &["b"], 25.0),
    ];
    assert_eq!(cook(&row, None, None, &snapshot(1, &samples))[0].value, Ok(43.0));
    let labelled = snapshot(1, &[samples[0], samples[3]]);
    assert_eq!(cook(&row, None, None, &labelled)[0].value, Err(Missing::NotTold(&WHOLE)));
}

#[test]
fn objects_and_counters_are_found_by_wildcard_and_without_regard_to_case() {
    let found = |path| find(&CounterPath::parse(path).unwrap()).unwrap().len();
    assert_eq!(found(r"\PROCESSOR(*)\% user time"), 1);
    assert_eq!(found(r"\Physical*(*)\Disk *s/sec"), 6);
    assert_eq!(found(r"\System\*"), 9);
    let of_two = find(&CounterPath::parse(r"\*\Threads").unwrap()).unwrap();
    assert_eq!(of_two.iter().map(|row| row.object).collect::<Vec<_>>(), ["System", "Objects"]);
}

#[track_caller]
fn check_refused(path: &str, expect: &str) {
    let error = find(&CounterPath::parse(path).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), expect);
}

#[test]
fn what_is_not_found_is_named_with_its_nearest() {
    check_refused(
        r"\Procesor(_Total)\% Processor Time",
        "no object is called `Procesor`; near to it: `Processor`, `Process`, `Process V2`",
    );
    check_refused(
        r"\PhysicalDisk(*)\Disk Read/sec",
        "object `PhysicalDisk` has no counter `Disk Read/sec`; near to it: `Disk Reads/sec`, \
         `Disk Read Bytes/sec`, `Disk Writes/sec`",
    );
    check_refused(r"\Zzz\Zzz", "no object is called `Zzz`");
    check_refused(
        r"\Processor\% User Time",
        "the counters of `Processor` need an instance, for example `\\Processor(*)\\% User Time`",
    );
    check_refused(
        r"\System(*)\Threads",
        "object `System` exists once: its counters take no instance",
    );
}

#[test]
fn a_counter_without_instances_adds_up_the_families_that_are_its_own() {
    use crate::tcp_udp::{ESTABLISHED, SEGMENTS_RETRANSMITTED, SEGMENTS_SENT};
    let taken = |seconds: u64, family: &'static str| {
        let total = 100.0 * seconds as f64;
        let labels: &[&str] = if family == "all" { &["all"] } else { &["ipv4"] };
        snapshot(
            seconds,
            &[
                (&ESTABLISHED, labels, 7.0),
                (&SEGMENTS_SENT, labels, total),
                (&SEGMENTS_SENT, &["ipv6"], total),
                (&SEGMENTS_RETRANSMITTED, labels, total / 10.0),
            ],
        )
    };
    for family in ["all", "ipv4"] {
        let (before, now) = (taken(1, family), taken(3, family));
        check(r"\TCPv4\Connections Established", &before, &now, &[("", "7.000")]);
        check(r"\TCPv4\Segments Sent/sec", &before, &now, &[("", "90.000")]);
        let missing = [("", "no tcp_segments_retransmitted_total")];
        check(r"\TCPv6\Segments Sent/sec", &before, &now, &missing);
    }
}

fn cpu_snapshot(seconds: u64, ticks: [[f64; 4]; 2]) -> Snapshot {
    let modes = ["user", "system", "idle", "steal"];
    let mut samples = Vec::new();
    for (cpu, ticks) in ["0", "1"].iter().zip(&ticks) {
        for (mode, seconds) in modes.iter().zip(ticks) {
            samples.push((*cpu, *mode, *seconds));
        }
    }
    let mut snapshot = snapshot(seconds, &[(&cpu::INTERRUPTS, &[], 1000.0 * seconds as f64)]);
    for (cpu, mode, seconds) in samples {
        snapshot.push(&cpu::SECONDS, &[cpu, mode], seconds);
    }
    snapshot
}

#[test]
fn processor_time_is_a_share_of_all_modes() {
    let before = cpu_snapshot(10, [[1.0, 1.0, 8.0, 0.0], [0.0, 0.0, 10.0, 0.0]]);
    let now = cpu_snapshot(12, [[2.0, 1.5, 8.0, 0.5], [0.0, 0.0, 12.0, 0.0]]);
    check(
        r"\Processor(*)\% Processor Time",
        &before,
        &now,
        &[("0", "75.000"), ("1", "0.000"), ("_Total", "37.500")],
    );
    check(r"\Processor(0)\% Idle Time", &before, &now, &[("0", "0.000")]);
    check(r"\Processor(_total)\% User Time", &before, &now, &[("_Total", "25.000")]);
    check(r"\Processor(7)\% User Time", &before, &now, &[]);
    // A mode that this system lacks is not zero.
    check(r"\Processor(0)\% DPC Time", &before, &now, &[("0", "no cpu_seconds_total")]);
    check(r"\Processor(_Total)\Interrupts/sec", &before, &now, &[("_Total", "1000.000")]);
    check(r"\Processor(0)\Interrupts/sec", &before, &now, &[]);
}

#[test]
fn a_first_reading_has_no_rate() {
    let now = cpu_snapshot(10, [[1.0; 4]; 2]);
    let first = cooked(r"\Processor(1)\% User Time", None, &now);
    assert_eq!(first, [("1".to_owned(), "FirstReading".to_owned())]);
    check(r"\Processor(_Total)\Interrupts/sec", &now, &now, &[("_Total", "FirstReading")]);
    check(r"\Processor(1)\% User Time", &now, &now, &[("1", "NoEvents")]);
}

fn disk_snapshot(seconds: u64, disks: &[(&str, f64, f64, f64)]) -> Snapshot {
    let mut snapshot = snapshot(seconds, &[]);
    for (name, reads, read_seconds, busy_seconds) in disks {
        snapshot.push(&disk::READS, &[name], *reads);
        snapshot.push(&disk::WRITES, &[name], 0.0);
        snapshot.push(&disk::READ_SECONDS, &[name], *read_seconds);
        snapshot.push(&disk::WRITE_SECONDS, &[name], 0.0);
        snapshot.push(&disk::BUSY_SECONDS, &[name], *busy_seconds);
    }
    snapshot
}

#[test]
fn disk_totals_leave_out_layers_and_percentages_are_averaged() {
    let before = disk_snapshot(
        10,
        &[("sda", 100.0, 5.0, 4.0), ("sdb", 0.0, 0.0, 0.0), ("dm-0", 90.0, 5.0, 4.0)],
    );
    let now = disk_snapshot(
        12,
        &[("sda", 140.0, 9.0, 5.0), ("sdb", 0.0, 0.0, 0.0), ("dm-0", 130.0, 9.0, 5.0)],
    );
    check(
        r"\PhysicalDisk(*)\Disk Reads/sec",
        &before,
        &now,
        &[("sda", "20.000"), ("sdb", "0.000"), ("dm-0", "20.000"), ("_Total", "20.000")],
    );
    check(
        r"\PhysicalDisk(*)\Avg. Disk sec/Read",
        &before,
        &now,
        &[("sda", "0.100"), ("sdb", "NoEvents"), ("dm-0", "0.100"), ("_Total", "0.100")],
    );
    check(
        r"\PhysicalDisk(*)\% Idle Time",
        &before,
        &now,
        &[("sda", "50.000"), ("sdb", "100.000"), ("dm-0", "50.000"), ("_Total", "75.000")],
    );
    // As on Windows, this is no share: it passes 100 when requests overlap.
    check(r"\PhysicalDisk(sda)\% Disk Time", &before, &now, &[("sda", "200.000")]);
    check(r"\PhysicalDisk(_Total)\Avg. Disk Queue Length", &before, &now, &[("_Total", "2.000")]);
}

#[test]
fn a_counter_that_restarts_and_a_disk_that_appears_give_no_spike() {
    let before = disk_snapshot(10, &[("sda", 1e6, 5.0, 4.0)]);
    let now = disk_snapshot(12, &[("sda", 10.0, 0.1, 0.1), ("sdb", 1e9, 9.0, 5.0)]);
    check(
        r"\PhysicalDisk(*)\Disk Reads/sec",
        &before,
        &now,
        &[("sda", "5.000"), ("sdb", "FirstReading"), ("_Total", "5.000")],
    );
}

#[test]
fn levels_are_added_and_optional_ones_left_out() {
    let windows = snapshot(0, &[(&memory::CACHED, &[], 100.0)]);
    let linux = snapshot(0, &[(&memory::CACHED, &[], 100.0), (&memory::BUFFERS, &[], 7.0)]);
    check(r"\Memory\Cache Bytes", &windows, &windows, &[("", "100.000")]);
    check(r"\Memory\Cache Bytes", &linux, &linux, &[("", "107.000")]);
    check(r"\Memory\Commit Limit", &linux, &linux, &[("", "no memory_commit_limit_bytes")]);
    check(
        r"\Memory\System Cache Resident Bytes",
        &linux,
        &linux,
        &[("", "no memory_shared_bytes")],
    );
}

#[test]
fn shares_of_nothing_have_no_value() {
    let no_swap =
        snapshot(0, &[(&paging::SIZE, &["/swap"], 0.0), (&paging::USED, &["/swap"], 0.0)]);
    check(
        r"\Paging File(*)\% Usage",
        &no_swap,
        &no_swap,
        &[("/swap", "NoEvents"), ("_Total", "NoEvents")],
    );
    let none = snapshot(0, &[]);
    check(r"\Paging File(*)\% Usage", &none, &none, &[]);
}

#[test]
fn the_queue_of_the_processors_is_never_negative() {
    let queue =
        |running, cpus| snapshot(0, &[(&cpu::RUNNING, &[], running), (&cpu::CPU_COUNT, &[], cpus)]);
    let (idle, busy) = (queue(1.0, 4.0), queue(9.0, 4.0));
    check(r"\System\Processor Queue Length", &idle, &idle, &[("", "0.000")]);
    check(r"\System\Processor Queue Length", &busy, &busy, &[("", "4.000")]);
}

#[test]
fn an_index_tells_instances_of_one_name_apart() {
    let labels = |mount: &'static str| [mount, "/dev/sda1", "ext4"];
    let (lower, upper) = (labels("/data"), labels("/DATA"));
    let now = snapshot(
        0,
        &[(&filesystem::AVAILABLE, &lower, 1024.0 * 1024.0), (&filesystem::AVAILABLE, &upper, 0.0)],
    );
    let free = |instance: &str| {
        let path = format!(r"\LogicalDisk({instance})\Free Megabytes");
        cooked(&path, Some(&now), &now).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(free("/data"), ["/data"]);
    assert_eq!(free("/data#0"), ["/data"]);
    assert_eq!(free("/data#1"), ["/DATA"]);
    assert_eq!(free("/data#2"), [""; 0]);
    assert_eq!(free("*"), ["/data", "/DATA", "_Total"]);
    assert_eq!(free("/d*#1"), ["/DATA"]);
}

fn two_nodes(seconds: u64, busy: [f64; 2]) -> Snapshot {
    let mut snapshot = snapshot(seconds, &[(&cpu::SOFT_INTERRUPTS, &[], 50.0 * seconds as f64)]);
    for ((cpu, node, frequency), busy) in [("0", 0.0, 1e9), ("1", 1.0, 3e9)].iter().zip(busy) {
        snapshot.push(&cpu_details::NODE, &[cpu], *node);
        snapshot.push(&cpu_details::FREQUENCY, &[cpu], *frequency);
        snapshot.push(&cpu_details::FREQUENCY_BASE, &[cpu], 2e9);
        snapshot.push(&cpu::SECONDS, &[cpu, "user"], busy);
        snapshot.push(&cpu::SECONDS, &[cpu, "idle"], seconds as f64 - busy);
    }
    snapshot
}

#[test]
fn processors_of_nodes_have_totals_for_each_node_and_for_all() {
    let (before, now) = (two_nodes(10, [0.0, 0.0]), two_nodes(20, [5.0, 10.0]));
    check(
        r"\Processor Information(*)\% Processor Time",
        &before,
        &now,
        &[
            ("0,0", "50.000"),
            ("1,1", "100.000"),
            ("0,_Total", "50.000"),
            ("1,_Total", "100.000"),
            ("_Total", "75.000"),
        ],
    );
    check(
        r"\Processor Information(1,*)\Processor Frequency",
        &before,
        &now,
        &[("1,1", "3000.000"), ("1,_Total", "3000.000")],
    );
    // Half the time at half the speed, and all the time at one and a half times the speed.
    check(
        r"\Processor Information(*)\% Processor Utility",
        &before,
        &now,
        &[
            ("0,0", "25.000"),
            ("1,1", "150.000"),
            ("0,_Total", "25.000"),
            ("1,_Total", "150.000"),
            ("_Total", "87.500"),
        ],
    );
}

#[test]
fn a_total_that_the_system_counts_itself_needs_no_instances() {
    let (before, now) = (two_nodes(10, [0.0, 0.0]), two_nodes(20, [5.0, 10.0]));
    let path = r"\Processor(*)\DPCs Queued/sec";
    check(path, &before, &now, &[("_Total", "50.000")]);
    let mut by_cpu = [before, now];
    for (snapshot, count) in by_cpu.iter_mut().zip([7.0, 27.0]) {
        snapshot.push(&interrupts::SOFT_INTERRUPTS, &["0"], count);
    }
    check(path, &by_cpu[0], &by_cpu[1], &[("0", "2.000"), ("_Total", "50.000")]);
}

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
        r#"rate(cpu_timer_interrupts_total{cpu="12"}[1m])"#,
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
    ] {
        let (row, path) = row(path);
        let history = History { instance: path.instance.as_ref(), host: None, window: "1m" };
        assert_eq!(row.promql(&history), None, "{path}");
    }
}

fn session(path: &str) -> Result<Session, SessionError> {
    let paths = vec![CounterPath::parse(path).unwrap()];
    Session::new(&Roots::default(), Arc::new(SystemClock::new()), paths)
}

#[test]
fn another_computer_is_refused() {
    let error = session(r"\\nobody\System\Threads").unwrap_err();
    let host = crate::host_facts(&Roots::default()).host;
    assert_eq!(
        error.to_string(),
        format!(
            r"`\\nobody\System\Threads` names the computer `nobody`, and this one is `{host}`: only its own counters can be read"
        )
    );
    assert!(session(&format!(r"\\{host}\System\Threads")).is_ok());
    assert!(session(r"\\localhost\System\Threads").is_ok());
}

#[test]
fn a_path_that_names_nothing_is_quoted() {
    let error = session(r"\Memory\Availabel Bytes").unwrap_err();
    assert_eq!(
        crate::chain(&error),
        r"`\Memory\Availabel Bytes` names no counter: object `Memory` has no counter `Availabel Bytes`; near to it: `Available Bytes`, `Available MBytes`, `Cache Bytes`"
    );
}

#[test]
fn the_live_machine_has_been_up_for_some_time() {
    let mut session = session(r"\System\System Up Time").unwrap();
    assert!(!session.needs_two());
    let reading = &session.sample()[0];
    assert_eq!((reading.unit, reading.path.as_str()), (Unit::Seconds, r"\System\System Up Time"));
    assert!(reading.value.unwrap() > 0.0);
}
