//! What the system says about a process and its children (Linux).

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

/// `USER_HZ`, which Linux fixes at 100 for all programs on the machines that we build for.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) rss_mib: f64,
    /// What of the resident memory is its own share.
    pub(super) pss_mib: f64,
}

/// Time in user and kernel mode of a process, its children and those that have ended.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut ticks = 0.0;
    for pid in tree(pid) {
        // A child may end between the listing and the reading; its parent has its time then.
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let (_, fields) = text.rsplit_once(')').context("/proc/PID/stat has no name")?;
        let own = fields.split_whitespace().skip(11).take(4).map(str::parse::<f64>);
        ticks += own.sum::<Result<f64, _>>()?;
    }
    Ok(ticks / TICKS_PER_SECOND)
}

pub(super) fn memory(pid: u32) -> Result<Memory> {
    let mut memory = Memory::default();
    for pid in tree(pid) {
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { continue };
        memory.rss_mib += field(&text, "Rss:")? / 1024.0;
        memory.pss_mib += field(&text, "Pss:")? / 1024.0;
    }
    Ok(memory)
}

/// How many files and how many threads a process and its children have open.
pub(super) fn open(pid: u32) -> [f64; 2] {
    ["fd", "task"].map(|what| {
        let count = |pid| fs::read_dir(format!("/proc/{pid}/{what}")).map_or(0, Iterator::count);
        tree(pid).into_iter().map(count).sum::<usize>() as f64
    })
}

/// The threads of a process, those of one name together.
#[derive(Debug, Default)]
pub(super) struct Threads(BTreeMap<String, Thread>);

#[derive(Debug, Default, Clone, Copy)]
struct Thread {
    cpu_seconds: f64,
    /// How often it began to wait, and so was woken.
    waits: f64,
    count: u32,
}

pub(super) fn threads(pid: u32) -> Result<Threads> {
    let folder = format!("/proc/{pid}/task");
    let mut threads = Threads::default();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {folder}"))? {
        let path = entry?.path();
        let read = |file: &str| fs::read_to_string(path.join(file));
        // It may have ended since.
        let (Ok(name), Ok(times), Ok(status)) = (read("comm"), read("schedstat"), read("status"))
        else {
            continue;
        };
        let thread = threads.0.entry(name.trim().to_owned()).or_default();
        let nanoseconds = times.split_whitespace().next().unwrap_or_default();
        thread.cpu_seconds += nanoseconds.parse::<f64>()? / 1e9;
        thread.waits += field(&status, "voluntary_ctxt_switches:")?;
        thread.count += 1;
    }
    Ok(threads)
}

impl Threads {
    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.0.values().map(|thread| thread.count).sum()
    }

    /// Processor time of those with these names.
    pub(super) fn cpu_seconds(&self, names: &[&str]) -> f64 {
        let named = |name: &str| self.0.get(name).map_or(0.0, |thread| thread.cpu_seconds);
        names.iter().map(|name| named(name)).sum()
    }

    /// One line for each name: what a second costs since `before`.
    pub(super) fn lines_since(&self, before: &Self, seconds: f64) -> Vec<String> {
        let line = |(name, now): (&String, &Thread)| {
            let before = before.0.get(name).copied().unwrap_or_default();
            let cpu_ms = 1e3 * (now.cpu_seconds - before.cpu_seconds) / seconds;
            let waits = (now.waits - before.waits) / seconds;
            format!("{name:<18} {cpu_ms:6.3} ms, woken {waits:5.1} times")
        };
        self.0.iter().map(line).collect()
    }
}

fn tree(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        next += 1;
    }
    found
}

fn field(text: &str, name: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.with_context(|| format!("the system tells no `{name}`"))?.parse()?)
}
