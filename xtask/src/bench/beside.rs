//! `cargo xtask bench peers`: Barograph and its peers reading the same machine in the same minutes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::peers::{PEERS, Peer};
use super::watched::{PROCESS_EVENTS, Watched};
use super::{http, now, process_tree};
use crate::debian;

#[derive(Debug, Args)]
pub(crate) struct PeersOptions {
    /// How long to measure, in seconds, after half a minute of warming up
    #[arg(long, default_value_t = 80)]
    seconds: u64,
    /// The program to measure; without it the release binary is built
    #[arg(long)]
    binary: Option<PathBuf>,
}

const WARM_UP: Duration = Duration::from_secs(30);

/// One program under measurement; ended when dropped.
struct Measured {
    name: &'static str,
    child: Option<Child>,
    pid: u32,
    cpu_before: f64,
}

impl Drop for Measured {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already; then there is nothing left to end.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

pub(super) fn run(options: &PeersOptions) -> Result<()> {
    install()?;
    let binary = super::program(options.binary.as_deref())?;
    let folder = std::env::temp_dir().join(format!("barograph-peers-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = measure(&binary, &folder, options);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result
}

fn install() -> Result<()> {
    let missing: Vec<&str> = PEERS
        .iter()
        .filter(|peer| !Path::new(peer.program).exists())
        .map(|peer| peer.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !(debian::here() && debian::is_root()) {
        bail!("the peers are missing: on Debian install {}", missing.join(" "));
    }
    debian::install(&missing)
}

fn measure(binary: &Path, folder: &Path, options: &PeersOptions) -> Result<()> {
    let server = Watched::start(binary, folder)?;
    let mut measured = vec![Measured {
        name: "Barograph, with its store",
        child: None,
        pid: server.pid(),
        cpu_before: 0.0,
    }];
    for (number, peer) in PEERS.iter().enumerate() {
        let child = peer.start(&folder.join(number.to_string()))?;
        let pid = child.id();
        measured.push(Measured { name: peer.name, child: Some(child), pid, cpu_before: 0.0 });
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for peer in &PEERS {
            scope.spawn(|| ask_every_second(peer, &done));
        }
        let result = watch(&mut measured, &server, folder, options);
        done.store(true, Ordering::Relaxed);
        result
    })
}

fn ask_every_second(peer: &Peer, done: &AtomicBool) {
    let Some((address, path)) = peer.asked else { return };
    while !done.load(Ordering::Relaxed) {
        // It may not listen yet; who never answers has no series in the end.
        drop(http::get(address, path));
        thread::sleep(Duration::from_secs(1));
    }
}

fn watch(
    measured: &mut [Measured],
    server: &Watched,
    folder: &Path,
    options: &PeersOptions,
) -> Result<()> {
    thread::sleep(WARM_UP);
    for one in measured.iter_mut() {
        one.cpu_before = process_tree::cpu_seconds(one.pid)?;
    }
    let threads_before = process_tree::threads(server.pid())?;
    let started: Instant = now();
    thread::sleep(Duration::from_secs(options.seconds));
    let elapsed = started.elapsed().as_secs_f64();
    let threads = process_tree::threads(server.pid())?;
    println!(
        "{:<36} {:>8} {:>8} {:>10} {:>14}",
        "over the same time", "series", "CPU %", "µs/sample", "RSS/PSS MiB"
    );
    for (place, one) in measured.iter().enumerate() {
        let cpu = process_tree::cpu_seconds(one.pid)? - one.cpu_before;
        let memory = process_tree::memory(one.pid)?;
        let series = match place.checked_sub(1).and_then(|number| PEERS.get(number)) {
            None => usize::try_from(server.live_series()?)?,
            Some(peer) => (peer.series)(&folder.join((place - 1).to_string()))?,
        };
        println!(
            "{:<36} {series:>8} {:>8.2} {:>10.2} {:>7.1}/{:.1}",
            one.name,
            100.0 * cpu / elapsed,
            1e6 * cpu / elapsed / series.max(1) as f64,
            memory.rss_mib,
            memory.pss_mib,
        );
    }
    let spent = |threads: &process_tree::Threads| threads.cpu_seconds(&PROCESS_EVENTS);
    let percent = 100.0 * (spent(&threads) - spent(&threads_before)) / elapsed;
    println!("of Barograph's, {percent:.2} % are for starts and ends of processes:");
    for line in threads.lines_since(&threads_before, elapsed) {
        println!("  {line}");
    }
    Ok(())
}
