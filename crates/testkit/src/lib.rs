//! What the tests and benches of several crates share. Never part of a program that ships.
//!
//! [`FakeClock`] is a clock with hands to turn, [`Tree`] a recorded `/proc` and `/sys`, [`Recorder`] what records one, [`Disk`] a
//! disk that fails, [`Recording`] samples to measure with; [`peer_program`] and [`python`] find the
//! programs of others that ours is compared with.

mod clock;
mod disk;
mod peers;
mod recorder;
mod recording;
mod tree;

pub use clock::FakeClock;
pub use disk::Disk;
pub use peers::{left_out, peer_program, python};
pub use recorder::{Recorder, is_recorded};
pub use recording::{Recording, RecordingFile};
pub use tree::Tree;
