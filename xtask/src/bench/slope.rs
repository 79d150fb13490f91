//! Whether a running `barograph serve` grows: handles, threads and memory, as slopes per hour.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::watched::Watched;
use super::{now, process_tree, program};
use crate::process;
use crate::wine::Wine;

#[derive(Debug, Args)]
pub(crate) struct SlopeOptions {
    /// How long to measure, in minutes, after the warming up
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// How long to let caches and the newest samples fill before, in minutes
    #[arg(long, default_value_t = 10)]
    warm_up: u64,
    /// The program to measure, under Wine when its name ends in `.exe`; without it the release
    /// binary is built
    #[arg(long)]
    binary: Option<PathBuf>,
}

const BETWEEN: Duration = Duration::from_secs(10);

/// What is looked at, with its unit.
const NAMES: [&str; 3] = ["descriptors", "threads", "RSS, MiB"];

pub(super) fn run(options: &SlopeOptions) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("this reads /proc of the measured process, so it needs Linux");
    }
    let binary = program(options.binary.as_deref())?;
    let folder = std::env::temp_dir().join(format!("barograph-slope-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let result = measure(&binary, &folder, options);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result
}

fn measure(binary: &Path, folder: &Path, options: &SlopeOptions) -> Result<()> {
    let is_windows = binary.extension().is_some_and(|ending| ending == "exe");
    let wine = if is_windows { Some(Wine::ready()?) } else { None };
    let _wine_server = wine.as_ref().map(Wine::start_server).transpose()?;
    let server = match &wine {
        None => Watched::start(binary, folder)?,
        Some(wine) => {
            let mut command = process::command(wine.runner());
            command.env("BAROGRAPH_WINE_LIMIT", "0").arg(binary);
            Watched::start_by(command, folder)?
        }
    };
    thread::sleep(Duration::from_secs(60 * options.warm_up));
    let started = now();
    let mut taken: Vec<(f64, [f64; 3])> = Vec::new();
    while started.elapsed() < Duration::from_secs(60 * options.minutes) {
        let hours = started.elapsed().as_secs_f64() / 3600.0;
        let rss = process_tree::memory(server.pid())?.rss_mib;
        let [descriptors, threads] = process_tree::open(server.pid());
        taken.push((hours, [descriptors, threads, rss]));
        thread::sleep(BETWEEN);
    }
    let (Some((_, first)), Some((_, last))) = (taken.first(), taken.last()) else {
        bail!("`--minutes` is 0: nothing was measured");
    };
    println!("{} readings in {} minutes:", taken.len(), options.minutes);
    for (place, name) in NAMES.into_iter().enumerate() {
        let points = taken.iter().map(|(hours, values)| (*hours, values[place]));
        let slope = slope(&points.collect::<Vec<_>>());
        println!("  {name:<12} {:.1} to {:.1}, {slope:+.2} per hour", first[place], last[place]);
    }
    Ok(())
}

/// Of the line that fits best; 0 for a single point.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let over: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let under: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if under == 0.0 { 0.0 } else { over / under }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_that_of_the_line_through_the_points() {
        let close = |points: &[(f64, f64)], expect: f64| (slope(points) - expect).abs() < 1e-9;
        assert!(close(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)], 2.0));
        assert!(close(&[(0.0, 1.0), (1.0, 2.0), (2.0, 1.0)], 0.0));
        assert!(close(&[(0.5, 3.0)], 0.0));
    }
}
