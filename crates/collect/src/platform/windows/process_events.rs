//! Starts and ends of processes as they happen.

use super::failure;
use crate::{Error, Setup};

/// The kernel's trace of processes is not listened to: it takes a session of its own, and an
/// administrator.
#[derive(Debug)]
pub(crate) struct ProcessListener;

impl ProcessListener {
    pub(crate) fn start(_: &Setup) -> Result<Self, Error> {
        Err(failure::absent(
            "trace of processes",
            "starts and ends are found by comparing two lists on Windows",
        ))
    }

    #[expect(clippy::unused_self, reason = "every system's listeners have the same form")]
    pub(crate) fn failure(&self) -> Option<String> {
        None
    }
}
