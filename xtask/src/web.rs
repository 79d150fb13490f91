//! Building the page: web/ into web/dist.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::{node, place, process};

/// Builds web/dist, installing the page's packages first if they changed.
///
/// A page that is newer than all that it is made of stays: the server, which embeds it, need not
/// be built again either.
pub(crate) fn build() -> Result<()> {
    node::check()?;
    install()?;
    let web = place::root().join("web");
    let stamp = place::target().join("xtask/page.built");
    if web.join("dist/index.html").exists() && is_newer(&stamp, &web)? {
        return Ok(());
    }
    // Taken before the build, so that what changes meanwhile counts as newer.
    let started = format!("{}.started", stamp.display());
    write(Path::new(&started), "")?;
    process::run(npm().args(["run", "--silent", "build"]))?;
    fs::rename(&started, &stamp).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Whether `stamp` exists and nothing that the page is made of was changed after it.
fn is_newer(stamp: &Path, web: &Path) -> Result<bool> {
    let Ok(built) = fs::metadata(stamp).and_then(|it| it.modified()) else { return Ok(false) };
    Ok(changed(web)? < built)
}

/// When anything below `folder` was changed last; a folder changes when a file comes or goes.
fn changed(folder: &Path) -> Result<SystemTime> {
    /// Not what the page is made of.
    const OTHER: &[&str] = &["node_modules", "dist", "tests"];
    let unreadable = || format!("cannot look at {}", folder.display());
    let mut last = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        if OTHER.iter().any(|other| entry.file_name() == *other) {
            continue;
        }
        let metadata = entry.metadata().with_context(unreadable)?;
        last = last.max(metadata.modified().with_context(unreadable)?);
        if metadata.is_dir() {
            last = last.max(changed(&entry.path())?);
        }
    }
    Ok(last)
}

/// `npm`, in web/.
pub(crate) fn npm() -> Command {
    let program = process::find("npm").unwrap_or_else(|| PathBuf::from("npm"));
    let mut command = process::command(program);
    command.current_dir(place::root().join("web")).env("NO_COLOR", "1");
    command
}

/// The tests in a browser, all or those of these files.
pub(crate) fn browser_tests(files: &[String]) -> Command {
    let mut command = npm();
    command.args(["run", "--silent"]);
    if files.is_empty() {
        command.arg("test:browser");
    } else {
        command.args(["test:files", "--"]).args(files);
    }
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
    write(&stamp_path, &lock)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_page_is_newer_until_something_that_it_is_made_of_changes() {
        let folder = std::env::temp_dir().join(format!("xtask-web-{}", std::process::id()));
        let (source, test) = (folder.join("src/deep/a.ts"), folder.join("tests/b.mjs"));
        let stamp = folder.join("dist/stamp");
        for file in [&source, &test, &stamp] {
            write(file, "").unwrap();
        }
        let later = |file: &Path, seconds: u64| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(5_000_000_000 + seconds);
            fs::File::options().append(true).open(file).unwrap().set_modified(time).unwrap();
        };
        let newer = || is_newer(&stamp, &folder).unwrap();
        later(&stamp, 1);
        assert!(newer());
        later(&test, 2);
        assert!(newer());
        later(&source, 2);
        assert!(!newer());
        assert!(!is_newer(&folder.join("none"), &folder).unwrap());
        fs::remove_dir_all(&folder).unwrap();
    }
}
