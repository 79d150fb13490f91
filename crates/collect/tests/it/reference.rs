//! The reference pages say what the code says.

use std::path::Path;
use std::{fs, io};

use barograph_collect::reference;

/// Compares a page with its file, or writes the file with `UPDATE_DOCS=1`.
fn check(file: &str, page: &str) -> io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return fs::write(&path, page);
    }
    let found = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        found == page,
        "docs/reference/{file} is stale: run `UPDATE_DOCS=1 cargo test -p barograph-collect`"
    );
    Ok(())
}

#[test]
fn the_page_of_metrics_is_current() -> io::Result<()> {
    check("metrics.md", &reference::metrics())
}

#[test]
fn the_page_of_counters_is_current() -> io::Result<()> {
    check("counters.md", &reference::counters())
}
