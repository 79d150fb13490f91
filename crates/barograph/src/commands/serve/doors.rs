//! The doors with sockets of their own, and those that work by themselves.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use anyhow::Context as _;
use barograph_model::Clock;
use barograph_server::{
    Checks, DATAGRAM_PATIENCE, Datagrams, Doors, Forward, Ingest, Scraper, Statsd, Textfiles,
};

use crate::config::Config;
use crate::failure::Failure;
use crate::service;

/// Room for what comes while the receiver is busy; the system may give less.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Opens the queues of samples that are sent on.
pub(super) fn forward(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<Forward>> {
    Forward::start(config.remote_write.clone(), &config.data, clock)
        .map(Arc::new)
        .context("cannot send samples on")
}

/// Starts what asks others for samples and runs checks.
pub(super) fn open(
    config: &Config,
    host: &str,
    ingest: &Arc<Ingest>,
    forward: Arc<Forward>,
    clock: &Arc<dyn Clock>,
) -> Arc<Doors> {
    let checks = config.check.clone();
    Arc::new(Doors {
        scraper: Scraper::start(config.scrape.clone(), ingest, clock),
        textfiles: Textfiles::start(&config.textfile, host, ingest, clock),
        checks: Checks::start(checks, host, ingest, clock, &service::runner()),
        forward,
    })
}

/// Listens for StatsD, where the configuration says so.
pub(super) fn statsd(
    config: &Config,
    host: &str,
    ingest: &Arc<Ingest>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Statsd>> {
    let mut sockets = Vec::new();
    if let Some(address) = config.statsd_listen {
        sockets.push(udp(address)?);
        tracing::info!(%address, "StatsD is received by UDP");
    }
    if let Some(path) = &config.statsd_socket {
        let refuse = |error: std::io::Error| Failure::Address {
            address: path.display().to_string(),
            source: error.into(),
        };
        sockets.push(service::datagram_socket(path).map_err(refuse)?);
        tracing::info!(path = %path.display(), "StatsD is received on a Unix socket");
    }
    if sockets.is_empty() {
        return Ok(None);
    }
    let (ingest, clock) = (Arc::clone(ingest), Arc::clone(clock));
    Statsd::start(config.statsd.clone(), host, sockets, ingest, clock)
        .map(Some)
        .context("cannot start the threads that receive StatsD")
}

fn udp(address: SocketAddr) -> anyhow::Result<Box<dyn Datagrams>> {
    super::refuse_foreign(address)?;
    let refuse = |error: std::io::Error| Failure::Address {
        address: format!("{address} (UDP)"),
        source: error.into(),
    };
    let socket = UdpSocket::bind(address).map_err(refuse)?;
    socket.set_read_timeout(Some(DATAGRAM_PATIENCE)).map_err(refuse)?;
    // With a smaller one more is lost in bursts; it works all the same.
    drop(socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES));
    Ok(Box::new(socket))
}
