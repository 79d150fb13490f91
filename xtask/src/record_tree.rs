//! `cargo xtask record-tree`: what Barograph reads of a Linux machine, as a fixture for tests.
//!
//! The result is a tar file because names below /sys hold `:`, which a checkout on Windows refuses.

use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use barograph_testkit::Recorder;

use crate::{place, process};

/// Between the two moments that are recorded.
const BETWEEN: Duration = Duration::from_secs(1);

/// Records this machine at two moments into `crates/collect/tests/trees/NAME.tar`.
pub(crate) fn run(name: &str) -> Result<()> {
    if name.is_empty()
        || !name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_'))
    {
        bail!("`{name}` is no name for a tree: use letters, digits, `-`, `_` and `.`");
    }
    if !cfg!(target_os = "linux") {
        bail!("this reads /proc and /sys, so it needs Linux");
    }
    let statvfs = process::read(process::cargo().args([
        "run",
        "--quiet",
        "--package",
        "barograph-collect",
        "--example",
        "statvfs",
    ]))?;
    let folder = place::root().join("crates/collect/tests/trees");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(format!("{name}.tar"));
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut recorder = Recorder::new(file);
    let mut recorded = 0;
    for moment in ["1", "2"] {
        if moment == "2" {
            thread::sleep(BETWEEN);
        }
        recorded += recorder
            .add_moment(Path::new("/"), moment, &statvfs)
            .with_context(|| format!("cannot record into {}", path.display()))?;
    }
    recorder.finish().with_context(|| format!("cannot finish {}", path.display()))?;
    println!("{recorded} files in {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        let error = run("../x").unwrap_err().to_string();
        assert!(error.starts_with("`../x` is no name for a tree"), "{error}");
    }
}
