//! The smallest client there is, for servers on this machine.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The body of a successful answer.
pub(super) fn get(address: &str, path: &str) -> Result<String> {
    let mut socket =
        TcpStream::connect(address).with_context(|| format!("nobody listens at {address}"))?;
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    // HTTP 1.0: no chunks to put together.
    let head = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    socket.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if !status.contains(" 200") {
        bail!("{address}{path} answered `{status}`");
    }
    Ok(body.to_owned())
}
