//! A running `barograph serve`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::http;
use crate::process;

/// The threads that hear of starts and ends of processes and store them, which no peer does.
pub(super) const PROCESS_EVENTS: [&str; 2] = ["process-events", "event-log"];

/// Ended when dropped.
#[derive(Debug)]
pub(super) struct Watched {
    child: Child,
    address: String,
}

impl Watched {
    /// Starts on a free port and waits until it listens.
    pub(super) fn start(binary: &Path, folder: &Path) -> Result<Self> {
        Self::start_by(process::command(binary), folder)
    }

    /// The same by a command that lacks nothing but the program's arguments.
    pub(super) fn start_by(mut command: Command, folder: &Path) -> Result<Self> {
        let mut child = command
            .current_dir(folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--data", "data"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.split("http://").nth(1).unwrap_or_default().trim().trim_end_matches('/');
        let server = Self { address: address.to_owned(), child };
        if server.address.is_empty() {
            bail!("`barograph serve` did not say where it listens, but `{}`", line.trim());
        }
        Ok(server)
    }

    pub(super) fn wait_for_values(&self) -> Result<()> {
        const ATTEMPTS: u32 = 3000;
        for _ in 0..ATTEMPTS {
            if http::get(&self.address, "/api/current_metrics").is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("no values within half a minute")
    }

    /// Series that it reads of this machine, and those that others give it.
    pub(super) fn live_series(&self) -> Result<u64> {
        let page = http::get(&self.address, "/metrics")?;
        let value = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
        let own = page.lines().find(|line| line.starts_with("barograph_live_series "));
        let own = own.and_then(value).context("/metrics has no barograph_live_series")?;
        let others = page.lines().filter(|line| line.starts_with("barograph_ingest_series{"));
        Ok(own + others.filter_map(value).sum::<u64>())
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing left to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
