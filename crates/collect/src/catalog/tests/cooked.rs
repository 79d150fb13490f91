//! What comes out of two readings.

use barograph_model::{Desc, Unit};

use super::{Pushed, check, cooked, snapshot};
use crate::catalog::formula::{Formula, Term};
use crate::catalog::{Instances, Missing, PdhType, Row, Snapshot, cook};
use crate::desc::gauge;
use crate::{Sink, cpu, cpu_details, disk, filesystem, interrupts, memory, paging};

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
        snapshot.push(&cpu_details::NODE, &[cpu, "0"], *node);
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
            ("1,0", "100.000"),
            ("0,_Total", "50.000"),
            ("1,_Total", "100.000"),
            ("_Total", "75.000"),
        ],
    );
    check(
        r"\Processor Information(1,*)\Processor Frequency",
        &before,
        &now,
        &[("1,0", "3000.000"), ("1,_Total", "3000.000")],
    );
    // Half the time at half the speed, and all the time at one and a half times the speed.
    check(
        r"\Processor Information(*)\% Processor Utility",
        &before,
        &now,
        &[
            ("0,0", "25.000"),
            ("1,0", "150.000"),
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
