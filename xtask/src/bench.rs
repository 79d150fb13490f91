//! `cargo xtask bench`: what Barograph costs, measured on whole processes.

mod beside;
mod crowd;
mod http;
mod ingest;
mod month;
mod peers;
mod process_tree;
mod query;
mod recording;
mod remote_write;
mod report;
mod rules;
mod servers;
mod sizes;
mod slope;
mod store;
mod watched;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use crate::{rust, web};
use crowd::Crowd;
use watched::Watched;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// CPU, memory, start-up time and sizes of `barograph serve` reading this machine (Linux)
    Serve(ServeOptions),
    /// The same beside `netdata`, `node_exporter`, `collectd` and `sadc`, all at once (Debian)
    Peers(beside::PeersOptions),
    /// Whether handles, threads and memory of `barograph serve` grow, also of a Windows program under
    /// Wine (Linux)
    Slope(slope::SlopeOptions),
    /// Questions over HTTP, beside Prometheus and VictoriaMetrics with the same samples (Debian)
    Query(query::QueryOptions),
    /// Samples by remote write, one scrape per request, beside Prometheus and VictoriaMetrics
    /// (Debian)
    Ingest(ingest::IngestOptions),
    /// Ten thousand rules on two thousand series, beside Prometheus with the same rules and samples
    /// (Debian)
    Rules(rules::RulesOptions),
    /// The store by itself: sizes, writing, reading, starting, many series, many partitions; beside
    /// others (Debian)
    Store(store::StoreOptions),
    /// Charts of a month over HTTP, from samples and from buckets of an hour
    Month(month::MonthOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// How long to measure, in seconds, after a minute of warming up
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// How often the start is timed
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// Also start so many processes that sleep
    #[arg(long, default_value_t = 0)]
    processes: u32,
    /// Also have so many series read each second from a file that a script might have written
    #[arg(long, default_value_t = 0)]
    series: u32,
    /// The program to measure; without it the release binary is built
    #[arg(long)]
    binary: Option<PathBuf>,
}

pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Serve(options) => serve(options),
        Bench::Slope(options) => slope::run(options),
        Bench::Peers(options) => beside::run(options),
        Bench::Query(options) => query::run(options),
        Bench::Ingest(options) => ingest::run(options),
        Bench::Rules(options) => rules::run(options),
        Bench::Store(options) => store::run(options),
        Bench::Month(options) => month::run(options),
    }
}

const WARM_UP: Duration = Duration::from_secs(60);

fn serve(options: &ServeOptions) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("this reads /proc of the measured process, so it needs Linux");
    }
    let binary = program(options.binary.as_deref())?;
    let folder = std::env::temp_dir().join(format!("barograph-bench-{}", std::process::id()));
    let result = measure(&binary, &folder, options);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result
}

/// The program to measure: the one that is named, or the release binary with its page.
fn program(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        return named.canonicalize().with_context(|| format!("there is no {}", named.display()));
    }
    web::build()?;
    rust::release_binary()
}

fn measure(binary: &Path, folder: &Path, options: &ServeOptions) -> Result<()> {
    println!("start to first values over HTTP:");
    for _ in 0..options.starts {
        fs::create_dir_all(folder)?;
        println!("  {:.2} s", time_start(binary, folder)?.as_secs_f64());
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    add_series(folder, options.series)?;
    let _crowd = (options.processes > 0).then(|| Crowd::start(options.processes)).transpose()?;
    let server = Watched::start(binary, folder)?;
    thread::sleep(WARM_UP);
    let (cpu_before, series) = (process_tree::cpu_seconds(server.pid())?, server.live_series()?);
    let threads_before = process_tree::threads(server.pid())?;
    let started = now();
    thread::sleep(Duration::from_secs(options.seconds));
    let elapsed = started.elapsed().as_secs_f64();
    let cpu = process_tree::cpu_seconds(server.pid())? - cpu_before;
    let threads = process_tree::threads(server.pid())?;
    let memory = process_tree::memory(server.pid())?;
    println!("over {elapsed:.0} s at one reading per second:");
    println!("  series            {series}");
    println!("  CPU               {:.3} % of one core", 100.0 * cpu / elapsed);
    println!("  CPU per sample    {:.2} µs", 1e6 * cpu / elapsed / series as f64);
    println!("  RSS / PSS         {:.1} / {:.1} MiB", memory.rss_mib, memory.pss_mib);
    println!("  threads           {}, each second:", threads.count());
    for line in threads.lines_since(&threads_before, elapsed) {
        println!("    {line}");
    }
    drop(server);
    sizes::print(binary)
}

/// Leaves a configuration by which a file of metrics is read each second.
fn add_series(folder: &Path, count: u32) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let texts = folder.join("metrics");
    fs::create_dir_all(&texts)?;
    let lines = (0..count).map(|n| format!("bench_value{{part=\"{n}\"}} {n}.5\n"));
    fs::write(texts.join("bench.prom"), lines.collect::<String>())?;
    fs::write(folder.join("barograph.toml"), "[textfile]\nfolder = 'metrics'\ninterval = '1s'\n")?;
    Ok(())
}

fn time_start(binary: &Path, folder: &Path) -> Result<Duration> {
    let started = now();
    let server = Watched::start(binary, folder)?;
    server.wait_for_values()?;
    Ok(started.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the servers look at their clocks")]
fn now_ms() -> Result<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    // Whole seconds, as a scraper would have it.
    Ok(i64::try_from(now.as_secs())? * 1000)
}
