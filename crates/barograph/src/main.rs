//! The command line of Barograph.

fn main() {}
