//! Reads this machine: performance counters and headline metrics, in one vocabulary for Linux and
//! Windows. Does not know who listens, runs no programs, keeps no history.
//!
//! Three layers per reading: [`parse`] makes sense of what the system says (pure, on every
//! system), `platform` asks it (the only OS-specific code), and a collector turns the
//! [`readings`] into samples.

mod error;
pub mod parse;
mod platform;
pub mod readings;
mod roots;
mod rows;

pub use error::{Error, chain};
pub use readings::HostFacts;
pub use roots::Roots;
pub use rows::Rows;

/// What hardly changes about the host. What cannot be read is absent.
pub fn host_facts(roots: &Roots) -> HostFacts {
    platform::host_facts(roots)
}
