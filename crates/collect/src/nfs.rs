//! Shares of other machines that are mounted over NFS.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::counter;
use crate::platform::NfsReader;
use crate::readings::NfsMount;
use crate::{Collector, Error, Roots, Sink};

macro_rules! totals {
    ($labels:expr; $($desc:ident $name:literal $unit:ident $help:literal;)*) => {
        $(static $desc: Desc = counter($name, Unit::$unit, $labels, $help);)*
    };
}

totals! { &[];
    CALLS "nfs_client_calls_total" Count "Calls to servers, of all shares together.";
    RETRANSMISSIONS "nfs_client_retransmissions_total" Count
        "Calls that were sent again because no answer came, of all shares together.";
    REFRESHES "nfs_client_authentication_refreshes_total" Count
        "Renewals of what proves a caller's identity.";
}

totals! { &["mount"];
    READ_BYTES "nfs_mount_read_bytes_total" Bytes
        "Bytes that came from a share's server; what the cache answered is not in it.";
    WRITTEN_BYTES "nfs_mount_written_bytes_total" Bytes "Bytes that went to a share's server.";
}

totals! { &["mount", "operation"];
    OPERATIONS "nfs_mount_operations_total" Count
        "Calls to a share's server: `read`, `write`, or any `other`.";
    SENT_AGAIN "nfs_mount_retransmissions_total" Count
        "Calls to a share's server that were sent again because no answer came.";
    TIMEOUTS "nfs_mount_timeouts_total" Count
        "Waits for a share's server that were given up, each after several transmissions.";
    ROUND_TRIP "nfs_mount_round_trip_seconds_total" Seconds
        "Time from the sending of calls to their answers, summed over the calls.";
    EXECUTION "nfs_mount_execution_seconds_total" Seconds
        "Time that calls took in all, with waiting here, summed over the calls.";
}

static DESCS: [&Desc; 10] = [
    &CALLS,
    &RETRANSMISSIONS,
    &REFRESHES,
    &READ_BYTES,
    &WRITTEN_BYTES,
    &OPERATIONS,
    &SENT_AGAIN,
    &TIMEOUTS,
    &ROUND_TRIP,
    &EXECUTION,
];

/// Emits the [`crate::readings::NfsClient`].
#[derive(Debug)]
pub(crate) struct NfsCollector(NfsReader);

impl NfsCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(NfsReader::new(roots))
    }
}

impl Collector for NfsCollector {
    fn name(&self) -> &'static str {
        "nfs"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let client = self.0.read()?;
        if let Some(rpc) = client.rpc {
            out.push(&CALLS, &[], rpc.calls as f64);
            out.push(&RETRANSMISSIONS, &[], rpc.retransmissions as f64);
            out.push(&REFRESHES, &[], rpc.authentication_refreshes as f64);
        }
        for mount in &client.mounts {
            push_mount(mount, out);
        }
        Ok(())
    }
}

fn push_mount(mount: &NfsMount, out: &mut dyn Sink) {
    let labels = [mount.mount_point.as_str()];
    out.push_some(&READ_BYTES, &labels, mount.read_bytes.map(|bytes| bytes as f64));
    out.push_some(&WRITTEN_BYTES, &labels, mount.written_bytes.map(|bytes| bytes as f64));
    for (word, calls) in NfsMount::OPERATIONS.into_iter().zip(&mount.operations) {
        let labels = [mount.mount_point.as_str(), word];
        let again = calls.transmissions.saturating_sub(calls.count);
        out.push(&OPERATIONS, &labels, calls.count as f64);
        out.push(&SENT_AGAIN, &labels, again as f64);
        out.push(&TIMEOUTS, &labels, calls.timeouts as f64);
        out.push(&ROUND_TRIP, &labels, calls.round_trip_seconds);
        out.push(&EXECUTION, &labels, calls.execution_seconds);
    }
}
