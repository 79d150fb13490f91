//! Checks every checksum in a data folder, while a server may work in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barograph_model::Buckets;

use crate::buckets;
use crate::columns::{self, ALL_TIMES, Columns};
use crate::error::OpenError;
use crate::folder::{FileKind, Folder};
use crate::partition::Partition;
use crate::records;
use crate::rollup::KEPT_ASIDE;
use crate::sealed::Sealed;
use crate::source::{Readers, Source};
use crate::tiers::{ASIDE, Tier};

/// What was found in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// In the data folder.
    pub path: PathBuf,
    pub bytes: u64,
    /// Samples, buckets, or records of a log, that were read and are sound.
    pub sound: u64,
    /// Empty when all is well.
    pub problems: Vec<String>,
}

/// Reads all of `dir` and hands on what was found file by file, with how many files there are.
///
/// # Errors
/// The folder is not a store's, or cannot be listed.
pub fn verify(dir: &Path, act: &mut dyn FnMut(Checked, usize)) -> Result<(), OpenError> {
    let folder = Folder::look(dir)?;
    let (files, foreign) = folder.files()?;
    let logs = records::day_files(dir)?;
    let files: Vec<_> =
        files.into_iter().filter(|f| !matches!(f.kind, FileKind::Unfinished(_))).collect();
    let rolled_up = tier_files(&folder);
    let total = files.len() + rolled_up.len() + foreign.len() + logs.len();
    let mut report = |path: PathBuf, found: Found| {
        let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        let path = path.strip_prefix(dir).map(Path::to_owned).unwrap_or(path);
        let Found { sound, problems } = found;
        act(Checked { path, bytes, sound, problems }, total);
    };
    for file in files {
        let path = Partition::new(file.span, folder.raw()).path(file.kind);
        let found = check_partition_file(&path, Tier::Raw);
        if found.problems.is_empty() || path.exists() {
            report(path, found);
        }
        // Otherwise it was closed or merged meanwhile; it was listed with its name of before.
    }
    for (tier, path) in rolled_up {
        let found = check_partition_file(&path, tier);
        if found.problems.is_empty() || path.exists() {
            report(path, found);
        }
    }
    for path in foreign {
        report(path, Found::problem("it is no file of the store".to_owned()));
    }
    for path in logs {
        let found = match records::check_day(&path) {
            Ok((sound, 0)) => Found { sound, problems: Vec::new() },
            Ok((sound, damaged)) => {
                Found { sound, problems: vec![format!("{damaged} records are damaged")] }
            }
            Err(error) => Found::problem(barograph_model::chain(&error)),
        };
        report(path, found);
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Found {
    sound: u64,
    problems: Vec<String>,
}

impl Found {
    fn problem(problem: String) -> Self {
        Self { sound: 0, problems: vec![problem] }
    }
}

/// The files of the other tiers.
fn tier_files(folder: &Folder) -> Vec<(Tier, PathBuf)> {
    let mut found = Vec::new();
    for tier in Tier::ROLLED_UP {
        let entries = std::fs::read_dir(folder.tier(tier)).into_iter().flatten();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_whole = |path: &PathBuf| {
            let path = path.to_string_lossy();
            [".final.db", ".reduced.db", ASIDE].iter().any(|end| path.ends_with(end))
        };
        found.extend(paths.filter(is_whole).map(|path| (tier, path)));
    }
    found.sort();
    found
}

fn check_partition_file(path: &Path, tier: Tier) -> Found {
    if path.to_string_lossy().ends_with(ASIDE) {
        return Found::problem(KEPT_ASIDE.to_owned());
    }
    let sealed = match Sealed::open(path.to_owned()) {
        Ok(sealed) => Arc::new(sealed),
        Err(error) => return Found::problem(barograph_model::chain(&error)),
    };
    let mut found = Found::default();
    let structure = sealed.database.reader().and_then(|connection| {
        let answer = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        answer.map_err(|source| OpenError::Database { path: path.to_owned(), source })
    });
    match structure {
        Ok::<String, _>(answer) if answer == "ok" => {}
        Ok(answer) => found.problems.push(format!("SQLite finds: {}", answer.replace('\n', "; "))),
        Err(error) => found.problems.push(barograph_model::chain(&error)),
    }
    let sources = [Source::Sealed(sealed)];
    found.problems.extend(sources[0].lost().problems());
    let mut readers = Readers::new(&sources);
    let (mut columns, mut rolled_up) = (Columns::default(), Buckets::default());
    if tier != Tier::Raw
        && let Err(error) = Sealed::covers(path.to_owned())
    {
        found.problems.push(barograph_model::chain(&error));
    }
    let (mut chunks, mut blocks) = (0, BTreeSet::new());
    for (id, labels) in sources[0].select(&[]) {
        columns::clear(&mut columns);
        let damage = if tier == Tier::Raw {
            let damage = readers.read((0, id), &labels, ALL_TIMES, &mut columns);
            columns::normalise(&mut columns);
            found.sound += columns.times.len() as u64;
            damage
        } else {
            buckets::clear(&mut rolled_up);
            let damage = readers.read_buckets((0, id), &labels, ALL_TIMES, &mut rolled_up);
            found.sound += rolled_up.count.len() as u64;
            damage
        };
        chunks += damage.chunks;
        blocks.extend(damage.blocks);
    }
    if chunks > 0 || !blocks.is_empty() {
        let blocks = blocks.len();
        found.problems.push(format!("damaged: {chunks} chunks, {blocks} blocks"));
    }
    found
}
