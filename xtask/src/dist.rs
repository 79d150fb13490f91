//! `cargo xtask dist`: what is shipped, for both systems, in target/dist.

use std::fs;

use anyhow::{Context, Result};

use crate::mingw::TARGET;
use crate::tools::{self, C_COMPILER, MINGW, WINDOWS_STD};
use crate::{node, place, process, rust, web};

pub(crate) fn run() -> Result<()> {
    node::check()?;
    tools::require(&[&C_COMPILER, &MINGW, &WINDOWS_STD])?;
    web::build()?;
    let build = ["build", "--profile", "dist", "--package", "barograph"];
    process::run(process::cargo().args(build))?;
    process::run(rust::for_windows(process::cargo().args(build)))?;

    let target = place::target();
    // Cargo has put the host's own binary into the profile's folder, which has this name.
    let dist = target.join("dist");
    let windows = target.join(TARGET).join("dist/barograph.exe");
    fs::copy(&windows, dist.join("barograph.exe"))
        .with_context(|| format!("cannot copy {}", windows.display()))?;
    for name in ["barograph", "barograph.exe"] {
        let path = dist.join(name);
        let size = fs::metadata(&path).with_context(|| format!("no {}", path.display()))?.len();
        println!("{:>12} bytes  {}", size, path.display());
    }
    Ok(())
}
