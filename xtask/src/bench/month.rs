//! `cargo xtask bench month`: charts of a month over HTTP, from samples and from buckets of an hour.
//!
//! Windows that begin with an hour are made of whole buckets. Those that begin a second later are not, so the
//! same question is answered from samples: both ways in one run, on one server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::http::{Connection, escaped};
use super::query::median;
use super::report::Report;
use super::{now, servers};
use crate::{process, rust};

#[derive(Debug, Args)]
pub(crate) struct MonthOptions {
    /// How often each question is asked
    #[arg(long, default_value_t = 21)]
    rounds: usize,
    /// The program to measure; without it the release binary is built
    #[arg(long)]
    binary: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// On eight series that were read every second.
static QUESTIONS: &[(&str, &str)] = &[
    ("avg_over_time, one series", "avg_over_time(m{id=\"1\"}[1h])"),
    ("max_over_time, one series", "max_over_time(m{id=\"1\"}[1h])"),
    ("rate, one series", "rate(m{id=\"0\"}[1h])"),
    ("avg_over_time, eight series", "avg_over_time(m[1h])"),
];

const SETTINGS: &str =
    "[store]\nkeep_raw = \"forever\"\nkeep_minutes = \"forever\"\nkeep_hours = \"forever\"\n";
const HOUR: u64 = 3600;
const DAYS: u64 = 30;

pub(super) fn run(options: &MonthOptions) -> Result<()> {
    let binary = super::program(options.binary.as_deref())?;
    let folder = std::env::temp_dir().join(format!("barograph-month-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let mut report = Report::new(options.json);
    let result = measure(&binary, &folder, options.rounds, &mut report);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    report.finish();
    result
}

fn measure(binary: &Path, folder: &Path, rounds: usize, report: &mut Report) -> Result<()> {
    let first = make_up(&folder.join("data"))?;
    fs::write(folder.join("barograph.toml"), SETTINGS)?;
    let server = servers::barograph(binary, folder)?;
    let mut connection = Connection::open(&server.address)?;
    for (name, expr) in QUESTIONS {
        let path = |shift: u64| {
            let (start, end) = (first + HOUR + shift, first + DAYS * 24 * HOUR);
            let query = escaped(expr);
            format!("/api/v1/query_range?query={query}&start={start}&end={end}&step={HOUR}")
        };
        let paths = [path(0), path(1)];
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (path, times) in paths.iter().zip(&mut times) {
                let started = now();
                let length = connection.get(path)?;
                times.push(started.elapsed());
                if length < 10_000 {
                    bail!("{path} has an answer of {length} bytes, which is no month");
                }
            }
        }
        let [buckets, samples] = times.map(median);
        report.section(&format!("{name}, a month by hours"));
        report.add("from_buckets_p50_ms", buckets);
        report.add("from_samples_p50_ms", samples);
        report.add("of_the_samples_time", buckets / samples);
    }
    Ok(())
}

/// A month of samples with all their buckets; when it begins, in seconds since 1970.
fn make_up(data: &Path) -> Result<u64> {
    let program = rust::release_example("barograph-store", "measure")?;
    let printed = process::read(process::command(program).arg("month").arg(data).arg("-"))?;
    let first = printed.lines().find_map(|line| line.strip_prefix("first_seconds "));
    Ok(first.context("the example does not tell when its month begins")?.parse()?)
}
