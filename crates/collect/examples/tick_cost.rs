//! What collecting costs: runs the collectors on this machine every second for a minute and
//! prints the processor time per tick (Linux), and that of each collector's runs. Arguments: the number
//! of ticks, and the folder of a recorded machine to read instead.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::{env, fs};

use barograph_collect::{Roots, Runner, RunnerSettings, registry};
use barograph_model::{Batch, Clock, SystemClock};

fn main() -> io::Result<()> {
    let ticks: u64 = match env::args().nth(1).map(|text| text.parse()) {
        None => 60,
        Some(Ok(ticks)) => ticks,
        Some(Err(_)) => return Err(io::Error::other("the first argument is a number of ticks")),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let roots = env::args()
        .nth(2)
        .map_or_else(Roots::default, |folder| Roots::recorded(Path::new(&folder)));
    let collectors = registry::all(&roots, &clock);
    let settings = RunnerSettings::new("measured", clock);
    let (sender, batches) = channel::<Batch>();
    let runner = Runner::start(settings, collectors, move |batch| drop(sender.send(batch)))
        .map_err(io::Error::other)?;

    // The first ticks open files and make labels.
    for _ in 0..3 {
        batches.recv().map_err(io::Error::other)?;
    }
    let before = cpu_nanoseconds();
    let mut samples = 0;
    for _ in 0..ticks {
        samples += batches.recv().map_err(io::Error::other)?.samples.len();
    }
    let after = cpu_nanoseconds();

    let mut out = io::stdout().lock();
    writeln!(out, "{ticks} ticks, {:.1} samples per tick", samples as f64 / ticks as f64)?;
    if let (Some(before), Some(after)) = (before, after) {
        let spent = (after - before) as f64 / 1000.0;
        writeln!(
            out,
            "{:.0} µs of processor time per tick, {:.2} µs per sample",
            spent / ticks as f64,
            spent / samples as f64
        )?;
    }
    for status in runner.status().collectors {
        let mean = status.total_cpu.as_secs_f64() * 1e6 / status.runs.max(1) as f64;
        let (name, state) = (status.name, status.state.as_str());
        let (samples, runs) = (status.samples, status.runs);
        writeln!(out, "{name:>16} {mean:7.0} µs × {runs:<4} {samples:4} samples, {state}")?;
    }
    Ok(())
}

/// Time that all threads of this program have run for, where the system tells.
fn cpu_nanoseconds() -> Option<u64> {
    let mut sum = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        sum += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(sum)
}
