//! `cargo xtask bench store`: what the store takes and how fast it is, beside Prometheus and
//! VictoriaMetrics with the same samples, and SQLite with one row per sample.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use super::recording::Recording;
use super::report::{Report, folder_bytes};
use super::watched::Watched;
use super::{process_tree, servers};
use crate::{process, rust, tools, web};

#[derive(Debug, Args)]
pub(crate) struct StoreOptions {
    /// A recording in the format HM1, packed by zstd; else that of `BAROGRAPH_BENCH_DATA`, or one that
    /// lies beside the checkout
    #[arg(long)]
    data: Option<PathBuf>,
    /// How many hosts like the recorded one
    #[arg(long, value_delimiter = ',', default_value = "1")]
    copies: Vec<usize>,
    /// Also record this machine's own metrics for so many seconds, and measure with them
    #[arg(long, value_name = "SECONDS")]
    own: Option<u64>,
    /// Leave out the other stores
    #[arg(long)]
    alone: bool,
    /// Leave out what needs no recording: many series, many partitions
    #[arg(long)]
    short: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What is measured on a recording.
static ON_A_RECORDING: &[(&str, &str)] = &[
    ("append", "appending by ids, one scrape per durable commit, nothing sealed"),
    ("append-labels", "appending by labels, the same"),
    ("hour", "an hour with sealing, and its final form"),
    ("read", "reading"),
    ("start", "starting with everything in the head"),
];

/// What is made up.
static MADE_UP: &[(&str, &str)] = &[
    ("memory-2000", "2,000 series every second, an hour"),
    ("memory-100000", "100,000 series every 10 s, an hour"),
    ("year", "365 partitions of a day, 500 series"),
    ("month", "a month of 8 series every second: what charts read"),
    ("index", "a million series"),
    ("churn", "10,000 new series a minute"),
];

pub(super) fn run(options: &StoreOptions) -> Result<()> {
    let mut report = Report::new(options.json);
    let missing = if options.alone { Vec::new() } else { tools::missing_peers_after_trying() };
    if !missing.is_empty() {
        let missing = missing.join(", ");
        report.say(&format!("NOT COMPARED WITH OTHERS, as they are missing: {missing}"));
    }
    let folder = std::env::temp_dir().join(format!("barograph-store-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let with_peers = !options.alone && missing.is_empty();
    let result = measure(options, with_peers, &folder, &mut report);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    report.finish();
    result
}

fn measure(
    options: &StoreOptions,
    with_peers: bool,
    folder: &Path,
    report: &mut Report,
) -> Result<()> {
    let program = rust::release_example("barograph-store", "measure")?;
    let path = Recording::path(options.data.as_deref())?;
    for copies in &options.copies {
        let what = format!("the recording, {copies} ×");
        on_a_recording(&what, &program, &path, *copies, with_peers, folder, report)?;
    }
    if let Some(seconds) = options.own {
        let own = record_this_machine(seconds, folder)?;
        on_a_recording("this machine", &program, &own, 1, with_peers, folder, report)?;
    }
    if !options.short {
        for (work, what) in MADE_UP {
            report.section(what);
            report.add_lines(&work_on(&program, work, folder, None, 1)?)?;
        }
    }
    Ok(())
}

fn on_a_recording(
    what: &str,
    program: &Path,
    path: &Path,
    copies: usize,
    with_peers: bool,
    folder: &Path,
    report: &mut Report,
) -> Result<()> {
    for (work, does) in ON_A_RECORDING {
        report.section(&format!("{what}: {does}"));
        report.add_lines(&work_on(program, work, folder, Some(path), copies)?)?;
    }
    report.section(&format!("{what}: SQLite, one row per sample"));
    report.add_lines(&work_on(program, "rows", folder, Some(path), copies)?)?;
    if with_peers {
        peers(what, path, copies, folder, report)?;
    }
    Ok(())
}

/// Runs a piece of work in a process of its own; what it prints.
fn work_on(
    program: &Path,
    work: &str,
    folder: &Path,
    recording: Option<&Path>,
    copies: usize,
) -> Result<String> {
    let dir = folder.join("work");
    let mut command = process::command(program);
    command.arg(work).arg(&dir).arg(recording.unwrap_or(Path::new("-"))).arg(copies.to_string());
    let printed = process::read(&mut command);
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    printed
}

/// What the same samples take elsewhere.
fn peers(what: &str, path: &Path, copies: usize, folder: &Path, report: &mut Report) -> Result<()> {
    let recording = Recording::read(path)?;
    let text = folder.join("recording.txt");
    let samples = recording.write(&text, copies, true)? as f64;
    let blocks = folder.join("blocks");
    let mut promtool = process::command("promtool");
    promtool.args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"]).args([&text, &blocks]);
    process::read(&mut promtool)?;
    report.section(&format!("{what}: Prometheus, a block"));
    report.add("bytes_per_sample", folder_bytes(&blocks)? as f64 / samples);
    fs::remove_dir_all(&blocks)?;
    recording.write(&text, copies, false)?;
    let server = servers::victoria_metrics(folder)?;
    let before = process_tree::cpu_seconds(server.pid())?;
    servers::import_text(&server, &text)?;
    let cpu_seconds = process_tree::cpu_seconds(server.pid())? - before;
    report.section(&format!("{what}: VictoriaMetrics, merged; bulk import of text"));
    report.add("samples_per_cpu_second_with_merging", samples / cpu_seconds);
    report.add("rss_mib", process_tree::memory(server.pid())?.rss_mib);
    report.add("samples_that_it_counts", servers::samples_in(&server)?);
    // What is in memory is on disk for certain when it has ended in order.
    server.stop()?;
    let bytes = |part: &str| folder_bytes(&folder.join("victoria").join(part));
    let (data, index) = (bytes("data")? as f64, bytes("indexdb")? as f64);
    report.add("bytes_per_sample_without_index", data / samples);
    report.add("bytes_per_sample", (data + index) / samples);
    fs::remove_dir_all(folder.join("victoria"))?;
    fs::remove_file(&text)?;
    Ok(())
}

/// What Barograph reads of this machine, as a recording.
fn record_this_machine(seconds: u64, folder: &Path) -> Result<PathBuf> {
    web::build()?;
    let binary = rust::release_binary()?;
    let own = folder.join("own");
    fs::create_dir_all(&own)?;
    let server = Watched::start(&binary, &own)?;
    std::thread::sleep(Duration::from_secs(seconds));
    drop(server);
    let text = own.join("own.txt");
    let mut export = process::command(binary);
    export.args(["store", "export", "--format", "openmetrics", "--match", "{__name__!=\"\"}"]);
    export.arg("--from").arg("24h").arg("--data").arg(own.join("data")).arg("-o").arg(&text);
    process::read(&mut export)?;
    let path = folder.join("own.hm1.zst");
    Recording::from_open_metrics(&fs::read_to_string(&text)?)?.save(&path)?;
    fs::remove_dir_all(&own)?;
    Ok(path)
}
