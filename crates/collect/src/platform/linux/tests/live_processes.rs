//! Processes of this machine that are there for the test: with odd names, and gone at once.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use barograph_model::{Clock, Desc, SystemClock};
use barograph_testkit::Tree;

use crate::platform::ProcessReader;
use crate::process::{LiveProcesses, ProcessCollector, Vitals};
use crate::{Collector, Roots, Setup, Sink};

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// Ends its process when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[expect(clippy::disallowed_methods, reason = "a process to look at")]
fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

#[test]
fn names_with_blanks_parentheses_line_ends_and_broken_utf8_are_read() {
    let tree = Tree::empty().unwrap();
    let name = OsStr::from_bytes(b") S 1 (\n \xff x");
    let program = tree.path().join(name);
    std::fs::copy("/bin/sleep", &program).unwrap();
    let child = Running(command(&program).arg("100").spawn().unwrap());
    let mut live = LiveProcesses::new(&Roots::default(), clock());
    let found = live.read().unwrap();
    let one = found.processes.iter().find(|one| one.id.pid == child.0.id()).unwrap();
    assert_eq!(one.parent, std::process::id());
    assert_eq!(one.facts.name, ") S 1 (\n \u{fffd} x");
    assert!(one.facts.command_line.as_ref().unwrap().ends_with(" 100"), "{one:?}");
}

/// What psutil says of a process, in lines.
const PSUTIL: &str = r#"
import psutil, sys
one = psutil.Process(int(sys.argv[1]))
cpu, io = one.cpu_times(), one.io_counters()
print(cpu.user)
print(cpu.system)
print(io.read_chars)
print(io.write_chars)
print(io.read_count)
print(io.write_count)
print(one.num_fds())
print(one.username())
print(" ".join(one.cmdline()))
"#;

/// Opens files, works, reads and writes, and then waits: nothing of it changes any more.
const WORK: &str = "exec 7</dev/null 8</dev/null 9>/dev/null; i=0; \
                    while [ $i -lt 60000 ]; do i=$((i+1)); echo 0123456789 >&9; done; \
                    read line </etc/passwd; echo ready; read line";

#[test]
fn psutil_tells_the_same_of_a_process_that_has_worked() {
    let Some(mut python) = barograph_testkit::python() else { return };
    let mut shell = command("/bin/sh");
    shell.args(["-c", WORK]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = Running(shell.spawn().unwrap());
    let mut said = String::new();
    BufReader::new(child.0.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "ready\n");
    let pid = child.0.id();
    // It has still to reach the place where it waits.
    let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    while !state().contains(") S ") {
        std::thread::yield_now();
    }
    let output = python.args(["-c", PSUTIL, &pid.to_string()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().collect();

    let mut reader = ProcessReader::new(&Roots::default());
    reader.begin().unwrap();
    let mut vitals = Vitals::default();
    assert!(reader.next(&mut vitals, |one| one == pid).unwrap());
    let extras = reader.extras(vitals.id).unwrap();
    let io = extras.io.unwrap();
    let facts = reader.facts(&vitals);
    for (ours, theirs) in [(vitals.user_seconds, lines[0]), (vitals.privileged_seconds, lines[1])] {
        assert!((ours - theirs.parse::<f64>().unwrap()).abs() < 0.011, "{ours} {theirs}");
    }
    assert!(vitals.user_seconds + vitals.privileged_seconds > 0.0);
    let ours = [io.read_bytes, io.written_bytes, io.reads, io.writes, extras.handles.unwrap()];
    assert_eq!(ours.map(|number| number.to_string()), lines[2..7], "{text}");
    assert!(io.written_bytes >= 60_000 * 11 && io.writes >= 60_000, "{io:?}");
    assert_eq!(facts.user.as_deref(), Some(lines[7]));
    assert_eq!(facts.command_line.as_deref(), Some(lines[8]));
}

/// Files of processes that this one has open.
fn open_stats() -> usize {
    let files = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    links.filter(|link| link.starts_with("/proc") && link.ends_with("stat")).count()
}

#[test]
fn files_of_processes_stay_open_for_the_next_list_until_they_are_closed() {
    let mut reader = ProcessReader::new(&Roots::default());
    let before = open_stats();
    for _ in 0..2 {
        let listed = reader.begin().unwrap();
        while reader.next(&mut Vitals::default(), |_| true).unwrap() {}
        let kept = open_stats() - before;
        assert!(kept > 0 && kept <= listed.min(32) + 1, "{kept} of {listed}");
    }
    reader.close_kept();
    // The boot time's file stays.
    assert!(open_stats() <= before + 1);
    assert!(reader.begin().unwrap() > 0 && reader.next(&mut Vitals::default(), |_| true).unwrap());
}

/// Ignores what it is told.
struct Nothing;

impl Sink for Nothing {
    fn push(&mut self, _: &'static Desc, _: &[&str], _: f64) {}
}

#[test]
fn processes_that_vanish_while_they_are_read_are_no_errors() {
    let setup = Setup::new(&Roots::default(), &clock());
    let mut collector = ProcessCollector::new(&setup);
    let mut live = LiveProcesses::new(&Roots::default(), clock());
    let (done, started) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    command("/bin/true").status().unwrap();
                    started.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let own = std::process::id();
        let mut passes = 0;
        let results = std::iter::from_fn(|| {
            passes += 1;
            let read = live.read().and_then(|found| {
                assert!(found.processes.iter().any(|one| one.id.pid == own));
                collector.collect(&mut Nothing)
            });
            (passes <= 20 || started.load(Ordering::Relaxed) < 100).then_some(read)
        });
        let failed: Vec<_> = results.filter_map(Result::err).collect();
        done.store(true, Ordering::Relaxed);
        assert!(failed.is_empty(), "{failed:?}");
    });
}
