//! Writes what Barograph reads of this Linux machine at two moments a second apart, as a tar file,
//! to its standard output: for `cargo xtask record-tree`, and for machines without Rust, on which a
//! static build runs (`crates/collect/tests/trees/README.md`).

use std::io::{self, Write as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use barograph_collect::{Roots, statvfs_table};
use barograph_model::chain;
use barograph_testkit::Recorder;

/// Between the two moments.
const BETWEEN: Duration = Duration::from_secs(1);

fn main() -> io::Result<()> {
    let full = || statvfs_table(&Roots::default()).map_err(|it| io::Error::other(chain(&it)));
    let mut recorder = Recorder::new(io::BufWriter::new(io::stdout().lock()));
    let mut recorded = recorder.add_moment(Path::new("/"), "1", &full()?)?;
    thread::sleep(BETWEEN);
    recorded += recorder.add_moment(Path::new("/"), "2", &full()?)?;
    recorder.finish()?.flush()?;
    writeln!(io::stderr(), "{recorded} files")
}
