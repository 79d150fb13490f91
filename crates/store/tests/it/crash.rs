//! A process that is killed, or whose disk fails, at any moment has lost nothing that it
//! acknowledged, and what it stored beyond that is what it was given.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use barograph_store::{Settings, Store};
use barograph_testkit::Disk;

use crate::support::{Dice, HOUR_MS, NOON_MS, TestClock, batch, contents, count, labels, settings};

const SERIES: u32 = 20;
/// Batches are this far apart, so that a round passes through several partitions.
/// Ten of them lead into the second partition.
const LONG_ROUND: i64 = HOUR_MS / STEP_MS / 9;
const STEP_MS: i64 = 47_000;
const DIR: &str = "BAROGRAPH_TEST_CRASH_DIR";
const FIRST: &str = "BAROGRAPH_TEST_CRASH_FIRST";
const LAST: &str = "BAROGRAPH_TEST_CRASH_LAST";
const ROLE: &str = "crash::appends_until_it_is_killed";

/// Sealing, closing and rewriting all happen all the time.
fn hasty(dir: &Path) -> Settings {
    Settings { seal_bytes: 1, close_after: Duration::ZERO, ..settings(dir) }
}

fn value(number: i64, series: u32) -> f64 {
    (number * 31 + i64::from(series)) as f64 / if series.is_multiple_of(2) { 1.0 } else { 3.0 }
}

/// The other process: appends, and says what is acknowledged. An append that fails is tried again,
/// as its callers would.
#[test]
fn appends_until_it_is_killed() {
    let (Ok(dir), Ok(first)) = (env::var(DIR), env::var(FIRST)) else { return };
    let first: i64 = first.parse().unwrap();
    let last = env::var(LAST).map_or(i64::MAX, |last| last.parse().unwrap());
    let clock = TestClock::at(NOON_MS + first * STEP_MS);
    // A disk that fails at the opening may do better the next time.
    let store = (0..5).find_map(|_| Store::open(hasty(Path::new(&dir)), clock.clone()).ok());
    let Some(store) = store else { return };
    for number in first..last {
        let samples = (0..SERIES).map(|series| (series, value(number, series)));
        let batch = [batch(NOON_MS + number * STEP_MS, samples)];
        if !(0..5).any(|_| store.append(&batch).is_ok()) {
            // All later ones would leave a hole, which the oracle takes for a loss.
            return;
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {number}").unwrap();
        out.flush().unwrap();
        clock.advance(STEP_MS);
        if last < i64::MAX && number % 40 == 0 {
            // Between runs that are to be the same, the maintenance thread's own time is not.
            drop(store.maintain());
        }
    }
    assert_eq!(store.stats().panics, 0);
}

/// The other process.
struct Other {
    child: Child,
    /// What it acknowledged last; before that, one less than what it was to begin with.
    acknowledged: Arc<AtomicI64>,
    reader: thread::JoinHandle<()>,
}

impl Other {
    #[expect(clippy::disallowed_methods, reason = "only a process can be killed")]
    fn start(dir: &Path, first: i64, last: Option<i64>, under: &[&str]) -> Self {
        let program = env::current_exe().unwrap();
        let mut command = match under.split_first() {
            None => Command::new(&program),
            Some((tool, args)) => {
                let mut command = Command::new(tool);
                command.args(args).arg(&program);
                command
            }
        };
        if let Some(last) = last {
            command.env(LAST, last.to_string());
        }
        let mut child = command
            .args([ROLE, "--exact", "--nocapture"])
            .env(DIR, dir)
            .env(FIRST, first.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let acknowledged = Arc::new(AtomicI64::new(first - 1));
        let newest = Arc::clone(&acknowledged);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(number) = line.strip_prefix("acknowledged ") {
                    newest.store(number.parse().unwrap(), Ordering::SeqCst);
                }
            }
        });
        Self { child, acknowledged, reader }
    }

    fn acknowledged(&self) -> i64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits for the end; gives what it acknowledged last.
    fn end(mut self) -> i64 {
        self.child.wait().unwrap();
        self.reader.join().unwrap();
        self.acknowledged.load(Ordering::SeqCst)
    }

    fn kill(mut self) -> i64 {
        self.child.kill().unwrap();
        self.end()
    }
}

/// Compares with what was acknowledged: surely all up to `surely`, at most up to `last` and one
/// batch more, whole, whose acknowledgement was on its way. Gives the number of the next batch.
fn check(dir: &Path, (surely, last): (i64, i64), round: &str) -> i64 {
    let clock = TestClock::at(NOON_MS + (last + 1) * STEP_MS);
    let store = Store::open(settings(dir), clock).unwrap();
    let found = contents(&store);
    let stored = found.values().map(count).max().unwrap_or(0);
    assert!((surely + 1..=last + 2).contains(&stored), "{round}: {stored} of {surely} to {last}");
    for series in 0..SERIES {
        let samples = found.get(&labels(series).to_string());
        let expected = (0..stored)
            .map(|number| (NOON_MS + number * STEP_MS, value(number, series).to_bits()))
            .collect();
        assert_eq!(samples.cloned().unwrap_or_default(), expected, "{round}");
    }
    assert_eq!(store.stats().panics, 0);
    stored
}

/// Kills the other process at random moments; gives how many batches it acknowledged.
fn kill_rounds(rounds: usize, seed: u64) -> i64 {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(seed);
    let (mut next, mut acknowledged) = (0, 0);
    for round in 0..rounds {
        let other = Other::start(dir.path(), next, None, &[]);
        thread::sleep(Duration::from_millis(20 + dice.below(150) as u64));
        // Also where a program takes long to start, some of them come this far.
        while round % 5 == 4 && other.acknowledged() < next + LONG_ROUND {
            assert!(
                !other.reader.is_finished(),
                "seed {seed:x}, round {round}: it ended by itself"
            );
            thread::sleep(Duration::from_millis(1));
        }
        let last = other.kill();
        acknowledged += last + 1 - next;
        next = check(dir.path(), (last, last), &format!("seed {seed:x}, round {round}"));
    }
    assert!(next * STEP_MS > HOUR_MS, "never left the first partition");
    acknowledged
}

#[test]
fn two_hundred_kills_lose_nothing_that_was_acknowledged() {
    let seeds = [0x9e37_79b9_7f4a_7c15, 0x0123_4567_89ab_cdef, 0xdead_beef, 0x5eed];
    let acknowledged: i64 = thread::scope(|scope| {
        let runs = seeds.map(|seed| scope.spawn(move || kill_rounds(50, seed)));
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    // What the long rounds wait for; the others add what the machine's speed lets them.
    assert!(acknowledged >= 4 * 10 * LONG_ROUND, "only {acknowledged} batches in all rounds");
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    let Some(disk) = Disk::with_power(64) else { return };
    let dir = disk.path().join("data");
    let mut dice = Dice(0x00c0_ffee);
    let (mut next, mut acknowledged) = (0, 0);
    for round in 0..20 {
        let other = Other::start(&dir, next, None, &[]);
        thread::sleep(Duration::from_millis(60 + dice.below(300) as u64));
        // A sync that is under way when the file system is shut down may still report success. A
        // machine without power reports nothing, so what counts is what was heard before.
        let surely = other.acknowledged();
        disk.cut_power();
        let last = other.kill();
        acknowledged += surely + 1 - next;
        disk.power_on();
        next = check(&dir, (surely, last), &format!("round {round}"));
    }
    assert!(acknowledged > 50, "only {acknowledged} batches in all rounds");
}

const STRACE: &str = "/usr/bin/strace";

/// Runs the other process with one system call that fails, or is the last one before a kill.
fn inject(call: &str, fault: &str, number: usize) {
    let dir = tempfile::tempdir().unwrap();
    let trace = format!("trace={call}");
    let fault = format!("inject={call}:{fault}:when={number}");
    let under = [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &fault];
    let last = Other::start(dir.path(), 0, Some(160), &under).end();
    check(dir.path(), (last, last), &format!("{call} {number}: {fault}"));
}

/// Numbers of calls: the first ones one by one, then fewer and fewer.
fn numbers() -> impl Iterator<Item = usize> {
    (1..12).chain((12..60).step_by(7)).chain((60..400).step_by(67))
}

fn at_each_call(faults: &[(&str, &str)]) {
    if env::consts::OS == "windows" || !Path::new(STRACE).is_file() {
        say_not_tested();
        return;
    }
    let work: Vec<(usize, &str, &str)> = faults
        .iter()
        .flat_map(|(call, fault)| numbers().map(move |number| (number, *call, *fault)))
        .collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((number, call, fault)) =
                    work.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    inject(call, fault, *number);
                }
            });
        }
    });
}

fn say_not_tested() {
    eprintln!("not tested: no strace (cargo xtask test installs it)");
}

#[test]
fn a_kill_at_each_disk_call_loses_nothing() {
    at_each_call(&[
        ("pwrite64", "signal=KILL"),
        ("fdatasync", "signal=KILL"),
        ("fsync", "signal=KILL"),
        ("/rename", "signal=KILL"),
        ("/unlink", "signal=KILL"),
    ]);
}

#[test]
fn a_write_that_fails_loses_nothing() {
    at_each_call(&[
        ("pwrite64", "error=EIO"),
        ("pwrite64", "error=ENOSPC"),
        ("ftruncate", "error=EIO"),
    ]);
}

#[test]
fn a_sync_or_a_rename_that_fails_loses_nothing() {
    at_each_call(&[
        ("fdatasync", "error=EIO"),
        ("fsync", "error=EIO"),
        ("/rename", "error=EIO"),
        ("/unlink", "error=EIO"),
    ]);
}
