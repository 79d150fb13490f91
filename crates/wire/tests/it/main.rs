//! What the crate does, beside programs that others wrote.

#[cfg(test)]
mod text_oracle;
