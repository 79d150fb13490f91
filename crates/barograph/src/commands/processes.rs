//! `barograph processes`: what runs now, or ran at a stored moment.

use std::sync::Arc;
use std::time::Duration;

use barograph_collect::Roots;
use barograph_collect::process::{LiveProcesses, Process, ProcessSnapshot, ProcessSort};
use barograph_model::{Clock, SystemClock};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::client::{Client, ServerArgs};
use crate::moment::moment;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct ProcessesArgs {
    /// What ran then, as a running server has stored it: a time with its zone, such as
    /// 2026-11-22T03:12:00Z, milliseconds since 1970, or how long ago, such as 10m. Without it
    /// this machine is read now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<i64>,
    /// The largest first.
    #[arg(long, value_enum, default_value = "cpu")]
    sort: SortName,
    /// How many to show.
    #[arg(long, value_name = "N", default_value = "20", value_parser = at_least_one)]
    top: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SortName {
    Cpu,
    Memory,
    Io,
}

impl SortName {
    const fn sort(self) -> ProcessSort {
        match self {
            Self::Cpu => ProcessSort::Cpu,
            Self::Memory => ProcessSort::Memory,
            Self::Io => ProcessSort::Io,
        }
    }
}

/// The part of the server's answer that is shown; the same is made of a reading of our own.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Shown {
    time_ms: i64,
    timestamp: String,
    /// Also those that are not listed.
    total: usize,
    denied: usize,
    processes: Vec<ShownProcess>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct ShownProcess {
    pid: u32,
    parent: u32,
    started_ms: Option<i64>,
    name: String,
    path: Option<String>,
    command_line: Option<String>,
    user: Option<String>,
    service: Option<String>,
    cgroup: Option<String>,
    state: String,
    cpu_percent: Option<f64>,
    cpu_user_percent: Option<f64>,
    cpu_privileged_percent: Option<f64>,
    working_set_bytes: u64,
    virtual_bytes: u64,
    page_file_bytes: Option<u64>,
    threads: u64,
    handles: Option<u64>,
    read_bytes_per_second: Option<f64>,
    written_bytes_per_second: Option<f64>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|top| *top > 0).ok_or_else(|| "a number from 1".to_owned())
}

pub(crate) fn run(args: &ProcessesArgs) -> anyhow::Result<()> {
    let sort = args.sort.sort();
    let shown = match args.at {
        None => read_now(sort, args.top)?,
        Some(at_ms) => Client::new(&args.server)?.get(&format!(
            "/api/processes?at={at_ms}&sort={}&top={}",
            sort.as_str(),
            args.top
        ))?,
    };
    if args.json {
        return output::pretty_json(&shown);
    }
    output::line(&report(&shown))
}

/// Reads this machine twice: what a process uses shows between two readings.
fn read_now(sort: ProcessSort, top: usize) -> anyhow::Result<Shown> {
    const BETWEEN: Duration = Duration::from_secs(1);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut live = LiveProcesses::new(&Roots::default(), clock);
    live.read()?;
    std::thread::sleep(BETWEEN);
    Ok(shown(&live.read()?, sort, top))
}

fn shown(snapshot: &ProcessSnapshot, sort: ProcessSort, top: usize) -> Shown {
    let mut order: Vec<&Process> = snapshot.processes.iter().collect();
    order.sort_by(|a, b| sort.compare(a, b));
    order.truncate(top);
    Shown {
        time_ms: snapshot.time_ms,
        timestamp: output::timestamp(snapshot.time_ms),
        total: snapshot.total,
        denied: snapshot.denied,
        processes: order.into_iter().map(shown_process).collect(),
    }
}

fn shown_process(one: &Process) -> ShownProcess {
    let facts = &one.facts;
    ShownProcess {
        pid: one.id.pid,
        parent: one.parent,
        started_ms: one.started_ms,
        name: facts.name.clone(),
        path: facts.path.clone(),
        command_line: facts.command_line.clone(),
        user: facts.user.clone(),
        service: facts.service.clone(),
        cgroup: facts.cgroup.clone(),
        state: one.state.as_str().to_owned(),
        cpu_percent: one.cpu_percent(),
        cpu_user_percent: one.cpu_user_percent,
        cpu_privileged_percent: one.cpu_privileged_percent,
        working_set_bytes: one.working_set_bytes,
        virtual_bytes: one.virtual_bytes,
        page_file_bytes: one.page_file_bytes,
        threads: one.threads,
        handles: one.handles,
        read_bytes_per_second: one.read_bytes_per_second,
        written_bytes_per_second: one.written_bytes_per_second,
    }
}

fn report(shown: &Shown) -> String {
    let header =
        ["PID", "USER", "CPU %", "MEMORY", "READ/s", "WRITTEN/s", "THREADS", "STATE", "COMMAND"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(shown.processes.iter().map(row));
    let denied = match shown.denied {
        0 => String::new(),
        count => format!(", {count} of which tell only a part without more rights"),
    };
    format!("{}  {} processes{denied}\n{}", shown.timestamp, shown.total, output::table(&rows))
}

fn row(one: &ShownProcess) -> Vec<String> {
    const MAX_COMMAND_CHARS: usize = 80;
    let command = one.command_line.as_deref().unwrap_or(&one.name);
    let absent = || "–".to_owned();
    vec![
        one.pid.to_string(),
        one.user.as_deref().map_or_else(absent, output::plain),
        one.cpu_percent.map_or_else(absent, |percent| format!("{percent:.1}")),
        size(one.working_set_bytes as f64),
        one.read_bytes_per_second.map_or_else(absent, size),
        one.written_bytes_per_second.map_or_else(absent, size),
        one.threads.to_string(),
        one.state.clone(),
        output::plain(command).chars().take(MAX_COMMAND_CHARS).collect(),
    ]
}

/// Bytes with a unit that leaves at most four digits.
fn size(bytes: f64) -> String {
    let mut value = bytes;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_few_digits() {
        let sizes = [0.0, 1023.0, 1024.0, 1_572_864.0, 5e14].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "454.7 TiB"]);
    }

    #[test]
    fn names_cannot_write_to_the_terminal() {
        let mut one = shown_process(&Process::default());
        one.command_line = Some("evil\u{1b}[2J\nname".into());
        let shown = Shown {
            time_ms: 0,
            timestamp: "then".into(),
            total: 7,
            denied: 2,
            processes: vec![one],
        };
        let text = report(&shown);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.starts_with("then  7 processes, 2 of which tell only a part"), "{text}");
        assert!(text.ends_with("evil�[2J�name"), "{text}");
    }
}
