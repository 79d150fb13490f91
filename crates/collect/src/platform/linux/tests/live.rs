//! This machine, against what other programs read of it. Each program runs between two readings
//! of ours, so that a running total of its lies between the two of ours.

use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use barograph_model::{Clock, Sample, SystemClock};

use crate::process::{LiveProcesses, Process};
use crate::{HEADLINE, Roots, Runner, RunnerSettings, Sink, registry};

/// Our samples, by metric and label values.
#[derive(Default)]
struct Samples(Vec<(String, f64)>);

impl Sink for Samples {
    fn push(&mut self, desc: &'static barograph_model::Desc, values: &[&str], value: f64) {
        self.0.push((format!("{}{values:?}", desc.name), value));
    }
}

impl Samples {
    fn now() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let mut samples = Self::default();
        for mut collector in registry::all(&Roots::default(), &clock) {
            match collector.collect(&mut samples) {
                Err(error) if !error.is_absent() => panic!("{}: {error}", collector.name()),
                _ => {}
            }
        }
        samples
    }

    /// The sum over the series whose name, followed by their label values, fits.
    fn sum(&self, fits: impl Fn(&str) -> bool) -> f64 {
        self.0.iter().filter(|(name, _)| fits(name)).map(|(_, value)| value).sum()
    }

    fn one(&self, name: &str) -> f64 {
        let found = self.0.iter().find(|(known, _)| known == &format!("{name}[]"));
        found.unwrap_or_else(|| panic!("{name} is missing")).1
    }
}

/// Our readings around what a program says; nothing if the program is not installed.
fn around(program: &str, arguments: &[&str]) -> Option<(Samples, String, Samples)> {
    let mut command = barograph_testkit::peer_program(program)?;
    command.args(arguments);
    Some(around_command(program, command))
}

fn around_command(program: &str, mut command: Command) -> (Samples, String, Samples) {
    let before = Samples::now();
    let output = command.env("LC_ALL", "C").output().unwrap();
    let after = Samples::now();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    (before, String::from_utf8(output.stdout).unwrap(), after)
}

#[track_caller]
fn check_between(what: &str, before: f64, theirs: f64, after: f64, tolerance: f64) {
    let (low, high) = (before.min(after) - tolerance, before.max(after) + tolerance);
    assert!((low..=high).contains(&theirs), "{what}: {theirs} is not in {low}..={high}");
}

#[test]
fn the_second_tick_holds_every_headline_metric() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let collectors = registry::all(&Roots::default(), &clock);
    let (sender, batches) = channel();
    let settings = RunnerSettings::new("live", clock);
    let runner =
        Runner::start(settings, collectors, move |batch| drop(sender.send(batch))).unwrap();
    let next = || batches.recv_timeout(Duration::from_secs(20)).unwrap();
    // Drives are read every ten seconds only, and so are in the first tick.
    let samples = [next().samples, next().samples].concat();
    for headline in HEADLINE {
        let is_it = |sample: &&Sample| {
            sample.labels.name() == headline.name && sample.labels.get("host") == Some("live")
        };
        assert!(samples.iter().any(|sample| is_it(&sample)), "{} is missing", headline.name);
    }
    for status in runner.status().collectors {
        let went_wrong = status.failures + status.panics;
        assert_eq!(went_wrong, 0, "{}: {:?}", status.name, status.last_error);
    }
    assert!(runner.stop().is_empty());
}

#[test]
fn vmstat_counts_the_same_events() {
    let Some((before, text, after)) = around("vmstat", &["-s"]) else { return };
    let theirs = |what: &str| {
        let line = text.lines().find(|line| line.trim_end().ends_with(what)).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap()
    };
    for (what, name) in [
        ("CPU context switches", "system_context_switches_total"),
        ("interrupts", "system_interrupts_total"),
        ("forks", "system_forks_total"),
        ("pages swapped out", "memory_swap_out_pages_total"),
    ] {
        check_between(what, before.one(name), theirs(what), after.one(name), 0.0);
    }
    for (what, mode) in [
        ("non-nice user cpu ticks", "user"),
        ("system cpu ticks", "system"),
        ("idle cpu ticks", "idle"),
        ("IO-wait cpu ticks", "iowait"),
    ] {
        let ours = |samples: &Samples| {
            samples.sum(|name| {
                name.starts_with("cpu_seconds_total") && name.contains(&format!("{mode:?}]"))
            })
        };
        // Ours adds up processors that were each rounded down to a tick, and idle time jitters.
        check_between(what, ours(&before), theirs(what) / 100.0, ours(&after), 0.5);
    }
    assert!((theirs("boot time") - before.one("system_boot_time_seconds")).abs() <= 1.0);
    check_between(
        "total memory",
        before.one("memory_total_bytes") / 1024.0,
        theirs("K total memory"),
        after.one("memory_total_bytes") / 1024.0,
        0.0,
    );
}

#[test]
fn free_sees_the_same_memory() {
    let Some((before, text, after)) = around("free", &["-b", "-w"]) else { return };
    let row = |name: &str| -> Vec<f64> {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect()
    };
    let memory = row("Mem:");
    // Programs start and end while we look.
    let tolerance = 256.0 * 1024.0 * 1024.0;
    for (column, name, tolerance) in [
        (0, "memory_total_bytes", 0.0),
        (2, "memory_free_bytes", tolerance),
        (4, "memory_buffers_bytes", tolerance),
        (6, "memory_available_bytes", tolerance),
    ] {
        check_between(name, before.one(name), memory[column], after.one(name), tolerance);
    }
    let swap = row("Swap:");
    check_between(
        "swap",
        before.one("memory_swap_total_bytes"),
        swap[0],
        after.one("memory_swap_total_bytes"),
        0.0,
    );
    check_between(
        "percent",
        before.one("memory_percent"),
        100.0 * (1.0 - memory[6] / memory[0]),
        after.one("memory_percent"),
        2.0,
    );
}

#[test]
fn df_sees_the_same_system_drive() {
    let columns = "--output=size,used,avail,pcent";
    let Some((before, text, after)) = around("df", &["-B1", columns, "/"]) else { return };
    let line = text.lines().nth(1).unwrap();
    let theirs: Vec<f64> =
        line.split_whitespace().map(|n| n.trim_end_matches('%').parse().unwrap()).collect();
    let gibibyte = f64::from(1 << 30);
    for (column, name) in [(0, "disk_total_gb"), (1, "disk_used_gb"), (2, "disk_free_gb")] {
        check_between(name, before.one(name), theirs[column] / gibibyte, after.one(name), 0.5);
    }
    // df rounds up.
    check_between(
        "percent",
        before.one("disk_percent"),
        theirs[3],
        after.one("disk_percent") + 1.0,
        0.2,
    );
}

#[test]
fn vmstat_counts_the_same_disk_requests() {
    let Some((before, text, after)) = around("vmstat", &["-d"]) else { return };
    let mut compared = 0;
    for line in text.lines().skip(2) {
        let words: Vec<_> = line.split_whitespace().collect();
        let (disk, numbers) = words.split_first().unwrap();
        let ours = |samples: &Samples, metric: &str| {
            samples.sum(|name| name == format!("{metric}[{disk:?}]"))
        };
        if ours(&before, "disk_reads_total") == 0.0 {
            continue;
        }
        for (column, metric, scale) in [
            (0, "disk_reads_total", 1.0),
            (2, "disk_read_bytes_total", 512.0),
            (4, "disk_writes_total", 1.0),
            (6, "disk_written_bytes_total", 512.0),
        ] {
            let theirs = scale * numbers[column].parse::<f64>().unwrap();
            check_between(metric, ours(&before, metric), theirs, ours(&after, metric), 0.0);
            compared += 1;
        }
    }
    println!("{compared} totals compared");
}

#[test]
fn nstat_counts_the_same_of_each_protocol() {
    // Absolute values, no history of its own, also zeros.
    let Some((before, text, after)) = around("nstat", &["-a", "-s", "-z"]) else { return };
    let theirs = |name: &str| -> Option<f64> {
        let mut words = text.lines().map(str::split_whitespace);
        words.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
    };
    let mut compared = 0;
    for (name, low) in &before.0 {
        let Some(labels) = name.strip_prefix("network_protocol_events_total[") else { continue };
        let labels = labels.trim_end_matches(']').replace(['"', ','], " ");
        let word: String = labels.split_whitespace().collect();
        let high = after.0.iter().find(|(known, _)| known == name).unwrap().1;
        // It leaves out what old kernels do not have, as we do.
        if let Some(theirs) = theirs(&word) {
            check_between(&word, *low, theirs, high, 0.0);
            compared += 1;
        }
    }
    assert!(compared >= 80, "{compared} compared:\n{text}");
    let sum = |samples: &Samples, name: &str| samples.sum(|known| known.starts_with(name));
    for (theirs_name, name) in [
        ("TcpRetransSegs", "tcp_segments_retransmitted_total["),
        ("TcpExtListenOverflows", "tcp_listen_overflows_total["),
        ("TcpExtListenDrops", "tcp_listen_drops_total["),
        ("TcpExtTCPTimeouts", "tcp_timeouts_total["),
    ] {
        let theirs = theirs(theirs_name).unwrap();
        check_between(name, sum(&before, name), theirs, sum(&after, name), 0.0);
    }
}

#[test]
fn ps_lists_as_many_processes() {
    let Some((before, text, after)) = around("ps", &["-e", "-o", "pid="]) else { return };
    // Itself among them, and whatever else starts and ends here.
    check_between(
        "processes",
        before.one("process_count"),
        text.lines().count() as f64,
        after.one("process_count"),
        25.0,
    );
}

#[test]
fn ps_tells_the_same_of_every_process() {
    const KERNEL: u64 = 2;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut live = LiveProcesses::new(&Roots::default(), clock);
    live.read().unwrap();
    // The name comes last, since it can hold blanks.
    let columns = "pid=,ppid=,nlwp=,rss=,comm=";
    let Some((_, text, _)) = around("ps", &["-e", "-o", columns]) else { return };
    let ours = live.read().unwrap();
    let mut compared = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [pid, parent, threads, resident_kib] =
            [0, 1, 2, 3].map(|i| words[i].parse::<u64>().unwrap());
        let name = words[4..].join(" ");
        let find = |one: &&Process| u64::from(one.id.pid) == pid;
        // It ended, or is another by now; what works changes between two looks; and threads of
        // the kernel change their names.
        let Some(one) = ours.processes.iter().find(find) else { continue };
        if one.cpu_percent() != Some(0.0) || u64::from(one.parent) != parent || parent == KERNEL {
            continue;
        }
        compared += 1;
        assert!(one.facts.name.starts_with(name.trim_end_matches(" <defunct>")), "{line} {one:?}");
        assert!(one.threads.abs_diff(threads) <= 2, "{line} {one:?}");
        let ours_kib = one.working_set_bytes / 1024;
        assert!(ours_kib.abs_diff(resident_kib) <= 4096 + resident_kib / 10, "{line} {ours_kib}");
    }
    assert!(compared >= 3, "{compared} of {}", ours.total);
}

/// Prints a name and a number on each line, under our names.
const PSUTIL: &str = r#"
import os, psutil
memory, swap, cpu = psutil.virtual_memory(), psutil.swap_memory(), psutil.cpu_times()
print("memory_total_bytes[]", memory.total)
print("memory_swap_total_bytes[]", swap.total)
print("cpu_count[]", psutil.cpu_count())
print("system_boot_time_seconds[]", psutil.boot_time())
print("system_context_switches_total[]", psutil.cpu_stats().ctx_switches)
print("cpu user", cpu.user)
for name, io in psutil.net_io_counters(pernic=True).items():
    print(f'network_receive_bytes_total["{name}"]', io.bytes_recv)
    print(f'network_transmit_bytes_total["{name}"]', io.bytes_sent)
for name, io in psutil.disk_io_counters(perdisk=True).items():
    print(f'disk_read_bytes_total["{name}"]', io.read_bytes)
    print(f'disk_writes_total["{name}"]', io.write_count)
one = psutil.Process(os.getppid())
print("process started", one.create_time())
print("process threads", one.num_threads())
print("process parent", one.ppid())
"#;

#[test]
fn psutil_sees_the_same_machine_and_the_same_process() {
    let Some(mut python) = barograph_testkit::python() else { return };
    python.args(["-c", PSUTIL]);
    let (before, text, after) = around_command("psutil", python);
    let theirs = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    let find = |samples: &Samples, name: &str| {
        samples.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    };
    let mut compared = 0;
    for line in text.lines().filter(|line| line.contains(']')) {
        let (name, number) = line.rsplit_once(' ').unwrap();
        // It also lists partitions, which are no disks here.
        let Some((low, high)) = find(&before, name).zip(find(&after, name)) else { continue };
        // The boot time is reckoned from the uptime of now.
        let tolerance = if name.contains("boot_time") { 1.0 } else { 0.0 };
        check_between(name, low, number.parse().unwrap(), high, tolerance);
        compared += 1;
    }
    assert!(compared >= 7, "{compared} compared:\n{text}");
    let user = |samples: &Samples| {
        samples.sum(|name| name.starts_with("cpu_seconds_total") && name.contains("\"user\"]"))
    };
    check_between("user", user(&before), theirs("cpu user"), user(&after), 0.5);

    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let found = LiveProcesses::new(&Roots::default(), clock).read().unwrap();
    let own = found.processes.iter().find(|one| one.id.pid == std::process::id()).unwrap();
    let started = own.started_ms.unwrap() as f64 / 1e3;
    assert!((started - theirs("process started")).abs() <= 1.0, "{started}");
    assert!((f64::from(own.parent) - theirs("process parent")).abs() < 0.5);
    assert!((own.threads as f64 - theirs("process threads")).abs() <= 2.0, "{}", own.threads);
}
