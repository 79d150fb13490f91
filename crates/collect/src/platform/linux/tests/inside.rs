//! A test of this program run once more where it has a part of the system for itself.

use std::process::Command;

/// Set for that run.
const INSIDE: &str = "BAROGRAPH_TEST_INSIDE";

pub(super) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs a test, named with its module, by a program that enters namespaces and then becomes the
/// program that its last arguments name.
#[track_caller]
pub(super) fn run_inside(enter: &str, arguments: &[&str], test: &str) {
    let (_, test) = test.split_once("::").unwrap();
    #[expect(clippy::disallowed_methods, reason = "enters namespaces")]
    let output = Command::new(enter)
        .args(arguments)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{complaint}");
}
