//! `barograph record`: counters and metrics into a file, row by row.

mod columns;
mod format;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use barograph_collect::{Roots, host_facts};
use barograph_model::{Clock, SystemClock};

use self::columns::{Columns, Sources};
pub(crate) use self::format::FormatName;
use super::counters::next_tick;
use super::stop_signal::StopSignal;
use crate::cli::RecordArgs;
use crate::failure::Failure;

pub(crate) fn run(args: &RecordArgs) -> anyhow::Result<()> {
    if let Some(path) = args.output.as_deref().filter(|path| !args.force && path.exists()) {
        return Err(is_there(path).into());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut sources = Sources::new(&args.what, &clock)?;
    let stop = StopSignal::listen()?;
    // What is a rate has its first value at the second reading.
    sources.sample();
    let mut next = clock.monotonic();
    next_tick(&*clock, &mut next, args.every);
    if stop.within(next.saturating_sub(clock.monotonic())) {
        let unwritten =
            args.output.as_ref().map(|path| format!("; {} was not written", path.display()));
        tell(&format!("ended before the first row was due{}", unwritten.unwrap_or_default()));
        return Ok(());
    }
    let first = sources.sample();
    let mut columns = Columns::new(&first)?;
    for note in columns.notes() {
        tell(&note);
    }
    let (mut out, name) = open(args)?;
    let failed = || format!("cannot write to {name}");
    let host = host_facts(&Roots::default()).host;
    let format = args.format.writer();
    out.write_all(format.header(&host, columns.names()).as_bytes()).with_context(failed)?;
    let mut progress = Progress::new(args, &name);
    let started = next;
    let mut readings = first;
    loop {
        let values = columns.values(&readings);
        let row = format.row(clock.now_ms(), columns.names(), &values);
        out.write_all(row.as_bytes()).and_then(|()| out.flush()).with_context(failed)?;
        next_tick(&*clock, &mut next, args.every);
        let elapsed = clock.monotonic().saturating_sub(started);
        progress.row(elapsed);
        let is_over = args.length.is_some_and(|length| next.saturating_sub(started) >= length);
        if is_over || stop.within(next.saturating_sub(clock.monotonic())) {
            break;
        }
        readings = sources.sample();
    }
    progress.end(columns.names().len());
    if let Some(note) = columns.left_out() {
        tell(&note);
    }
    Ok(())
}

/// Standard output, or a file that is new.
fn open(args: &RecordArgs) -> anyhow::Result<(Box<dyn Write>, String)> {
    let Some(path) = &args.output else {
        return Ok((Box::new(io::stdout()), "standard output".to_owned()));
    };
    let file = create(path, args.force)?;
    Ok((Box::new(io::BufWriter::new(file)), path.display().to_string()))
}

fn create(path: &Path, force: bool) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => is_there(path).into(),
        _ => anyhow::Error::new(error).context(format!("cannot create {}", path.display())),
    })
}

fn is_there(path: &Path) -> Failure {
    Failure::Input(format!("{} is there already; --force writes it anew", path.display()))
}

/// Standard error may be gone; the recording goes on.
fn tell(text: &str) {
    writeln!(io::stderr(), "{text}").unwrap_or_default();
}

/// One line on the terminal that is written over and over.
#[derive(Debug)]
struct Progress<'a> {
    name: &'a str,
    to_file: bool,
    is_shown: bool,
    rows: u64,
}

impl<'a> Progress<'a> {
    fn new(args: &RecordArgs, name: &'a str) -> Self {
        let to_file = args.output.is_some();
        Self { name, to_file, is_shown: to_file && io::stderr().is_terminal(), rows: 0 }
    }

    fn row(&mut self, elapsed: Duration) {
        self.rows += 1;
        if !self.is_shown {
            return;
        }
        let seconds = elapsed.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let time = format!("{hours:02}:{minutes:02}:{seconds:02}");
        let mut err = io::stderr();
        let line = format!("\r{time}  {} rows in {} (Ctrl-C ends it)", self.rows, self.name);
        err.write_all(line.as_bytes()).and_then(|()| err.flush()).unwrap_or_default();
    }

    fn end(&self, columns: usize) {
        let start = if self.is_shown { "\r\x1b[2K" } else { "" };
        if self.to_file {
            tell(&format!("{start}{} rows of {columns} columns in {}", self.rows, self.name));
        }
    }
}
