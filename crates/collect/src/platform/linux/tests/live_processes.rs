//! Processes of this machine that are there for the test: with odd names, and gone at once.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use barograph_model::{Clock, Desc, SystemClock};
use barograph_testkit::Tree;

use crate::process::{LiveProcesses, ProcessCollector};
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
