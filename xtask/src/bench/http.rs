//! The smallest client there is, for servers on this machine.

use std::io::{BufRead, BufReader, Read, Write};
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

/// A connection that is kept for many questions.
#[derive(Debug)]
pub(super) struct Connection {
    socket: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    pub(super) fn open(address: &str) -> Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(120)))?;
        Ok(Self { socket: BufReader::with_capacity(64 * 1024, socket), body: Vec::new() })
    }

    /// Asks and reads the whole answer; its length in bytes.
    pub(super) fn get(&mut self, path: &str) -> Result<usize> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.socket.get_mut().write_all(head.as_bytes())?;
        let status = self.answer()?;
        if !status.contains(" 200") {
            bail!("{path} answered `{status}`: {}", String::from_utf8_lossy(&self.body));
        }
        Ok(self.body.len())
    }

    /// Sends a body, and waits until it is acknowledged.
    pub(super) fn post(
        &mut self,
        path: &str,
        content_type: &str,
        encoding: &str,
        body: &[u8],
    ) -> Result<()> {
        let length = body.len();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n\
             Content-Encoding: {encoding}\r\nContent-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.socket.get_mut().write_all(&request)?;
        let status = self.answer()?;
        if !status.contains(" 20") {
            bail!("{path} answered `{status}`: {}", String::from_utf8_lossy(&self.body));
        }
        Ok(())
    }

    /// Reads an answer's body; its status line.
    fn answer(&mut self) -> Result<String> {
        let status = self.line()?;
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                None => break,
                Some(("content-length", value)) => length = value.parse()?,
                Some(("transfer-encoding", value)) => is_chunked = value == "chunked",
                Some(_) => {}
            }
        }
        self.body.clear();
        if is_chunked {
            self.chunks()?;
        } else {
            self.read(length)?;
        }
        Ok(status)
    }

    fn chunks(&mut self) -> Result<()> {
        loop {
            let length = usize::from_str_radix(&self.line()?, 16)?;
            self.read(length)?;
            self.line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn read(&mut self, length: usize) -> Result<()> {
        let before = self.body.len();
        self.body.resize(before + length, 0);
        self.socket.read_exact(self.body.get_mut(before..).unwrap_or_default())?;
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.socket.read_line(&mut line)? == 0 {
            bail!("the connection was closed");
        }
        Ok(line.trim_end().to_owned())
    }
}

/// For the query of a URL.
pub(super) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
