//! The performance counters that Barograph knows, by the paths that Windows administrators use,
//! on both systems. Each is one [`Row`] of a table: from its formula come the value cooked from
//! two readings, the PromQL expression that gives the same on history, and the reference page.
//! A counter that only Windows tells is in the table with the reason why.

mod beyond;
mod cook;
mod find;
mod formula;
pub(crate) mod offer;
mod promql;
mod row;
mod session;
mod snapshot;

mod disk;
mod memory;
mod metrics;
mod network;
mod process;
mod processor;
mod sensors;
mod system;
mod tcp;

pub(crate) use cook::fits;
pub use cook::{Cooked, Missing, cook};
pub use find::{FindError, find};
pub use formula::{Clamp, Formula, Term, Value};
pub use metrics::{MetricReading, Metrics, UnknownMetric};
pub use offer::{Offer, offers};
pub use promql::History;
pub use row::{CounterKind, Instances, PdhType, Row, Total};
pub use session::{Reading, Session, SessionError};
pub use snapshot::{Reader, Snapshot};

/// The instance that stands for all together.
pub const TOTAL_INSTANCE: &str = "_Total";

/// All counters, object by object.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        processor::ROWS.as_slice(),
        memory::ROWS.as_slice(),
        disk::ROWS.as_slice(),
        network::ROWS.as_slice(),
        system::ROWS.as_slice(),
        sensors::ROWS.as_slice(),
        tcp::TCP_V4.as_slice(),
        tcp::TCP_V6.as_slice(),
        tcp::UDP_V4.as_slice(),
        tcp::UDP_V6.as_slice(),
        process::ROWS.as_slice(),
        process::ROWS_V2.as_slice(),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
