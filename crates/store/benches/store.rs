//! Filled below.

fn main() {}
