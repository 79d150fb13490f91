//! HTTP/2 without TLS, for senders that speak gRPC. They begin with its preface at once.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower_service::Service as _;

use super::{HEAD_PATIENCE, MAX_HEAD_BYTES, until_stopped};
use crate::app::Context;
use crate::http::Peer;

/// With this the preface begins, and no request of HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// Requests at once on one connection: a sender has one or two under way.
const MAX_STREAMS: u32 = 16;
/// Whether the other side is still there.
const ALIVE_EVERY: Duration = Duration::from_secs(30);
/// Of a body that nobody reads yet.
const WINDOW_BYTES: u32 = 256 * 1024;

/// Whether the connection begins with HTTP/2's preface; nothing is taken from it.
pub(super) async fn is_spoken(socket: &TcpStream) -> bool {
    const PAUSE: Duration = Duration::from_millis(5);
    let mut start = [0; PREFACE.len()];
    let look = async {
        loop {
            let count = socket.peek(&mut start).await.unwrap_or(0);
            let seen = start.get(..count).unwrap_or_default();
            if count == 0 || !PREFACE.starts_with(seen) {
                return false;
            }
            if count == PREFACE.len() {
                return true;
            }
            // The rest is under way; what is there already would be seen again at once.
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(HEAD_PATIENCE, look).await.unwrap_or(false)
}

/// Serves one connection, as its counterpart for HTTP/1 does.
pub(super) async fn answer(socket: TcpStream, peer: Peer, routes: Router, mut context: Context) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let authority = request.uri().authority();
        let host = authority.and_then(|it| HeaderValue::from_str(it.as_str()).ok());
        // What is checked further on is HTTP/1's header of the same meaning.
        if let Some(host) = host {
            request.headers_mut().insert(header::HOST, host);
        }
        routes.clone().call(request)
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(ALIVE_EVERY)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .serve_connection(TokioIo::new(socket), service);
    until_stopped(&mut context, connection, http2::Connection::graceful_shutdown).await;
}
