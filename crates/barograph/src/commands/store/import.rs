//! `barograph store import`: samples from files of other programs and from servers, all of them or
//! none.

mod pdh_csv;
mod remote_read;
mod target;
mod text;
mod tsdb;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use barograph_model::SystemClock;
use barograph_store::{Finished, Import, OpenError, Settings, Store};
use barograph_wire::PdhLog;
use clap::{Args, ValueEnum};
use serde::Serialize;

use self::remote_read::RemoteReadArgs;
use self::target::{Outcome, Target};
use crate::data_folder::DataArgs;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// Files, blocks of Prometheus, or folders that hold blocks.
    #[arg(required_unless_present = "read_from", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What they are; without it they are looked at.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A label for every series, such as host=web-1, unless it has one of that name; can be given
    /// several times.
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    #[command(flatten)]
    remote_read: RemoteReadArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  barograph store import perfmon.csv --label host=web-1
  barograph store import /var/lib/prometheus/snapshots/20261122T031200Z-1a2b
  barograph store import --read-from http://prometheus:9090/api/v1/read --from 30d";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// OpenMetrics text, which ends with `# EOF`. Samples without a time are left out.
    Openmetrics,
    /// Prometheus' own text format. Samples without a time are left out.
    Prometheus,
    /// Logs of typeperf, relog and Performance Monitor. A counter becomes a metric such as
    /// `counter_memory_available_mbytes`.
    PdhCsv,
    /// Blocks of Prometheus' storage (a snapshot of it, as its admin interface makes them).
    PrometheusTsdb,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("a label is given as NAME=VALUE, such as `host=web-1`".to_owned()),
    }
}

#[derive(Debug, Serialize)]
struct Report {
    samples: u64,
    series: usize,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    /// Samples that have no place in the store, and entries that are no samples, by reason.
    left_out: Vec<LeftOut>,
    /// Whether they can be asked for already; otherwise the server takes them up soon.
    taken_up: bool,
}

#[derive(Debug, Serialize)]
struct LeftOut {
    reason: &'static str,
    count: u64,
}

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let data = args.data.folder()?;
    // All of them are looked at before anything is made.
    let sources = args
        .files
        .iter()
        .map(|path| Ok((path, args.format.map_or_else(|| recognise(path), Ok)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let clock = Arc::new(SystemClock::new());
    let import = Import::begin(&data, clock).map_err(|error| Failure::DataFolder(error.into()))?;
    let mut target = Target::new(import, &args.labels);
    for (path, format) in sources {
        let read = match format {
            Format::Openmetrics => text::read(path, text::Format::OpenMetrics, &mut target),
            Format::Prometheus => text::read(path, text::Format::Prometheus, &mut target),
            Format::PdhCsv => pdh_csv::read(path, &mut target),
            Format::PrometheusTsdb => tsdb::read(path, &mut target),
        };
        read.with_context(|| format!("nothing was imported: {}", path.display()))?;
    }
    if let Some(url) = &args.remote_read.read_from {
        let read = remote_read::read(url, &args.remote_read, &mut target);
        read.with_context(|| format!("nothing was imported: {url}"))?;
    }
    let (outcome, finished) = target.finish()?;
    let taken_up = wait_until_taken_up(&data, &finished)?;
    tell(args, &outcome, taken_up)
}

fn tell(args: &ImportArgs, outcome: &Outcome, taken_up: bool) -> anyhow::Result<()> {
    if args.json {
        let left_out = outcome.left_out.iter();
        return output::pretty_json(&Report {
            samples: outcome.samples,
            series: outcome.series,
            first_ms: outcome.range_ms.map(|range| range.0),
            last_ms: outcome.range_ms.map(|range| range.1),
            left_out: left_out.map(|(reason, count)| LeftOut { reason, count: *count }).collect(),
            taken_up,
        });
    }
    for (reason, count) in &outcome.left_out {
        output::note(&format!("left out: {count} {reason}"))?;
    }
    if !taken_up {
        output::note("the server that works in the folder has not taken them up yet; it will")?;
    }
    let range = outcome.range_ms.map_or_else(String::new, |(first, last)| {
        format!(", from {} to {}", output::timestamp(first), output::timestamp(last))
    });
    output::line(&format!(
        "imported {} samples of {} series{range}",
        outcome.samples, outcome.series
    ))
}

/// Without a server, this process takes them up itself.
fn wait_until_taken_up(data: &Path, finished: &Finished) -> anyhow::Result<bool> {
    const ATTEMPTS: u32 = 100;
    for _ in 0..ATTEMPTS {
        match Store::open(Settings::new(data), Arc::new(SystemClock::new())) {
            Ok(_) => {}
            Err(OpenError::InUse { .. }) => std::thread::sleep(Duration::from_millis(100)),
            Err(error) => return Err(Failure::DataFolder(error.into()).into()),
        }
        if finished.is_taken_up() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// By the first bytes.
fn recognise(path: &Path) -> anyhow::Result<Format> {
    let unreadable = || format!("cannot read {}", path.display());
    if fs::metadata(path).with_context(unreadable)?.is_dir() {
        return Ok(Format::PrometheusTsdb);
    }
    let mut start = Vec::new();
    let mut file = File::open(path).with_context(unreadable)?;
    file.by_ref().take(256).read_to_end(&mut start).with_context(unreadable)?;
    if PdhLog::is_one(&pdh_csv::decode(&start)) {
        return Ok(Format::PdhCsv);
    }
    let is_open = text::ends_with_eof(&mut file).with_context(unreadable)?;
    Ok(if is_open { Format::Openmetrics } else { Format::Prometheus })
}
