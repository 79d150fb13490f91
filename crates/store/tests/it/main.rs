//! The store as its users see it.

#[cfg(test)]
mod basics;
