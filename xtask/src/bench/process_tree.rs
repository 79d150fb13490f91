//! What the system says about a process and its children (Linux).

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

pub(super) fn threads(pid: u32) -> Result<usize> {
    let folder = format!("/proc/{pid}/task");
    Ok(fs::read_dir(&folder).with_context(|| format!("cannot list {folder}"))?.count())
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
    Ok(number.with_context(|| format!("no `{name}` in smaps_rollup"))?.parse()?)
}
