//! What the tests of several crates share. Never part of a program that ships.

mod clock;
mod disk;
mod recording;
mod tree;

pub use clock::FakeClock;
pub use disk::Disk;
pub use recording::Recording;
pub use tree::Tree;
