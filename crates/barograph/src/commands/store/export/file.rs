//! The file that is written.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::failure::Failure;

/// As many links the system follows, too.
const MAX_LINKS: usize = 40;

/// A regular file has its name only when it is complete; a device or a pipe is written to as it is.
pub(super) fn write(
    path: &Path,
    force: bool,
    write: impl FnOnce(&mut (dyn Write + Send)) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let path = &followed(path);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(Failure::Input(format!("{} is a folder", path.display())).into())
        }
        Ok(found) if !found.is_file() => write_into(path, write),
        Ok(_) if !force => {
            let problem = format!("{} is there already; --force writes it anew", path.display());
            Err(Failure::Input(problem).into())
        }
        _ => write_anew(path, write),
    }
}

/// Where links lead to, also when nothing is there yet.
fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(to) = fs::read_link(&path) else { break };
        path = path.parent().map(|folder| folder.join(&to)).unwrap_or(to);
    }
    path
}

fn write_into(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let file = File::options().write(true).open(path).with_context(cannot)?;
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush().with_context(cannot)
}

fn write_anew(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let outcome = (|| {
        let file = File::create(&part).context(format!("cannot create {}", part.display()))?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error);
        let synced = file.and_then(|file| file.sync_all());
        synced.with_context(|| format!("cannot write {}", part.display()))?;
        fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
    })();
    if outcome.is_err() {
        // There may be none.
        drop(fs::remove_file(&part));
    }
    outcome
}
