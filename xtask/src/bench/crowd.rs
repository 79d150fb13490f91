//! Processes that do nothing, for measuring what thousands of them cost.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// Sleeping processes. They wait for their input to end, and that it does when this is dropped or
/// this program ends, however it ends.
#[derive(Debug)]
pub(super) struct Crowd {
    shell: Child,
    input: Option<ChildStdin>,
}

impl Crowd {
    pub(super) const MAX: u32 = 20_000;

    /// Starts so many.
    pub(super) fn start(count: u32) -> Result<Self> {
        const SCRIPT: &str = "exec 3<&0; i=0; \
            while [ $i -lt $0 ]; do (read -r line <&3) & i=$((i+1)); done; echo ready; wait";
        if count > Self::MAX {
            bail!("{count} processes are asked for, at most {} are started", Self::MAX);
        }
        let mut shell = process::command("sh")
            .args(["-c", SCRIPT, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start sh")?;
        let mut line = String::new();
        if let Some(stdout) = shell.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let crowd = Self { input: shell.stdin.take(), shell };
        if line.trim() != "ready" {
            bail!("the system does not allow {count} more processes");
        }
        Ok(crowd)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.input = None;
        // It waits for the others, and may have ended already.
        drop(self.shell.wait());
    }
}
