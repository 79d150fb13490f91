//! The steps of `cargo xtask test`, in the order in which they run.

use std::process::Command;

use anyhow::{Context, Result};

use super::count::{self, Tally};
use super::second_try;
use crate::process;
use crate::tools::{
    self, C_COMPILER, CHROMIUM, CLIPPY, FAULTS, FUSE, MINGW, MSVC_STD, NODE, PROMETHEUS,
    PYTHON_CLIENTS, RUSTFMT, SENDERS, SYSTEMD, Tool, WINDOWS_STD, WINE_LIBRARIES,
};
use crate::wine::Wine;
use crate::{rust, tidy, web};

/// One thing that is tested.
#[derive(Debug)]
pub(super) struct Step {
    /// What `--only` calls it.
    pub name: &'static str,
    /// For people.
    pub purpose: &'static str,
    /// Whether `--quick` runs it.
    pub quick: bool,
    /// What it cannot do without.
    pub needs: &'static [&'static Tool],
    /// Tells how many tests passed and failed; an error is one failure.
    pub run: fn() -> Result<Tally>,
}

pub(super) static STEPS: &[Step] = &[
    step("fmt", "the code is formatted", &[&RUSTFMT], format),
    step("tidy", "the rules that the compiler does not know", &[], tidy::tally),
    step("web-build", "the page builds", &[&NODE], || done(web::build())),
    step("web-check", "the page's types and style", &[&NODE], web_check),
    step("web-test", "the page's unit tests", &[&NODE], web_test),
    step("clippy", "no warning on this system", &[&C_COMPILER, &CLIPPY], clippy),
    step(
        "clippy-windows",
        "no warning on Windows",
        &[&C_COMPILER, &CLIPPY, &MINGW, &WINDOWS_STD],
        clippy_windows,
    ),
    step("msvc", "what has no C in it compiles for Microsoft's tool chain", &[&MSVC_STD], msvc),
    step(
        "unit",
        "unit and integration tests",
        &[&C_COMPILER, &FAULTS, &FUSE, &PROMETHEUS, &PYTHON_CLIENTS, &SENDERS, &SYSTEMD],
        unit,
    ),
    step("doctest", "the examples in the documentation", &[&C_COMPILER], doctest),
    step("rustdoc", "the documentation has no broken link", &[&C_COMPILER], rustdoc),
    slow_step(
        "browser",
        "the page in Chromium",
        &[&C_COMPILER, &NODE, &CHROMIUM, &SYSTEMD],
        browser,
    ),
    slow_step(
        "wine",
        "the Windows tests",
        &[&C_COMPILER, &MINGW, &WINDOWS_STD, &WINE_LIBRARIES],
        wine,
    ),
];

const fn step(
    name: &'static str,
    purpose: &'static str,
    needs: &'static [&'static Tool],
    run: fn() -> Result<Tally>,
) -> Step {
    Step { name, purpose, quick: true, needs, run }
}

const fn slow_step(
    name: &'static str,
    purpose: &'static str,
    needs: &'static [&'static Tool],
    run: fn() -> Result<Tally>,
) -> Step {
    Step { quick: false, ..step(name, purpose, needs, run) }
}

/// A step without tests in it counts as one.
fn done(outcome: Result<()>) -> Result<Tally> {
    outcome.map(|()| Tally::new(1, 0))
}

fn format() -> Result<Tally> {
    done(process::run(process::cargo().args(["fmt", "--all", "--check"])))
}

fn clippy() -> Result<Tally> {
    done(process::run(clippy_command().args(["--", "--deny", "warnings"])))
}

fn clippy_windows() -> Result<Tally> {
    let mut command = clippy_command();
    done(process::run(rust::for_windows(&mut command).args(["--", "--deny", "warnings"])))
}

/// The others contain C (SQLite, zstd, ring), which wants Microsoft's compiler and headers.
const WITHOUT_C: &[&str] = &["model", "collect", "wire", "promql", "alerts", "pdh-double"];

fn msvc() -> Result<Tally> {
    let mut command = process::cargo();
    command.args(["check", "--quiet", "--target", rust::MSVC]);
    for name in WITHOUT_C {
        command.args(["--package", &format!("barograph-{name}")]);
    }
    done(process::run(&mut command))
}

fn clippy_command() -> Command {
    let mut command = process::cargo();
    command.args(["clippy", "--quiet", "--workspace", "--all-targets"]);
    command
}

fn unit() -> Result<Tally> {
    run_tests(tools::demand_peers(&mut test_command("default")))
}

/// The tests of the whole workspace, by nextest where it is installed.
fn test_command(profile: &str) -> Command {
    let mut command = process::cargo();
    if process::succeeds(process::cargo().args(["nextest", "--version"])) {
        command.args(["nextest", "run", "--profile", profile]);
    } else {
        command.arg("test");
    }
    // Examples are built by clippy.
    command.args(["--no-fail-fast", "--workspace", "--lib", "--bins", "--tests"]);
    command
}

fn doctest() -> Result<Tally> {
    let heard =
        process::listen(process::cargo().args(["test", "--quiet", "--workspace", "--doc"]))?;
    // A workspace may do without any.
    Ok(count::judge(&heard).unwrap_or_else(|| Tally::new(1, 0)))
}

fn rustdoc() -> Result<Tally> {
    let mut command = process::cargo();
    command.args(["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    // The documentation is for those who change the code: what is private has its place in it.
    let flags = "--deny warnings --allow rustdoc::private_intra_doc_links";
    done(process::run(command.env("RUSTDOCFLAGS", flags)))
}

fn web_check() -> Result<Tally> {
    web::install()?;
    done(process::run(web::npm().args(["run", "--silent", "check"])))
}

fn web_test() -> Result<Tally> {
    web::install()?;
    run_tests(web::npm().args(["test", "--silent"]))
}

fn browser() -> Result<Tally> {
    web::build()?;
    let binary = rust::release_binary()?;
    let chromium = tools::chromium().context("Chromium is gone")?;
    let run = |files: &[String]| {
        let mut command = web::browser_tests(files);
        command.env("BAROGRAPH_BIN", &binary).env("BAROGRAPH_CHROMIUM", &chromium);
        process::listen(&mut command)
    };
    let first = run(&[])?;
    let failed: Vec<_> = second_try::failed_files(&first.text).into_iter().collect();
    let tally = if failed.is_empty() {
        count::judge(&first)
    } else {
        println!("once more, what failed: {}", failed.join(", "));
        second_try::of_both(&first, &run(&failed)?)
    };
    tally.context(TOLD_OF_NONE)
}

fn wine() -> Result<Tally> {
    let wine = Wine::ready()?;
    // Some tests load this DLL from beside themselves; no test depends on it as a crate.
    let mut double = process::cargo();
    double.args(["build", "--quiet", "--package", "barograph-pdh-double"]);
    process::run(rust::for_windows(&mut double))?;

    let _server = wine.start_server()?;
    let mut tests = test_command("wine");
    tests.args(["--exclude", "xtask"]);
    tests.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", wine.runner());
    run_tests(rust::for_windows(&mut tests))
}

fn run_tests(command: &mut Command) -> Result<Tally> {
    count::judge(&process::listen(command)?).context(TOLD_OF_NONE)
}

const TOLD_OF_NONE: &str = "the runner ended well but told of no test";
