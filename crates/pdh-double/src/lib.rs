//! A `pdh.dll` for tests. What Windows' performance counters do by chance, such as an instance
//! set that grows between two calls, this library does whenever the counter's path asks for it.
//!
//! Wine's own library ends the process in most of its functions, so on a Linux machine this one
//! is also the only way to run the code that calls it. `src/script.rs` lists the counters.
//!
//! Its file is called `pdh_double`, not `pdh`: Windows prefers a library that lies beside the
//! program, and building this crate must not make every program of the folder load it.

#![cfg(windows)]
#![expect(clippy::disallowed_types, reason = "nothing but Windows' own below a loaded library")]

mod exports;
mod names;
mod registry;
mod script;
