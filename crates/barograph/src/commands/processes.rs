//! `barograph processes`: what runs now, or ran at a stored moment.

use std::sync::Arc;
use std::time::Duration;

use barograph_collect::Roots;
use barograph_collect::process::{LiveProcesses, ProcessSort};
use barograph_model::{Clock, SystemClock};
use barograph_server::{ProcessAnswer, ProcessesAnswer};
use clap::{Args, ValueEnum};

use crate::asking::Asking;
use crate::client::Client;
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
    #[command(flatten)]
    asking: Asking,
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

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|top| *top > 0).ok_or_else(|| "a number from 1".to_owned())
}

pub(crate) fn run(args: &ProcessesArgs) -> anyhow::Result<()> {
    let sort = args.sort.sort();
    let shown = match args.at {
        None => read_now(sort, args.top)?,
        Some(at_ms) => Client::new(&args.asking.server)?.get(&format!(
            "/api/processes?at={at_ms}&sort={}&top={}",
            sort.as_str(),
            args.top
        ))?,
    };
    if args.asking.json {
        return output::pretty_json(&shown);
    }
    output::line(&report(&shown))
}

/// Reads this machine twice: what a process uses shows between two readings.
fn read_now(sort: ProcessSort, top: usize) -> anyhow::Result<ProcessesAnswer> {
    const BETWEEN: Duration = Duration::from_secs(1);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut live = LiveProcesses::new(&Roots::default(), clock);
    live.read()?;
    std::thread::sleep(BETWEEN);
    Ok(ProcessesAnswer::new(&live.read()?, sort, Some(top)))
}

fn report(shown: &ProcessesAnswer) -> String {
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

fn row(one: &ProcessAnswer) -> Vec<String> {
    const MAX_COMMAND_CHARS: usize = 80;
    let command = one.command_line.as_deref().unwrap_or(&one.name);
    let absent = || "–".to_owned();
    vec![
        one.pid.to_string(),
        one.user.as_deref().map_or_else(absent, output::plain),
        one.cpu_percent.map_or_else(absent, |percent| format!("{percent:.1}")),
        output::size(one.working_set_bytes),
        one.read_bytes_per_second.map_or_else(absent, output::amount),
        one.written_bytes_per_second.map_or_else(absent, output::amount),
        one.threads.to_string(),
        one.state.to_string(),
        output::plain(command).chars().take(MAX_COMMAND_CHARS).collect(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_to_the_terminal() {
        let one = ProcessAnswer {
            command_line: Some("evil\u{1b}[2J\nname".into()),
            ..ProcessAnswer::default()
        };
        let shown = ProcessesAnswer {
            time_ms: 0,
            timestamp: "then".into(),
            total: 7,
            complete: false,
            denied: 2,
            sort: "cpu".into(),
            processes: vec![one],
            events: None,
        };
        let text = report(&shown);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.starts_with("then  7 processes, 2 of which tell only a part"), "{text}");
        assert!(text.ends_with("evil�[2J�name"), "{text}");
    }
}
