//! `cargo xtask bench rules`: the same rule file and the same samples in Barograph and Prometheus, both
//! at once: processor time for each evaluation of all rules.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::http::{self, Connection};
use super::report::Report;
use super::servers::{self, Server};
use super::{now, now_ms, process_tree, remote_write};
use crate::{rust, tools, web};

/// Rules of each host; a host has a group of its own.
const RULES_PER_HOST: usize = 100;
/// Counters of each host, and as many gauges.
const METRICS: usize = 10;
/// How often samples are sent.
const SCRAPE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(crate) struct RulesOptions {
    /// How many hosts: each has 20 series and 100 rules
    #[arg(long, default_value_t = 100)]
    hosts: usize,
    /// Seconds between evaluations
    #[arg(long, default_value_t = 10)]
    interval: u32,
    /// Evaluations to measure
    #[arg(long, default_value_t = 12)]
    rounds: u32,
    /// Only Barograph
    #[arg(long)]
    alone: bool,
    /// A release binary that is built already, to compare versions
    #[arg(long, value_name = "FILE")]
    binary: Option<std::path::PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &RulesOptions) -> Result<()> {
    let mut report = Report::new(options.json);
    let missing = if options.alone { Vec::new() } else { tools::missing_peers_after_trying() };
    if missing.contains(&"prometheus") {
        bail!("prometheus is missing; `--alone` measures Barograph without it");
    }
    let binary = if let Some(binary) = &options.binary {
        binary.canonicalize().context("there is no such binary")?
    } else {
        web::build()?;
        rust::release_binary()?
    };
    let folder = std::env::temp_dir().join(format!("barograph-rules-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = measure(&binary, &folder, options, &mut report);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result?;
    report.finish();
    Ok(())
}

fn measure(
    binary: &Path,
    folder: &Path,
    options: &RulesOptions,
    report: &mut Report,
) -> Result<()> {
    let rules = folder.join("rules.yml");
    fs::write(&rules, "groups: []\n")?;
    let own = folder.join("barograph");
    fs::create_dir_all(&own)?;
    let settings = format!("[rules]\ndefaults = false\nfiles = ['{}']\n", rules.display());
    fs::write(own.join("barograph.toml"), settings)?;
    let mut servers = vec![servers::barograph(binary, &own)?];
    if !options.alone {
        let settings = format!("rule_files: ['{}']\n", rules.display());
        servers.push(servers::prometheus_with(folder, &folder.join("blocks"), &settings)?);
    }
    let mut feed = Feed::open(&servers, options.hosts)?;
    let measured = Duration::from_secs(u64::from(options.interval * options.rounds));
    // Ranges of five minutes are full of samples from the start.
    feed.fill(Duration::from_secs(600))?;
    feed.run(Duration::from_secs(20))?;
    let idle = feed.cpu_over(measured)?;
    fs::write(&rules, rule_file(options.hosts, options.interval)?)?;
    for server in servers.iter().filter(|server| server.name == "Prometheus") {
        Connection::open(&server.address)?.post("/-/reload", "text/plain", "identity", b"")?;
    }
    // Until the rules are read and each was evaluated.
    feed.run(Duration::from_secs(20 + u64::from(2 * options.interval)))?;
    let busy = feed.cpu_over(measured)?;
    report.section("rules");
    report.add("rules", (options.hosts * RULES_PER_HOST) as f64);
    report.add("series", (options.hosts * 2 * METRICS) as f64);
    report.add("interval_seconds", f64::from(options.interval));
    let rounds = f64::from(options.rounds);
    for ((server, idle), busy) in servers.iter().zip(&idle).zip(&busy) {
        report.section(server.name);
        report.add("cpu_seconds_per_round", busy / rounds);
        report.add("cpu_seconds_per_round_without_rules", idle / rounds);
        report.add("cpu_microseconds_per_rule", {
            1e6 * (busy - idle) / rounds / (options.hosts * RULES_PER_HOST) as f64
        });
        report.add("rounds_missed", missed(server)?);
        report.add("rss_mib", process_tree::memory(server.pid())?.rss_mib);
        for (name, query) in ANSWERS {
            report.add(name, ask(server, query)?);
        }
    }
    if let ([own, peer], [own_idle, peer_idle]) = (&busy[..], &idle[..]) {
        report.section("Prometheus / Barograph");
        report.add("cpu_for_rules", (peer - peer_idle) / (own - own_idle));
        report.add("cpu_in_all", peer / own);
    }
    Ok(())
}

/// What both must agree in.
static ANSWERS: &[(&str, &str)] = &[
    ("alerts_firing", "count(ALERTS{alertstate=\"firing\"})"),
    ("alerts_pending", "count(ALERTS{alertstate=\"pending\"}) or vector(0)"),
    ("series_recorded", "count({__name__=~\"bench:.*\"})"),
    ("sum_of_recorded_means", "sum({__name__=~\"bench:gauge.*\"})"),
];

/// Sends the same samples to all servers.
struct Feed<'a> {
    servers: &'a [Server],
    connections: Vec<Connection>,
    labels: Vec<Vec<u8>>,
    hosts: usize,
}

impl<'a> Feed<'a> {
    fn open(servers: &'a [Server], hosts: usize) -> Result<Self> {
        let connections = servers.iter().map(|server| Connection::open(&server.address));
        let mut labels = Vec::new();
        for host in 0..hosts {
            for metric in 0..METRICS {
                let name = format!("bench_counter{metric}_total{{instance=\"h{host}\"}}");
                labels.push(remote_write::label_bytes(&name)?);
                let name = format!("bench_gauge{metric}{{instance=\"h{host}\"}}");
                labels.push(remote_write::label_bytes(&name)?);
            }
        }
        let connections = connections.collect::<Result<_>>()?;
        Ok(Self { servers, connections, labels, hosts })
    }

    /// Writes the time before now.
    fn fill(&mut self, before: Duration) -> Result<()> {
        let (step_ms, now_ms) = (millis(SCRAPE), now_ms()?);
        let mut at_ms = now_ms - millis(before);
        while at_ms < now_ms {
            self.send(at_ms)?;
            at_ms += step_ms;
        }
        Ok(())
    }

    /// Goes on for some time.
    fn run(&mut self, time: Duration) -> Result<()> {
        let started = now();
        let mut next = Duration::ZERO;
        while next < time {
            self.send(now_ms()?)?;
            next += SCRAPE;
            thread::sleep(next.min(time).saturating_sub(started.elapsed()));
        }
        Ok(())
    }

    /// Goes on for some time and tells the processor seconds that each server took.
    fn cpu_over(&mut self, time: Duration) -> Result<Vec<f64>> {
        let servers = self.servers;
        let cpu = || servers.iter().map(|it| process_tree::cpu_seconds(it.pid()));
        let before = cpu().collect::<Result<Vec<_>>>()?;
        self.run(time)?;
        let after = cpu().collect::<Result<Vec<_>>>()?;
        Ok(after.iter().zip(before).map(|(after, before)| after - before).collect())
    }

    fn send(&mut self, at_ms: i64) -> Result<()> {
        let mut request = Vec::new();
        let values = (0..self.hosts)
            .flat_map(|host| (0..METRICS).flat_map(move |metric| values(host, metric, at_ms)));
        for (labels, value) in self.labels.iter().zip(values) {
            remote_write::put_sample(&mut request, labels, at_ms, value);
        }
        let body = snap::raw::Encoder::new().compress_vec(&request)?;
        for connection in &mut self.connections {
            connection.post("/api/v1/write", "application/x-protobuf", "snappy", &body)?;
        }
        Ok(())
    }
}

/// A counter's and a gauge's value. The gauge stays within half of a whole number from 0 to 99, which
/// is another one for each host.
fn values(host: usize, metric: usize, at_ms: i64) -> [f64; 2] {
    let seconds = (at_ms % 100_000_000) as f64 / 1000.0;
    let level = ((host * 7 + metric * 13) % 100) as f64;
    [(seconds * (1.0 + level)).floor(), level + 0.4 * (seconds / 60.0).sin()]
}

/// A group for each host: thresholds, rates and means of its own series, and some over all hosts.
fn rule_file(hosts: usize, interval: u32) -> Result<String> {
    let mut text = "groups:\n".to_owned();
    for host in 0..hosts {
        writeln!(text, "- name: h{host}\n  interval: {interval}s\n  rules:")?;
        let this = format!("instance=\"h{host}\"");
        for metric in 0..METRICS {
            let (gauge, counter) =
                (format!("bench_gauge{metric}"), format!("bench_counter{metric}"));
            let next = (metric + 1) % METRICS;
            let alerts = [
                ("High", format!("{gauge}{{{this}}} > 97.5"), "0s"),
                ("Higher", format!("{gauge}{{{this}}} > 98.5"), "30s"),
                ("Highest", format!("{gauge}{{{this}}} > 150"), "1m"),
                ("Negative", format!("{gauge}{{{this}}} < -1"), "0s"),
                ("Fast", format!("rate({counter}_total{{{this}}}[5m]) > 99.5"), "1m"),
                ("Still", format!("rate({counter}_total{{{this}}}[1m]) == 0"), "30s"),
                ("Ratio", format!("{gauge}{{{this}}} / bench_gauge{next}{{{this}}} > 1000"), "1m"),
                ("Fleet", format!("avg by (instance) ({gauge}) > {}", 100 + host), "1m"),
            ];
            for (name, expr, held) in alerts {
                writeln!(
                    text,
                    "  - {{alert: {name}{metric}, expr: '{expr}', for: {held}, labels: \
                     {{severity: warning}}, annotations: {{summary: '{{{{ $labels.instance }}}} is \
                     at {{{{ $value }}}}'}}}}"
                )?;
            }
            writeln!(
                text,
                "  - {{record: 'bench:rate{metric}', expr: 'sum by (instance) \
                 (rate({counter}_total{{{this}}}[1m]))'}}\n  \
                 - {{record: 'bench:gauge{metric}', expr: 'avg_over_time({gauge}{{{this}}}[10m])'}}"
            )?;
        }
    }
    Ok(text)
}

/// Evaluations of groups that did not happen.
fn missed(server: &Server) -> Result<f64> {
    let (path, mark) = match server.name {
        "Prometheus" => ("/metrics", "\nprometheus_rule_group_iterations_missed_total{"),
        _ => ("/api/status", "\"missed\":"),
    };
    let page = http::get(&server.address, path)?;
    let counts = page.split(mark).skip(1).filter_map(|rest| {
        let count = rest.lines().next()?.rsplit_once("} ").map_or(rest, |(_, count)| count);
        count.split([',', ' ', '\n']).next()?.parse::<f64>().ok()
    });
    let counts: Vec<f64> = counts.collect();
    if counts.is_empty() {
        bail!("{} tells nothing of missed evaluations", server.name);
    }
    Ok(counts.iter().sum())
}

/// The one number that a query answers.
fn ask(server: &Server, query: &str) -> Result<f64> {
    let path = format!("/api/v1/query?query={}", http::escaped(query));
    let answer = http::get(&server.address, &path)?;
    let number = answer.rsplit_once(",\"").and_then(|(_, rest)| rest.split('"').next());
    let number = number.and_then(|text| text.parse().ok());
    number.with_context(|| format!("{} answered `{query}` with {answer}", server.name))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
