//! The Rust tool chain: its parts, and the binaries that cargo makes of this repository.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::debian::{self, Later};
use crate::mingw::TARGET;
use crate::{place, process};

/// Runs rustup, which serves the tool chain that is active here.
pub(crate) fn rustup(arguments: &[&str]) -> Result<()> {
    println!("rustup {}", arguments.join(" "));
    process::read(process::command("rustup").args(arguments))?;
    Ok(())
}

/// Builds the release binary, which holds the page that is in web/dist, and returns its path.
pub(crate) fn release_binary() -> Result<PathBuf> {
    process::run(process::cargo().args(["build", "--release", "--package", "barograph"]))?;
    let binary = place::target().join("release").join(place::executable("barograph"));
    binary.canonicalize().with_context(|| format!("cargo made no {}", binary.display()))
}

/// Builds an example of a crate as it would be released, and returns its path.
pub(crate) fn release_example(package: &str, name: &str) -> Result<PathBuf> {
    let build = ["build", "--release", "--package", package, "--example", name];
    process::run(process::cargo().args(build))?;
    let program = place::target().join("release/examples").join(place::executable(name));
    program.canonicalize().with_context(|| format!("cargo made no {}", program.display()))
}

/// Lets cargo build for Windows.
pub(crate) fn for_windows(cargo: &mut Command) -> &mut Command {
    cargo.args(["--target", TARGET]);
    if !has_windows_library() {
        // From the library's sources, which only a compiler that takes itself for a nightly does.
        cargo.env("RUSTC_BOOTSTRAP", "1").args(["-Z", "build-std=std,panic_unwind,test"]);
    }
    cargo
}

/// Whether Rust's standard library for Windows is here, as it is or as sources.
pub(crate) fn has_windows_std() -> bool {
    has_windows_library()
        || library_sources().is_ok_and(|folder| folder.join("Cargo.lock").exists())
}

fn has_windows_library() -> bool {
    has_library(TARGET)
}

/// Rust's name for Windows with Microsoft's linker and C library. Without these, on another
/// system, crates are checked for it and not built.
pub(crate) const MSVC: &str = "x86_64-pc-windows-msvc";

pub(crate) fn has_msvc_std() -> bool {
    has_library(MSVC)
}

pub(crate) fn add_msvc_std() -> Result<()> {
    rustup(&["target", "add", MSVC])
}

fn has_library(target: &str) -> bool {
    let find = || -> Result<bool> {
        let mut rustc = process::command("rustc");
        let said = process::read(rustc.args(["--print", "target-libdir", "--target", target]))?;
        let mut files = fs::read_dir(said.trim())?.filter_map(Result::ok);
        Ok(files.any(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
    };
    find().unwrap_or(false)
}

/// Where cargo looks for the standard library's sources.
fn library_sources() -> Result<PathBuf> {
    let said = process::read(process::command("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(said.trim()).join("lib/rustlib/src/rust/library"))
}

/// Gets the library from rustup, or where that has none its sources from Debian.
pub(crate) fn add_windows_std() -> Result<()> {
    let Err(refusal) = rustup(&["target", "add", TARGET]) else { return Ok(()) };
    if !debian::here() {
        return Err(refusal);
    }
    println!("rustup has no library for Windows; getting its sources from Debian");
    add_library_sources().with_context(|| format!("{refusal:#}"))
}

fn add_library_sources() -> Result<()> {
    let said = process::read(process::command("rustc").arg("-vV"))?;
    let release = said.lines().find_map(|line| line.strip_prefix("release: "));
    let release = release.context("`rustc -vV` tells no release")?;
    let folder = place::target().join("xtask/rust-src");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let later = Later::prepare(&folder.join("apt"))?;
    // Sources of another release than the compiler's do not build.
    let Some(version) = later.version("rust-src", &format!("{release}+"))? else {
        bail!("Debian has no package rust-src {release}");
    };
    later.download(&[&format!("rust-src={version}")], &folder)?;
    let (package, _) = debian::downloaded(&folder, "rust-src")?;
    let unpacked = folder.join("unpacked");
    debian::unpack(&package, &unpacked)?;
    let library = unpacked.join(format!("usr/src/rustc-{release}/library"));
    let place = library_sources()?;
    fs::create_dir_all(&place).with_context(|| format!("cannot create {}", place.display()))?;
    // Debian's tree has links that lead out of it.
    process::read(process::command("cp").arg("-rL").arg(library.join(".")).arg(&place))?;
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
}
