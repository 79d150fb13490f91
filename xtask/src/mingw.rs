//! The C compiler and linker for Windows programs, on a Linux machine.

use crate::process;

/// Rust's name for the Windows that we build for.
pub(crate) const TARGET: &str = "x86_64-pc-windows-gnu";

/// The win32 flavour is enough: Rust brings its own threads.
pub(crate) const PACKAGES: &[&str] =
    &["gcc-mingw-w64-x86-64-win32", "mingw-w64-x86-64-dev", "binutils-mingw-w64-x86-64"];

pub(crate) fn present() -> bool {
    ["x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-ar", "x86_64-w64-mingw32-strip"]
        .into_iter()
        .all(|program| process::find(program).is_some())
}
