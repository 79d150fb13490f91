//! A running `barograph serve`, and what the system says about it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;

/// Ended when dropped.
#[derive(Debug)]
pub(super) struct Watched {
    child: Child,
    address: String,
}

#[derive(Debug)]
pub(super) struct Memory {
    pub(super) rss_mib: f64,
    /// What of the resident memory is its own share.
    pub(super) pss_mib: f64,
    pub(super) threads: u64,
}

impl Watched {
    /// Starts on a free port and waits until it listens.
    pub(super) fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let mut child = process::command(binary)
            .current_dir(folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--data", "data"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
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

    /// The status and body of an answer.
    fn get(&self, path: &str) -> Result<(bool, String)> {
        let mut socket = TcpStream::connect(&self.address)?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        socket.write_all(head.as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok((answer.starts_with("HTTP/1.1 200"), body.to_owned()))
    }

    pub(super) fn wait_for_values(&self) -> Result<()> {
        const ATTEMPTS: u32 = 3000;
        for _ in 0..ATTEMPTS {
            if self.get("/api/current_metrics")?.0 {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("no values within half a minute")
    }

    pub(super) fn live_series(&self) -> Result<u64> {
        let (_, page) = self.get("/metrics")?;
        let value = page.lines().find_map(|line| line.strip_prefix("barograph_live_series "));
        Ok(value.context("/metrics has no barograph_live_series")?.parse()?)
    }

    /// Time in user and kernel mode since it was started.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        /// `USER_HZ`, which Linux fixes at 100 for all programs on the machines that we build for.
        const TICKS_PER_SECOND: f64 = 100.0;
        let text = self.read("stat")?;
        let (_, fields) = text.rsplit_once(')').context("/proc/PID/stat has no name")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_SECOND)
    }

    pub(super) fn memory(&self) -> Result<Memory> {
        let rollup = self.read("smaps_rollup")?;
        let status = self.read("status")?;
        Ok(Memory {
            rss_mib: field(&rollup, "Rss:")? / 1024.0,
            pss_mib: field(&rollup, "Pss:")? / 1024.0,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            threads: field(&status, "Threads:")? as u64,
        })
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }
}

fn field(text: &str, name: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.with_context(|| format!("no `{name}` in /proc"))?.parse()?)
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing left to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
