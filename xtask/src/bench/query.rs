//! `cargo xtask bench query`: the same samples in Barograph, Prometheus and VictoriaMetrics, and the
//! same questions to each over HTTP, in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::http::{Connection, escaped};
use super::now;
use super::recording::Recording;
use super::servers::{self, Server};
use crate::{process, tools};

#[derive(Debug, Args)]
pub(crate) struct QueryOptions {
    /// How many hosts like the recorded one
    #[arg(long, default_value_t = 1)]
    copies: usize,
    /// How often each question is asked
    #[arg(long, default_value_t = 41)]
    rounds: usize,
    /// Seconds of load for requests per second; 0 leaves that out
    #[arg(long, default_value_t = 5)]
    load_seconds: u64,
    /// The program to measure; without it the release binary is built
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// A question of the dashboards.
struct Question {
    name: &'static str,
    expr: &'static str,
    /// Seconds; 0 for an instant.
    step: u32,
}

const fn question(name: &'static str, expr: &'static str, step: u32) -> Question {
    Question { name, expr, step }
}

static QUESTIONS: &[Question] = &[
    question("instant, one series", ONE, 0),
    question("range, one series, step 1 s", ONE, 1),
    question(
        "sum(rate()) of 2 modes, step 15 s",
        "sum(rate(node_cpu_seconds_total{mode=~\"user|system\"}[1m]))",
        15,
    ),
    question(
        "sum by (mode) (rate()), step 15 s",
        "sum by (mode) (rate(node_cpu_seconds_total[1m]))",
        15,
    ),
    question(
        "sum by (mode) (rate()), step 1 s",
        "sum by (mode) (rate(node_cpu_seconds_total[1m]))",
        1,
    ),
    question(
        "sum by (instance) (rate()), step 15 s",
        "sum by (instance) (rate(node_cpu_seconds_total[1m]))",
        15,
    ),
    question(
        "avg_over_time, an hour, 118 series",
        "avg_over_time({__name__=~\"node_interrupts_total|node_scrape_collector_duration_seconds\"}[1h])",
        0,
    ),
    question(
        "quantile_over_time, an hour, 118 series",
        "quantile_over_time(0.95, {__name__=~\"node_interrupts_total|node_scrape_collector_duration_seconds\"}[1h])",
        0,
    ),
    question("avg_over_time, an hour, 66 series", "avg_over_time(node_interrupts_total[1h])", 0),
    question(
        "quantile_over_time, an hour, 66 series",
        "quantile_over_time(0.95, node_interrupts_total[1h])",
        0,
    ),
    question("count by (__name__), all series", "count by (__name__) ({__name__!=\"\"})", 0),
];

const ONE: &str = "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\",instance=\"h0\"}";

pub(super) fn run(options: &QueryOptions) -> Result<()> {
    let missing = tools::provide(&[&tools::PROMETHEUS, &tools::WRK]);
    if let Some((tool, reason)) = missing.first() {
        bail!("{} is missing: {reason}", tool.name);
    }
    let binary = super::program(options.binary.as_deref())?;
    let folder = std::env::temp_dir().join(format!("barograph-query-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = measure(&binary, &folder, options);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result
}

fn measure(binary: &Path, folder: &Path, options: &QueryOptions) -> Result<()> {
    let recording = Recording::load()?;
    let servers = servers::start(binary, folder, &recording, options.copies)?;
    let end = recording.times().last().copied().unwrap_or_default() / 1000;
    let mut connections = Vec::new();
    for server in &servers {
        connections.push(Connection::open(&server.address)?);
    }
    println!("\nmedian ms              | {} |", servers.each_ref().map(|s| s.name).join(" | "));
    let mut paths = vec![("label values".to_owned(), "/api/v1/label/__name__/values".to_owned())];
    paths.extend(QUESTIONS.iter().map(|question| (question.name.to_owned(), question.path(end))));
    let floors = servers.each_ref().map(|server| server.health.to_owned());
    row("health page", &mut connections, &floors, options.rounds)?;
    for (name, path) in &paths {
        row(name, &mut connections, &[path, path, path].map(Clone::clone), options.rounds)?;
    }
    drop(connections);
    if options.load_seconds > 0 {
        load(&servers, end, options.load_seconds)?;
    }
    Ok(())
}

impl Question {
    fn path(&self, end: i64) -> String {
        let query = escaped(self.expr);
        match self.step {
            0 => format!("/api/v1/query?query={query}&time={end}"),
            step => {
                let start = end - 3600;
                format!("/api/v1/query_range?query={query}&start={start}&end={end}&step={step}")
            }
        }
    }
}

/// Asks the servers in turns, so that what else the machine does is the same for all.
fn row(
    name: &str,
    connections: &mut [Connection],
    paths: &[String; 3],
    rounds: usize,
) -> Result<()> {
    let mut times: [Vec<Duration>; 3] = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        for ((connection, path), times) in connections.iter_mut().zip(paths).zip(&mut times) {
            let started = now();
            let length = connection.get(path)?;
            times.push(started.elapsed());
            if length == 0 {
                bail!("{path} has an empty answer");
            }
        }
    }
    let [own, prometheus, victoria] = times.map(median);
    let best = prometheus.min(victoria);
    println!(
        "{name:40} | {own:8.2} | {prometheus:8.2} | {victoria:8.2} | {:.2} of the better peer's, \
         {:.2} of VictoriaMetrics'",
        own / best,
        own / victoria
    );
    Ok(())
}

pub(super) fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// Requests per second, sixteen at a time.
fn load(servers: &[Server], end: i64, seconds: u64) -> Result<()> {
    println!("\nrequests per second under wrk -t2 -c16:");
    let questions =
        [&QUESTIONS[0], &question("range, one series, step 15 s", ONE, 15), &QUESTIONS[3]];
    for question in questions {
        let mut rates = Vec::new();
        for server in servers {
            let url = format!("http://{}{}", server.address, question.path(end));
            let report = process::read(process::command("wrk").args([
                "-t2",
                "-c16",
                &format!("-d{seconds}s"),
                &url,
            ]))?;
            let rate = report
                .lines()
                .find_map(|line| line.trim().strip_prefix("Requests/sec:"))
                .context("wrk reports no rate")?;
            if report.contains("Non-2xx") {
                bail!("{} does not answer all of the load", server.name);
            }
            rates.push(format!("{} {}", server.name, rate.trim()));
        }
        println!("{:40} | {}", question.name, rates.join(" | "));
    }
    Ok(())
}
