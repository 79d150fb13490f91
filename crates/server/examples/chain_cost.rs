//! What a tick costs on its whole way, from the collectors to the disk: runs them every tenth of a
//! second and prints the processor time of each thread per tick (Linux). Arguments: the number of
//! ticks, and the folder of a recorded machine to read instead of this one.
//!
//! For instructions, run it by `valgrind --tool=callgrind` with two numbers of ticks: the
//! difference is what the ticks cost without the start.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use std::{env, fs};

use barograph_collect::{Roots, Runner, RunnerSettings, registry};
use barograph_model::{Clock, SystemClock};
use barograph_server::{Feed, Forward, Latest};
use barograph_store::{Settings, Store};

fn main() -> io::Result<()> {
    let ticks: u64 = match env::args().nth(1).map(|text| text.parse()) {
        None => 100,
        Some(Ok(ticks)) => ticks,
        Some(Err(_)) => return Err(io::Error::other("the first argument is a number of ticks")),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let roots = env::args()
        .nth(2)
        .map_or_else(Roots::default, |folder| Roots::recorded(Path::new(&folder)));
    let folder = tempfile::tempdir()?;
    let store = Store::open(Settings::new(folder.path()), Arc::clone(&clock));
    let store = Arc::new(store.map_err(io::Error::other)?);
    let forward = Forward::start(Vec::new(), folder.path(), &clock).map_err(io::Error::other)?;
    let feed = Feed::start(Arc::clone(&store), Arc::new(Latest::new()), Arc::new(forward))?;
    let feed = Arc::new(feed);

    let (sender, sizes) = channel::<usize>();
    let deliver = {
        let feed = Arc::clone(&feed);
        move |batch: barograph_model::Batch| {
            // Nobody counts any more at the end.
            sender.send(batch.samples.len()).unwrap_or_default();
            feed.offer(batch);
        }
    };
    let settings = RunnerSettings {
        interval: Duration::from_millis(100),
        // Valgrind takes fifty times as long.
        hard_deadline: Duration::from_secs(60),
        cpu_budget: f64::INFINITY,
        ..RunnerSettings::new("measured", Arc::clone(&clock))
    };
    let collectors = registry::all(&roots, &clock);
    let runner = Runner::start(settings, collectors, deliver).map_err(io::Error::other)?;
    // The first ticks open files and make labels.
    for _ in 0..3 {
        sizes.recv().map_err(io::Error::other)?;
    }
    let before = cpu_microseconds().unwrap_or_default();
    let mut samples = 0;
    for _ in 0..ticks {
        samples += sizes.recv().map_err(io::Error::other)?;
    }
    let after = cpu_microseconds().unwrap_or_default();
    drop(runner);
    feed.close();

    let mut out = io::stdout().lock();
    writeln!(out, "{ticks} ticks, {:.1} samples per tick", samples as f64 / ticks as f64)?;
    let mut sum = 0.0;
    for (name, after) in after {
        let spent = after - before.get(&name).copied().unwrap_or_default();
        sum += spent;
        writeln!(out, "{name:>16} {:8.1} µs per tick", spent / ticks as f64)?;
    }
    writeln!(out, "{:>16} {:8.2} µs per sample", "all", sum / samples.max(1) as f64)
}

/// Time that each thread of this program has run for, where the system tells; those of one name
/// together.
fn cpu_microseconds() -> io::Result<BTreeMap<String, f64>> {
    let mut threads = BTreeMap::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let path = thread?.path();
        let name = fs::read_to_string(path.join("comm"))?;
        let times = fs::read_to_string(path.join("schedstat"))?;
        let first = times.split_whitespace().next().unwrap_or_default();
        let nanoseconds: f64 = first.parse().map_err(io::Error::other)?;
        *threads.entry(name.trim().to_owned()).or_default() += nanoseconds / 1e3;
    }
    Ok(threads)
}
