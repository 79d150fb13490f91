//! What the store costs, measured by itself: one piece of work per run, so that processor time and
//! memory are that work's. `cargo xtask bench store` runs all of it, beside other stores.
//!
//! Arguments: the work, an empty folder, and for some a recording (`-`: made up) and how many hosts
//! like the recorded one. Prints lines of a name and a number.

mod index;
mod ingest;
mod month;
mod own;
mod read;
mod rows;
mod year;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use barograph_store::{SeriesRef, Settings, Store};
use barograph_testkit::{FakeClock, Recording};

type Outcome = Result<(), Box<dyn std::error::Error>>;
type Measure = fn(&Work) -> Outcome;

/// What a run is told.
struct Work {
    dir: PathBuf,
    recording: Option<PathBuf>,
    copies: usize,
}

/// By name, with what it does.
static WORKS: &[(&str, Measure)] = &[
    ("append", ingest::append),
    ("append-labels", ingest::append_labels),
    ("hour", ingest::hour),
    ("read", read::read),
    ("start", read::start),
    ("memory-2000", ingest::memory_2000),
    ("memory-100000", ingest::memory_100_000),
    ("year", year::year),
    ("month", month::month),
    ("rows", rows::rows),
    ("index", index::index),
    ("churn", index::churn),
];

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some((_, run)) = WORKS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<_> = WORKS.iter().map(|(name, _)| *name).collect();
        return Err(format!("the first argument is one of {}", names.join(", ")).into());
    };
    let dir = arguments.next().ok_or("the second argument is a folder")?.into();
    let recording = arguments.next().filter(|path| path != "-").map(PathBuf::from);
    let copies = arguments.next().map_or(Ok(1), |text| text.parse())?;
    run(&Work { dir, recording, copies })
}

/// Prints a figure.
fn tell(name: &str, value: f64) -> io::Result<()> {
    writeln!(io::stdout(), "{name} {value}")
}

impl Work {
    fn load(&self) -> Result<Recording, Box<dyn std::error::Error>> {
        let recording = match &self.recording {
            Some(path) => Recording::read(path)?,
            None => Recording::made_up(),
        };
        Ok(recording.copies(self.copies)?)
    }

    /// With a clock that shows the recording's beginning.
    fn clock(recording: &Recording) -> Arc<FakeClock> {
        Arc::new(FakeClock::new(recording.times.first().copied().unwrap_or_default()))
    }
}

/// Opens a store that seals only when it is told to.
fn open_idle(dir: &Path, clock: &Arc<FakeClock>) -> Result<Store, barograph_store::OpenError> {
    let settings = Settings {
        seal_bytes: u64::MAX / 2,
        seal_after: Duration::MAX,
        seal_at_latest: Duration::MAX,
        late_window: None,
        max_head_bytes: u64::MAX,
        max_series: 4_000_000,
        ..Settings::new(dir)
    };
    Store::open(settings, clock.clone())
}

/// What one scrape brought, by the store's ids.
struct Scrape {
    time_ms: i64,
    series: Vec<SeriesRef>,
    values: Vec<f64>,
}

fn scrapes(
    recording: &Recording,
    store: &Store,
) -> Result<Vec<Scrape>, Box<dyn std::error::Error>> {
    let ids = recording.series.iter().map(|(labels, _)| store.series(labels));
    let ids: Vec<SeriesRef> = ids.collect::<Result<_, _>>()?;
    let scrape = |(number, time_ms): (usize, &i64)| {
        let samples = recording.scrape(number).map(|(place, value)| (ids[place], value));
        let (series, values) = samples.unzip();
        Scrape { time_ms: *time_ms, series, values }
    };
    Ok(recording.times.iter().enumerate().map(scrape).collect())
}
