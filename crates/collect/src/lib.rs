//! Reads this machine: performance counters and headline metrics, in one vocabulary for Linux and
//! Windows. Does not know who listens, runs no programs, keeps no history.
//!
//! Three layers per reading: [`parse`] makes sense of what the system says (pure, on every
//! system), `platform` asks it (the only OS-specific code), and a collector turns the
//! [`readings`] into samples.
//!
//! A [`Collector`] gives its samples to a [`Sink`]; [`registry`] lists all of them, and a
//! [`Runner`] lets each read once a tick. What a system lacks is [`Error::Absent`], and then there
//! is no sample. [`catalog`] gives counter paths their meaning; metrics are in base units (seconds,
//! bytes), except for the [`HEADLINE`] metrics, whose names say theirs. [`event`] and [`process`]
//! tell what is not a series.

pub mod catalog;
mod cgroup;
mod changeable;
mod collector;
pub mod connections;
mod container;
mod cpu;
mod cpu_details;
mod cpu_queues;
mod desc;
mod detail;
mod disk;
pub mod doctor;
mod error;
pub mod event;
mod file_systems;
mod filesystem;
mod gpu;
mod headline;
mod hwmon;
mod increase;
mod interrupts;
pub mod inventory;
mod kernel_limits;
mod kernel_objects;
mod load;
mod memory;
mod network;
mod network_protocols;
mod nfs;
mod own;
mod paging;
pub mod parse;
mod platform;
mod pressure;
pub mod process;
mod rate;
pub mod readings;
pub mod reference;
pub mod registry;
mod roots;
mod rows;
mod runner;
pub mod service;
mod setup;
mod socket_totals;
mod system;
mod system_counters;
mod system_objects;
pub mod talkers;
mod tcp_udp;
mod thermal;
mod user_counters;
mod volume;

use barograph_model::chain;

pub use changeable::Changeable;
pub use collector::{Collector, Sink};
pub use error::Error;
pub use file_systems::{FileSystems, FileSystemsError};
pub use headline::HEADLINE;
pub use readings::HostFacts;
pub use roots::Roots;
pub use rows::Rows;
pub use runner::{
    CollectorState, CollectorStatus, Runner, RunnerSettings, RunnerStatus, StartError,
};
pub use setup::Setup;
pub use system_counters::{CounterValue, SystemCounters};
pub use system_objects::{ObjectItems, Search, SystemCounter, SystemObject, SystemObjects};
pub use user_counters::{UserCounterError, UserCounters, counter_metric_name};

/// What hardly changes about the host. What cannot be read is absent.
pub fn host_facts(roots: &Roots) -> HostFacts {
    platform::host_facts(roots)
}

/// A table for [`Roots::statvfs`] of this machine as it is, for recording it.
///
/// # Errors
/// The list of mounts or a file system cannot be read, or this system has no `statvfs`.
pub fn statvfs_table(roots: &Roots) -> Result<String, Error> {
    platform::statvfs_table(roots)
}
