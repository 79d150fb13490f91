//! Processes: each one with what it is and what it uses, read in one pass over all.
//!
//! A process is a number and its start time ([`ProcessId`]). What it used is measured between two
//! passes; the whole list is handed over as a [`ProcessSnapshot`], and only watched names become
//! series: a thousand processes would be ten thousand of them.

mod collector;
mod counter;
pub mod events;
mod group;
mod latest;
mod live;
mod reading;
mod snapshot;
mod table;
mod watch;

pub(crate) use collector::ProcessCollector;
pub(crate) use counter::CountedProcess;
pub use counter::ProcessCounter;
pub use latest::{EventSource, LatestProcesses};
pub use live::LiveProcesses;
pub use reading::{Extras, Facts, IoTotals, ProcessId, ProcessState, Vitals};
pub use snapshot::{Process, ProcessSnapshot, ProcessSort};
pub use watch::{Watch, WatchError};
