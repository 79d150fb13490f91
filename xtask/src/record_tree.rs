//! `cargo xtask record-tree`: what Barograph reads of a Linux machine, as a fixture for tests.
//!
//! The result is a tar file because names below /sys hold `:`, which a checkout on Windows refuses.

use std::fs::{self, File};

use anyhow::{Context, Result, bail};

use crate::{place, process};

/// What writes the recording; built static, it is carried to machines without Rust.
const RECORDER: &[&str] =
    &["run", "--quiet", "--package", "barograph-collect", "--example", "record_tree"];

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
    let folder = place::root().join("crates/collect/tests/trees");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(format!("{name}.tar"));
    // A recorder that fails leaves the recording that was there.
    let new = folder.join(format!("{name}.tar.new"));
    let file = File::create(&new).with_context(|| format!("cannot create {}", new.display()))?;
    process::run(process::cargo().args(RECORDER).stdout(file))?;
    fs::rename(&new, &path).with_context(|| format!("cannot write {}", path.display()))?;
    println!("recorded into {}", path.display());
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
