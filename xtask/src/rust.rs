//! The Rust tool chain: its parts, and the binaries that cargo makes of this repository.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::mingw::TARGET;
use crate::{place, process};

/// Runs rustup, which serves the tool chain that is active here.
pub(crate) fn rustup(arguments: &[&str]) -> Result<()> {
    println!("rustup {}", arguments.join(" "));
    process::read(process::command("rustup").args(arguments))?;
    Ok(())
}

pub(crate) fn has_windows_std() -> bool {
    windows_libraries().is_ok_and(|folder| {
        fs::read_dir(folder).is_ok_and(|files| {
            files
                .filter_map(Result::ok)
                .any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
    })
}

fn windows_libraries() -> Result<PathBuf> {
    let mut rustc = process::command("rustc");
    let said = process::read(rustc.args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(PathBuf::from(said.trim()))
}

pub(crate) fn add_windows_std() -> Result<()> {
    rustup(&["target", "add", TARGET])
}

/// Builds the release binary, which holds the page that is in web/dist, and returns its path.
pub(crate) fn release_binary() -> Result<PathBuf> {
    process::run(process::cargo().args(["build", "--release", "--package", "barograph"]))?;
    let binary = place::target().join("release").join(place::executable("barograph"));
    binary.canonicalize().with_context(|| format!("cargo made no {}", binary.display()))
}
