//! Accepts connections and ends them well.

mod http2;
mod read_on;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower_service::Service as _;

use crate::app::{App, Context};
use crate::http::{Peer, router};

use read_on::ReadOn;

/// Sockets of all kinds; each costs some ten kilobytes.
const MAX_CONNECTIONS: usize = 1024;
/// A request's head is small: who takes longer to send it is not a browser.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How long answers under way may take when the server stops.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// After an accept that failed (no more file handles, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Answers requests on `listener` until `stop` comes, then lets those under way finish.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let (stopping, told) = watch::channel(false);
    let live = Arc::clone(&app.limits.live);
    let max_live = app.limits.max_live;
    let context = Context { app, stopping: told };
    let routes = router(context.clone());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        if let Some(accepted) = accepted {
            connections.spawn(answer(accepted, routes.clone(), context.clone()));
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let all_ended = async {
        while connections.join_next().await.is_some() {}
        // Live connections have left the set: they end when all their places are free again.
        drop(live.acquire_many(u32::try_from(max_live).unwrap_or(u32::MAX)).await);
    };
    if tokio::time::timeout(STOP_PATIENCE, all_ended).await.is_err() {
        tracing::warn!("answers under way were cut off");
    }
}

/// Serves one connection to its end, or until it has answered its request when the server stops.
async fn answer(accepted: Accepted, routes: Router, mut context: Context) {
    let Accepted { socket, peer, place: _place } = accepted;
    if http2::is_spoken(&socket).await {
        return http2::answer(socket, peer, routes, context).await;
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (head, body) = request.into_parts();
        let body = ReadOn::new(body, &head.headers);
        // A router is a counted reference, and always ready.
        routes.clone().call(Request::from_parts(head, body))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    until_stopped(&mut context, connection, UpgradeableConnection::graceful_shutdown).await;
}

/// Serves to the end of the connection. When the server stops, what is under way is still answered.
async fn until_stopped<C: Future<Output = hyper::Result<()>>>(
    context: &mut Context,
    connection: C,
    shut_down: impl FnOnce(Pin<&mut C>),
) {
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = context.stopped() => {
            shut_down(connection.as_mut());
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = barograph_model::chain(&error), "connection ended");
    }
}

/// A connection with its place among all.
struct Accepted {
    socket: TcpStream,
    peer: Peer,
    place: OwnedSemaphorePermit,
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((socket, address)) => {
            // Small answers would wait for more otherwise; who cannot be told so is served slower.
            drop(socket.set_nodelay(true));
            Some(Accepted { socket, peer: Peer(address.ip().to_canonical()), place })
        }
        Err(error) => {
            tracing::warn!(error = %error, "connection not accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
