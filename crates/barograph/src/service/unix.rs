//! Signals.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Listens for Ctrl-C, SIGTERM and a closing terminal from now on; the future is ready at the first.
///
/// # Errors
/// The system refuses to install a handler.
pub(crate) fn stop_requested() -> io::Result<impl Future<Output = &'static str>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "interrupt",
            _ = terminate.recv() => "terminate",
            _ = hangup.recv() => "hangup",
        }
    })
}
