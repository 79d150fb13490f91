//! The wish to stop, for commands that wait without a runtime of their own.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context as _;

use crate::service;

const WHAT: &str = "cannot listen for the signal to stop";

/// Becomes true once, when Ctrl-C is pressed or the system asks the program to end.
#[derive(Debug)]
pub(crate) struct StopSignal(Receiver<()>);

impl StopSignal {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let (sender, receiver) = channel();
        let (ready, is_ready) = channel();
        let listen = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error))),
            };
            runtime.block_on(async {
                match service::stop_requested() {
                    Ok(stop) => {
                        drop(ready.send(Ok(())));
                        stop.await;
                        // Nobody may be waiting any more.
                        sender.send(()).unwrap_or_default();
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        };
        std::thread::Builder::new().name("signals".into()).spawn(listen).context(WHAT)?;
        is_ready.recv().context(WHAT)?.context(WHAT)?;
        Ok(Self(receiver))
    }

    /// Whether it is time to stop; asked again, it says so no more.
    pub(crate) fn is_given(&self) -> bool {
        self.0.try_recv().is_ok()
    }

    /// Waits; true if it is time to stop.
    pub(crate) fn within(&self, time: Duration) -> bool {
        match self.0.recv_timeout(time) {
            Ok(()) => true,
            // Without a sender nobody will ever say so, and the wait must not be cut short.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(time);
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
        }
    }
}
