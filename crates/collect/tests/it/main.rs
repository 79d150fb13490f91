//! What the crate does, through its public face.

mod reference;
