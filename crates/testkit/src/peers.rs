//! Other programs of the field, to compare with.
//!
//! Without one a test says so and is left out, but not in `cargo xtask test`, which installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program for Windows does not meet one of Linux, not even under Wine.
const ON_WINDOWS: bool = matches!(std::env::consts::OS.as_bytes(), b"windows");

/// A program of this name, for instance `promtool`.
///
/// # Panics
/// It is demanded and not there.
pub fn peer_program(name: &str) -> Option<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    command(name, found)
}

/// Says that a test is left out for lack of a program.
///
/// # Panics
/// It is demanded.
#[expect(clippy::print_stderr, reason = "who runs the tests is told")]
pub fn left_out(name: &str) {
    assert!(std::env::var_os("BAROGRAPH_PEERS").is_none(), "{name} is not installed");
    eprintln!("left out: {name} is not installed (`cargo xtask test` does that)");
}

/// Python with the clients that the tests need.
///
/// # Panics
/// It is demanded and not there.
pub fn python() -> Option<Command> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin/python");
    let named = std::env::var_os("BAROGRAPH_PYTHON").map(PathBuf::from);
    command("Python with clients", named.or(Some(installed)).filter(|file| file.is_file()))
}

#[expect(clippy::disallowed_methods, reason = "tests start programs")]
#[expect(clippy::print_stderr, reason = "who runs the tests is told")]
fn command(name: &str, found: Option<PathBuf>) -> Option<Command> {
    if ON_WINDOWS {
        eprintln!("left out: {name} is tested with on Linux");
        return None;
    }
    if found.is_none() {
        left_out(name);
    }
    found.map(Command::new)
}
