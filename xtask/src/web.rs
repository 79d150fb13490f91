//! Building the page: web/ into web/dist.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{node, place, process};

/// Builds web/dist, installing the page's packages first if they changed.
pub(crate) fn build() -> Result<()> {
    node::check()?;
    install()?;
    process::run(npm().args(["run", "--silent", "build"]))
}

/// `npm`, in web/.
pub(crate) fn npm() -> Command {
    let program = process::find("npm").unwrap_or_else(|| PathBuf::from("npm"));
    let mut command = process::command(program);
    command.current_dir(place::root().join("web")).env("NO_COLOR", "1");
    command
}

/// `npm ci`, unless it ran for this very lock file already.
pub(crate) fn install() -> Result<()> {
    let web = place::root().join("web");
    let lock_path = web.join("package-lock.json");
    let lock = fs::read_to_string(&lock_path)
        .with_context(|| format!("cannot read {}", lock_path.display()))?;
    let stamp_path = place::target().join("xtask/package-lock.installed.json");
    let modules = web.join("node_modules");
    if modules.is_dir() && fs::read_to_string(&stamp_path).is_ok_and(|stamp| stamp == lock) {
        return Ok(());
    }
    process::run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    if let Some(folder) = stamp_path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(&stamp_path, lock).with_context(|| format!("cannot write {}", stamp_path.display()))
}
