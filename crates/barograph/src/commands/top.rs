//! `barograph top`: the machine on a terminal, live.

mod keys;
mod layout;
mod screen;
mod terminal;
mod view;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use anyhow::Context as _;
use barograph_collect::process::{LatestProcesses, ProcessSnapshot};
use barograph_collect::{HostFacts, Roots, Runner, RunnerSettings, Setup, host_facts, registry};
use barograph_model::{Batch, Clock, SystemClock};
use crossterm::event::{self, Event};

use self::keys::{Then, Wishes};
use self::layout::{Shown, layout};
use self::terminal::Terminal;
use self::view::{Readings, View};
use super::stop_signal::StopSignal;
use crate::cli::TopArgs;
use crate::failure::Failure;

/// What the screen is made of; the rest is not read.
const COLLECTORS: [&str; 9] =
    ["cpu", "disk", "filesystem", "load", "memory", "network", "pressure", "process", "system"];
/// A key is answered within this time, and so is a new reading.
const PATIENCE: Duration = Duration::from_millis(50);
/// Readings that the screen has not taken yet.
const WAITING: usize = 4;

pub(crate) fn run(args: &TopArgs) -> anyhow::Result<()> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        let text = "top needs a terminal for keys and screen; \
                    `barograph counters read` and `barograph record` write for programs";
        return Err(Failure::Input(text.to_owned()).into());
    }
    let stop = StopSignal::listen()?;
    let facts = host_facts(&Roots::default());
    let (runner, batches, processes) = start_reading(args.every, &facts.host)?;
    let mut top = Top {
        facts,
        batches,
        processes,
        readings: Readings::default(),
        view: None,
        listed: None,
        wishes: Wishes::default(),
    };
    let mut terminal = Terminal::take(!args.no_color).context("cannot take the terminal over")?;
    let result = top.show(&mut terminal, &stop);
    drop(terminal);
    runner.stop();
    result.context("cannot write to the terminal")
}

/// Every reading of this machine from now on, until the receiver is dropped.
fn start_reading(
    every: Duration,
    host: &str,
) -> anyhow::Result<(Runner, Receiver<Batch>, Arc<LatestProcesses>)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let setup = Setup::new(&Roots::default(), &clock);
    let mut collectors = registry::with(&setup);
    collectors.retain(|collector| COLLECTORS.contains(&collector.name()));
    let (sender, batches) = sync_channel(WAITING);
    // Somebody watches: it may cost what it costs.
    let settings =
        RunnerSettings { interval: every, cpu_budget: 1.0, ..RunnerSettings::new(host, clock) };
    // A screen that does not keep up leaves readings out.
    let runner = Runner::start(settings, collectors, move |batch| drop(sender.try_send(batch)))
        .context("cannot start to read the machine")?;
    Ok((runner, batches, setup.processes))
}

/// The screen and what it shows.
#[derive(Debug)]
struct Top {
    facts: HostFacts,
    batches: Receiver<Batch>,
    processes: Arc<LatestProcesses>,
    readings: Readings,
    view: Option<View>,
    listed: Option<Arc<ProcessSnapshot>>,
    wishes: Wishes,
}

impl Top {
    fn show(&mut self, terminal: &mut Terminal, stop: &StopSignal) -> io::Result<()> {
        let mut is_old = true;
        loop {
            is_old |= self.take_readings();
            if is_old {
                self.draw(terminal)?;
                is_old = false;
            }
            if event::poll(PATIENCE)? {
                match event::read()? {
                    Event::Key(key) => match self.wishes.key(key) {
                        Then::Quit => return Ok(()),
                        Then::Redraw => is_old = true,
                        Then::Nothing => {}
                    },
                    Event::Resize(..) => {
                        terminal.forget();
                        is_old = true;
                    }
                    _ => {}
                }
            }
            if stop.within(Duration::ZERO) {
                return Ok(());
            }
        }
    }

    /// Takes in what was read meanwhile; whether there is something new to show.
    fn take_readings(&mut self) -> bool {
        let mut is_new = false;
        loop {
            match self.batches.try_recv() {
                Ok(batch) => {
                    let view = self.readings.take(batch);
                    if view.is_some() && !self.wishes.is_paused {
                        self.view = view;
                        self.processes.ask();
                        self.listed = self.processes.snapshot();
                        is_new = true;
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return is_new,
            }
        }
    }

    fn draw(&self, terminal: &mut Terminal) -> io::Result<()> {
        let (columns, rows) = crossterm::terminal::size()?;
        let shown = Shown {
            facts: &self.facts,
            view: self.view.as_ref(),
            processes: self.listed.as_deref(),
            wishes: &self.wishes,
        };
        terminal.show(layout(&shown, usize::from(columns), usize::from(rows)))
    }
}
