//! `cargo xtask bench ingest`: the same scrapes sent by remote write to Barograph, Prometheus and
//! VictoriaMetrics, one request per scrape, by one sender that waits for each answer.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::http::Connection;
use super::recording::Recording;
use super::report::{Report, folder_bytes};
use super::servers::{self, Server};
use super::{now, now_ms, process_tree, remote_write};
use crate::{rust, tools, web};

#[derive(Debug, Args)]
pub(crate) struct IngestOptions {
    /// How many hosts like the recorded one
    #[arg(long, default_value_t = 1)]
    copies: usize,
    /// How many scrapes to send; all by default
    #[arg(long)]
    scrapes: Option<usize>,
    /// How often each server is filled; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only Barograph
    #[arg(long)]
    alone: bool,
    /// A release binary that is built already, to compare versions
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What filling a server took.
#[derive(Debug, Clone, Copy)]
struct Taken {
    samples: f64,
    cpu_seconds: f64,
    seconds: f64,
    rss_mib: f64,
    bytes: f64,
}

pub(super) fn run(options: &IngestOptions) -> Result<()> {
    let mut report = Report::new(options.json);
    let peers = if options.alone { Vec::new() } else { tools::missing_peers_after_trying() };
    if !peers.is_empty() {
        report.say(&format!("NOT COMPARED WITH OTHERS, as they are missing: {}", peers.join(", ")));
    }
    let is_alone = options.alone || !peers.is_empty();
    let binary = if let Some(binary) = &options.binary {
        binary.canonicalize().context("there is no such binary")?
    } else {
        web::build()?;
        rust::release_binary()?
    };
    let recording = Recording::load()?;
    let labels = (0..options.copies).flat_map(|copy| recording.names(copy));
    let labels = labels
        .map(|name| name.and_then(|name| remote_write::label_bytes(&name)))
        .collect::<Result<Vec<_>>>()?;
    let names: &[&str] =
        if is_alone { &["Barograph"] } else { &["Barograph", "Prometheus", "VictoriaMetrics"] };
    let mut taken = vec![Vec::new(); names.len()];
    for round in 0..options.rounds {
        for (name, taken) in names.iter().zip(&mut taken) {
            let number = format!("barograph-ingest-{}-{round}", std::process::id());
            let folder = std::env::temp_dir().join(number);
            fs::create_dir_all(&folder)?;
            let one = fill(name, &binary, &folder, &recording, &labels, options);
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
            taken.push(one?);
        }
    }
    for (name, taken) in names.iter().zip(taken) {
        report.section(name);
        let median = |figure: fn(&Taken) -> f64| {
            let mut all: Vec<f64> = taken.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        report.add("samples", median(|taken| taken.samples));
        report.add("samples_per_cpu_second", median(|taken| taken.samples / taken.cpu_seconds));
        report.add("samples_per_second", median(|taken| taken.samples / taken.seconds));
        report.add("rss_mib_afterwards", median(|taken| taken.rss_mib));
        report.add("bytes_per_sample_afterwards", median(|taken| taken.bytes / taken.samples));
    }
    report.finish();
    Ok(())
}

fn fill(
    name: &str,
    binary: &Path,
    folder: &Path,
    recording: &Recording,
    labels: &[Vec<u8>],
    options: &IngestOptions,
) -> Result<Taken> {
    let (server, data): (Server, _) = match name {
        "Barograph" => (servers::barograph(binary, folder)?, folder.join("data")),
        "Prometheus" => {
            let data = folder.join("blocks");
            (servers::prometheus(folder, &data)?, data)
        }
        _ => (servers::victoria_metrics(folder)?, folder.join("victoria")),
    };
    let mut connection = Connection::open(&server.address)?;
    // Samples of long ago are not taken by all; those of the last hour are.
    let scrapes = options.scrapes.unwrap_or(usize::MAX).min(recording.times().len());
    let last_ms = recording.times().get(scrapes.wrapping_sub(1)).context("no scrapes")?;
    let shift_ms = now_ms()? - last_ms;
    let before = process_tree::cpu_seconds(server.pid())?;
    let started = now();
    let (mut samples, mut request) = (0_u32, Vec::new());
    for (number, time_ms) in recording.times().iter().enumerate().take(scrapes) {
        request.clear();
        let values = (0..options.copies).flat_map(|_| recording.values(number));
        for (labels, value) in labels.iter().zip(values) {
            if let Some(value) = value {
                remote_write::put_sample(&mut request, labels, time_ms + shift_ms, value);
                samples += 1;
            }
        }
        let body = snap::raw::Encoder::new().compress_vec(&request)?;
        connection.post("/api/v1/write", "application/x-protobuf", "snappy", &body)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu_seconds = process_tree::cpu_seconds(server.pid())? - before;
    if cpu_seconds <= 0.0 {
        bail!("{name} took no time that could be measured; send more");
    }
    let rss_mib = process_tree::memory(server.pid())?.rss_mib;
    let bytes = folder_bytes(&data)? as f64;
    Ok(Taken { samples: f64::from(samples), cpu_seconds, seconds, rss_mib, bytes })
}
