//! What the tests of several crates share. Never part of a program that ships.

mod clock;
mod disk;
mod peers;
mod recording;
mod tree;

pub use clock::FakeClock;
pub use disk::Disk;
pub use peers::{peer_program, python};
pub use recording::{Recording, RecordingFile};
pub use tree::Tree;
