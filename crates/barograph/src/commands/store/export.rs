//! `barograph store export`: stored samples, for other programs.

mod csv;
mod file;
mod openmetrics;
mod parquet;
mod table;

use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::Arc;

use barograph_model::{Matcher, SystemClock};
use barograph_store::StoreView;
use clap::{Args, ValueEnum};

use crate::commands::stop_signal::StopSignal;
use crate::data_folder::DataArgs;
use crate::failure::Failure;
use crate::moment::moment;
use crate::output;
use crate::progress::ProgressLine;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// Only series that this selector means, such as 'cpu_usage{host="web-1"}'; can be given
    /// several times [default: all].
    #[arg(long = "match", value_name = "SELECTOR", value_parser = selector)]
    selectors: Vec<Selector>,
    /// From then on: a time with its zone, such as 2026-11-22T03:12:00Z, milliseconds since 1970,
    /// or how long ago, such as 10m [default: the oldest].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<i64>,
    /// Up to then [default: the newest].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<i64>,
    /// How to write it.
    #[arg(long, value_enum)]
    format: Format,
    /// The file to write; without it standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the file anew if it is there already.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    data: DataArgs,
}

const EXAMPLES: &str = r#"Examples:
  barograph store export --format parquet --match cpu_usage --from 7d -o cpu.parquet
  barograph store export --format csv --match '{__name__=~"disk_.*"}' --from 1h | head"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table with a column per label, for pandas, Polars, Spark.
    Parquet,
    /// The same table as text.
    Csv,
    /// Text that Prometheus can take in (promtool tsdb create-blocks-from openmetrics).
    Openmetrics,
}

#[derive(Debug, Clone)]
struct Selector(Vec<Matcher>);

fn selector(text: &str) -> Result<Selector, String> {
    barograph_promql::parse_selector(text).map(Selector).map_err(|error| error.to_string())
}

/// What is to be written.
struct Wanted<'a> {
    view: &'a StoreView,
    /// A series is wanted if one of the sets of conditions fits; never empty.
    selectors: Vec<Vec<Matcher>>,
    range_ms: (i64, i64),
    line: ProgressLine,
    /// What is damaged in the folder and so not in the file.
    warnings: Vec<String>,
    /// Partitions of which only buckets are left.
    expired: BTreeSet<String>,
    samples: u64,
    /// Nobody but the file's writer would clean up.
    stop: Option<StopSignal>,
}

pub(super) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let data = args.data.existing()?;
    let range_ms = (args.from.unwrap_or(0), args.to.unwrap_or(i64::MAX));
    if range_ms.0 > range_ms.1 {
        return Err(Failure::Input("`--from` is after `--to`".to_owned()).into());
    }
    let view = StoreView::open(&data, Arc::new(SystemClock::new()))
        .map_err(|error| Failure::DataFolder(error.into()))?;
    let mut selectors: Vec<_> = args.selectors.iter().map(|Selector(set)| set.clone()).collect();
    if selectors.is_empty() {
        selectors.push(Vec::new());
    }
    let mut wanted = Wanted {
        view: &view,
        selectors,
        range_ms,
        line: ProgressLine::new("writing"),
        warnings: Vec::new(),
        expired: BTreeSet::new(),
        samples: 0,
        stop: args.output.is_some().then(StopSignal::listen).transpose()?,
    };
    match &args.output {
        Some(path) => file::write(path, args.force, |out| write(args.format, &mut wanted, out))?,
        None => to_stdout(args.format, &mut wanted)?,
    }
    wanted.line.end();
    if let Some(path) = &args.output {
        output::note(&format!("{} samples in {}", wanted.samples, path.display()))?;
    }
    if wanted.samples == 0 {
        output::note("note: no sample is in this time and of a series that is wanted")?;
    }
    tell_expired(&wanted.expired)?;
    wanted.warnings.sort();
    wanted.warnings.dedup();
    if wanted.warnings.is_empty() {
        return Ok(());
    }
    anyhow::bail!("not everything could be read:\n  {}", wanted.warnings.join("\n  "))
}

/// What has expired is no damage.
fn tell_expired(expired: &BTreeSet<String>) -> anyhow::Result<()> {
    let (Some(first), Some(last)) = (expired.first(), expired.last()) else { return Ok(()) };
    output::note(&format!(
        "note: the samples of {} partitions ({first} to {last}) have expired; the file has the last \
         one of each minute or hour that is left",
        expired.len()
    ))
}

fn write(
    format: Format,
    wanted: &mut Wanted<'_>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    match format {
        Format::Parquet => parquet::write(wanted, out),
        Format::Csv => csv::write(wanted, out),
        Format::Openmetrics => openmetrics::write(wanted, out),
    }
}

fn to_stdout(format: Format, wanted: &mut Wanted<'_>) -> anyhow::Result<()> {
    if format == Format::Parquet && io::stdout().is_terminal() {
        let problem = "Parquet is not for the terminal: name a file by -o, or redirect the output";
        return Err(Failure::Input(problem.to_owned()).into());
    }
    let mut out = BufWriter::new(io::stdout());
    write(format, wanted, &mut out)?;
    out.flush()?;
    Ok(())
}
