//! Whole screens of a machine that stands still.

use std::sync::Arc;

use barograph_collect::process::{Facts, Process, ProcessId, ProcessState};
use expect_test::expect_file;
use proptest::prelude::*;

use super::super::screen::as_text;
use super::super::view::{Adapter, Disk, Memory, Shares};
use super::*;

const GIB: f64 = (1_u64 << 30) as f64;

fn facts() -> HostFacts {
    HostFacts {
        host: "db-1".into(),
        os_name: Some("Debian GNU/Linux 12 (bookworm)".into()),
        ..HostFacts::default()
    }
}

fn view(cores: u32) -> View {
    let shares = |number: u32| Shares {
        programs: f64::from(number * 13 % 60),
        kernel: f64::from(number * 7 % 30),
        waiting: 5.0,
    };
    let disk = |name: &str, read, busy| Disk {
        name: name.into(),
        read,
        written: 1.5e6,
        busy_percent: Some(busy),
    };
    let adapter =
        |name: &str, received| Adapter { name: name.into(), received, sent: received / 10.0 };
    View {
        time_ms: 1_763_812_800_000,
        uptime_seconds: Some(273_900.0),
        cpu: Some(Shares { programs: 30.0, kernel: 12.0, waiting: 8.0 }),
        cores: (0..cores).map(|number| (number, shares(number))).collect(),
        memory: Memory {
            total: Some(16.0 * GIB),
            available: Some(9.0 * GIB),
            free: Some(2.0 * GIB),
            swap_total: Some(4.0 * GIB),
            swap_free: Some(3.0 * GIB),
        },
        load: Some([1.24, 0.97, 12.3]),
        pressure: [Some(2.4), Some(0.0), Some(14.0)],
        disks: vec![disk("nvme0n1", 49e6, 71.0), disk("sda", 0.0, 0.4), disk("sdb", 0.0, 0.0)],
        system_drive_percent: Some(93.2),
        adapters: vec![adapter("eth0", 12e6), adapter("lo", 512.0)],
        processes: Some(231.0),
        threads: Some(1186.0),
    }
}

fn process(pid: u32, name: &str, command: Option<&str>, cpu: f64, memory: u64) -> Process {
    Process {
        id: ProcessId { pid, start: 1 },
        facts: Arc::new(Facts {
            name: name.into(),
            command_line: command.map(str::to_owned),
            user: Some(if pid < 1000 { "root" } else { "postgres-long" }.into()),
            ..Facts::default()
        }),
        state: if cpu > 50.0 { ProcessState::Running } else { ProcessState::Sleeping },
        cpu_user_percent: Some(cpu),
        cpu_privileged_percent: Some(cpu / 10.0),
        working_set_bytes: memory,
        threads: 4,
        read_bytes_per_second: Some(cpu * 1000.0),
        ..Process::default()
    }
}

fn processes() -> ProcessSnapshot {
    let postgres = "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c x=y";
    let mut processes = vec![
        process(1, "systemd", Some("/sbin/init"), 0.1, 12 << 20),
        process(9, "kworker/0:1", None, 1.2, 0),
        process(4711, "postgres", Some(postgres), 187.3, 3 << 30),
        process(4712, "evil", Some("evil \x1b[2J\u{7}日本語"), 20.0, 9 << 30),
    ];
    processes
        .extend((0..40).map(|i| process(2000 + i, "worker", Some("worker --idle"), 0.0, 4096)));
    ProcessSnapshot { time_ms: 0, total: processes.len(), processes, denied: 0 }
}

#[track_caller]
fn check(cores: u32, wishes: &Wishes, columns: usize, rows: usize, expect: &Golden) {
    let (facts, view, processes) = (facts(), view(cores), processes());
    let shown = Shown { facts: &facts, view: Some(&view), processes: Some(&processes), wishes };
    let lines = layout(&shown, columns, rows);
    assert_eq!(lines.len(), rows);
    expect.assert_eq(&as_text(&lines));
}

type Golden = expect_test::ExpectFile;

#[test]
fn a_small_terminal_shows_everything_that_matters() {
    check(4, &Wishes::default(), 80, 24, &expect_file!["golden/80x24.txt"]);
}

#[test]
fn a_large_terminal_shows_more() {
    let wishes =
        Wishes { sort: barograph_collect::process::ProcessSort::Memory, ..Wishes::default() };
    check(16, &wishes, 120, 40, &expect_file!["golden/120x40.txt"]);
}

#[test]
fn hundreds_of_processors_have_a_sign_each() {
    let wishes = Wishes { filter: "POST".into(), is_paused: true, ..Wishes::default() };
    check(200, &wishes, 80, 24, &expect_file!["golden/200-processors.txt"]);
}

#[test]
fn help_fits_a_small_terminal() {
    let wishes = Wishes { shows_help: true, ..Wishes::default() };
    check(4, &wishes, 80, 24, &expect_file!["golden/help.txt"]);
}

#[test]
fn before_the_second_reading_it_says_what_it_waits_for() {
    let facts = facts();
    let wishes = Wishes { typing: Some(String::new()), filter: "x".into(), ..Wishes::default() };
    let shown = Shown { facts: &facts, view: None, processes: None, wishes: &wishes };
    let text = as_text(&layout(&shown, 80, 4));
    let expected = " db-1  Debian GNU/Linux 12 (bookworm)\n \
        rates need two readings, a second apart\n\n \
        filter: x_   enter keeps it, esc takes it back\n";
    assert_eq!(text, expected);
}

proptest! {
    #[test]
    fn any_size_is_filled_and_never_left(columns in 0_usize..200, rows in 0_usize..60, cores in 0_u32..300) {
        let (facts, view, processes) = (facts(), view(cores), processes());
        let wishes = Wishes { first: rows * 3, ..Wishes::default() };
        let shown =
            Shown { facts: &facts, view: Some(&view), processes: Some(&processes), wishes: &wishes };
        let lines = layout(&shown, columns, rows);
        prop_assert_eq!(lines.len(), rows);
        for line in as_text(&lines).lines() {
            let width: usize =
                line.chars().map(|c| unicode_width::UnicodeWidthChar::width(c).unwrap()).sum();
            prop_assert!(width <= columns);
        }
    }
}
