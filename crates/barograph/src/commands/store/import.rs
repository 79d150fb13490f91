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

use anyhow::Context as _;
use barograph_model::SystemClock;
use barograph_store::{Finished, Import, OpenError, Settings, Store};
use barograph_wire::PdhLog;
use clap::{Args, ValueEnum};
use serde::Serialize;

use self::remote_read::RemoteReadArgs;
use self::target::{Outcome, Target};
use crate::commands::stop_signal::StopSignal;
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
struct Report<'a> {
    data: &'a Path,
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
    let data = args.data.own()?;
    // All of them are looked at before anything is made.
    let sources = args
        .files
        .iter()
        .map(|path| Ok((path, look_at(path, args.format)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let clock = Arc::new(SystemClock::new());
    let stop = StopSignal::listen()?;
    let import = Import::begin(&data, clock).map_err(|error| Failure::DataFolder(error.into()))?;
    let mut target = Target::new(import, &args.labels, stop);
    for (path, format) in sources {
        let read = match format {
            Format::Openmetrics => text::read(path, text::Kind::OpenMetrics, &mut target),
            Format::Prometheus if args.format.is_none() => {
                text::read(path, text::Kind::LooksLikePrometheus, &mut target)
            }
            Format::Prometheus => text::read(path, text::Kind::Prometheus, &mut target),
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
    tell(args, &data, &outcome, taken_up)
}

fn tell(args: &ImportArgs, data: &Path, outcome: &Outcome, taken_up: bool) -> anyhow::Result<()> {
    if args.json {
        let left_out = outcome.left_out.iter();
        return output::pretty_json(&Report {
            data,
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
        "imported {} samples of {} series{range}, into {}",
        outcome.samples,
        outcome.series,
        data.display()
    ))
}

/// Without a server, this process takes them up itself.
fn wait_until_taken_up(data: &Path, finished: &Finished) -> anyhow::Result<bool> {
    // Each of them waits a second for the folder.
    const ATTEMPTS: u32 = 10;
    for _ in 0..ATTEMPTS {
        match Store::open(Settings::new(data), Arc::new(SystemClock::new())) {
            Ok(store) if !finished.is_taken_up() => {
                let problems = store.problems().join("; ");
                anyhow::bail!("the import is complete, but waits in the data folder: {problems}");
            }
            Ok(_) | Err(OpenError::InUse { .. }) => {}
            Err(error) => return Err(Failure::DataFolder(error.into()).into()),
        }
        if finished.is_taken_up() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a file is: what was said, or by its first bytes and its last line.
fn look_at(path: &Path, said: Option<Format>) -> anyhow::Result<Format> {
    let unreadable = || format!("cannot read {}", path.display());
    let is_folder = fs::metadata(path).with_context(unreadable)?.is_dir();
    if is_folder {
        return Ok(said.unwrap_or(Format::PrometheusTsdb));
    }
    let mut start = Vec::new();
    let mut file = File::open(path).with_context(unreadable)?;
    file.by_ref().take(256).read_to_end(&mut start).with_context(unreadable)?;
    if start.is_empty() {
        return Err(Failure::Input(format!("{} is empty", path.display())).into());
    }
    let is_open = text::ends_with_eof(&mut file).with_context(unreadable)?;
    match said {
        // Its seconds would be read as milliseconds.
        Some(Format::Prometheus) if is_open => {
            let path = path.display();
            let problem =
                format!("{path} ends in `# EOF`, so it is OpenMetrics, not Prometheus' text");
            Err(Failure::Input(problem).into())
        }
        Some(format) => Ok(format),
        None if PdhLog::is_one(&pdh_csv::decode(&start)) => Ok(Format::PdhCsv),
        None if is_open => Ok(Format::Openmetrics),
        None => Ok(Format::Prometheus),
    }
}
