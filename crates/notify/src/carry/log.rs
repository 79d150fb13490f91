//! Syslog over the network.

use std::io;
use std::net::SocketAddr;

use barograph_fetch::{Connector, Reach, TlsSettings};
use barograph_model::chain;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::UdpSocket;

use super::own_log::level;
use crate::failure::{Failure, Receipt};
use crate::notification::{Event, Severity};
use crate::text;

/// A datagram that is longer is split on its way, or dropped.
const MAX_DATAGRAM: usize = 1400;

/// A syslog server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    by: Transport,
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// A line for a log.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) remote: Remote,
    pub(crate) tls: TlsSettings,
    pub(crate) facility: u8,
    pub(crate) event: Event,
    pub(crate) severity: Severity,
    pub(crate) id: String,
    pub(crate) host: Option<String>,
    pub(crate) at_ms: i64,
    pub(crate) text: String,
}

impl Remote {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (by, rest, port) = [
            ("udp://", Transport::Udp, 514),
            ("tcp://", Transport::Tcp, 601),
            ("tls://", Transport::Tls, 6514),
        ]
        .into_iter()
        .find_map(|(start, by, port)| Some((by, text.strip_prefix(start)?, port)))?;
        let uri: hyper::Uri = format!("http://{rest}").parse().ok()?;
        let authority = uri.authority()?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_bare = uri.path_and_query().is_none_or(|it| it.as_str() == "/");
        let is_good = is_bare && !host.is_empty() && !authority.as_str().contains('@');
        let port = authority.port_u16().unwrap_or(port);
        is_good.then_some(Self { by, host, port })
    }
}

impl Entry {
    pub(crate) async fn write(&self, reach: &Reach) -> Result<Receipt, Failure> {
        let Remote { by, host, port } = &self.remote;
        let broken = |error: io::Error| Failure::passing(format!("{host}:{port}: {error}"));
        let line = self.line();
        match by {
            Transport::Udp => {
                let found = reach.resolve(host, *port).await.map_err(|it| super::unreached(&it))?;
                let line = text::cut_bytes(&line, MAX_DATAGRAM);
                send_datagram(&found, &line).await.map_err(broken)?;
            }
            Transport::Tcp => {
                let socket =
                    reach.connect(host, *port).await.map_err(|it| super::unreached(&it))?;
                send_framed(socket, &line).await.map_err(broken)?;
            }
            Transport::Tls => {
                let connector = Connector::new(&self.tls, host)
                    .map_err(|error| Failure::permanent(chain(&error)))?;
                let socket =
                    reach.connect(host, *port).await.map_err(|it| super::unreached(&it))?;
                let socket = connector.connect(socket).await.map_err(broken)?;
                send_framed(socket, &line).await.map_err(broken)?;
            }
        }
        Ok(Receipt { text: String::new() })
    }

    pub(crate) fn shown(&self) -> String {
        let Remote { by, host, port } = &self.remote;
        format!("{by:?} to {host}:{port}\n{}", self.line())
    }

    /// The message, without anything that would make it two.
    fn line(&self) -> String {
        let priority = u32::from(self.facility) * 8 + u32::from(level(self.event, self.severity));
        let time = text::rfc3339(self.at_ms);
        let host = self.host.as_deref().map(word).filter(|it| !it.is_empty());
        let host = host.unwrap_or_else(|| "-".to_owned());
        let event = self.event.word().replace(' ', "_");
        let id = parameter(&self.id);
        let text = text::line(&self.text);
        format!(
            "<{priority}>1 {time} {host} barograph - {event} [barograph@32473 id=\"{id}\"] {text}"
        )
    }
}

/// What stands between blanks: printable ASCII.
fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(255).collect()
}

fn parameter(text: &str) -> String {
    let mut escaped = String::new();
    for c in text::line(text).chars() {
        if matches!(c, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The length before the message, as RFC 6587 frames it.
async fn send_framed(mut socket: impl AsyncWrite + Unpin, line: &str) -> io::Result<()> {
    socket.write_all(format!("{} {line}", line.len()).as_bytes()).await?;
    socket.flush().await?;
    socket.shutdown().await
}

async fn send_datagram(addresses: &[SocketAddr], line: &str) -> io::Result<()> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let sent = async { UdpSocket::bind(own).await?.send_to(line.as_bytes(), address).await };
        match sent.await {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
