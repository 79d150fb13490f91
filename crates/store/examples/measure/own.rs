//! What the system says of this process (Linux; zero elsewhere).

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use std::{fs, io};

/// Seconds that all threads of this program have run for.
pub(crate) fn cpu_seconds() -> f64 {
    let time = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    threads.filter_map(|entry| time(entry.ok()?)).sum::<f64>() / 1e9
}

/// Resident memory in MiB, now and at most.
pub(crate) fn memory_mib() -> (f64, f64) {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or_default() / 1024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}

#[expect(clippy::disallowed_methods, reason = "this measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The processor time that some work takes of this program, and its outcome.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let before = cpu_seconds();
    let outcome = work();
    (cpu_seconds() - before, outcome)
}

/// The processor time of one of many repetitions, and the last outcome. The clock is read before and
/// after all of them: it goes in steps of milliseconds, and reading it takes longer than short work.
pub(crate) fn timed_each<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    const ENOUGH_SECONDS: f64 = 0.5;
    const MOST: u32 = 1 << 22;
    let mut repetitions = 1;
    loop {
        let (spent, outcome) = timed(|| {
            for _ in 1..repetitions {
                drop(black_box(work()));
            }
            work()
        });
        if spent >= ENOUGH_SECONDS || repetitions >= MOST {
            return (spent / f64::from(repetitions), outcome);
        }
        repetitions *= if spent < ENOUGH_SECONDS / 10.0 { 8 } else { 2 };
    }
}

/// What the files directly in a folder take.
pub(crate) fn folder_bytes(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for file in fs::read_dir(dir)? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes)
}
