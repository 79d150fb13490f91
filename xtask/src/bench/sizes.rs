//! How large the pieces are that people download.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::place;

pub(super) fn print(binary: &Path) -> Result<()> {
    let bytes = fs::metadata(binary).with_context(|| format!("no {}", binary.display()))?.len();
    println!("sizes:");
    println!("  release binary, with the page and line tables   {:.1} MiB", bytes as f64 / MIB);
    let assets = place::root().join("web/dist/assets");
    for (what, ending) in [("scripts", ".js.gz"), ("styles", ".css.gz"), ("font", ".woff2")] {
        println!("  {what:<8} {:>6.1} KiB", total(&assets, ending)? / KIB);
    }
    Ok(())
}

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;

/// Of the files as they are sent.
fn total(folder: &Path, ending: &str) -> Result<f64> {
    let mut bytes = 0;
    for file in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let file = file?;
        if file.file_name().to_string_lossy().ends_with(ending) {
            bytes += file.metadata()?.len();
        }
    }
    Ok(bytes as f64)
}
