//! Rewrites the files of a partition that is over into one, its final form: series in order of
//! their labels, chunks as long as they may be, at the codec's best.
//!
//! The new file is written beside the old ones and renamed when it is complete and on disk;
//! a kill before that leaves an unfinished file that the next start removes. Damaged files are
//! left as they are: what can be read of them is read, and nothing of them is thrown away until
//! their samples expire.

use std::collections::BTreeMap;
use std::path::Path;

use barograph_model::Labels;

use crate::blocks::Damage;
use crate::columns::{self, ALL_TIMES, Columns};
use crate::error::SealError;
use crate::folder::FileKind;
use crate::output::{Manners, Output, remove};
use crate::partition::Partition;
use crate::source::{Readers, Source};

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rewritten {
    Done,
    /// The store is being closed.
    Stopped,
    /// There is damage in the files.
    LeftAlone,
}

pub(crate) fn rewrite(
    partition: &Partition,
    merged: &[FileKind],
    takes_damaged: bool,
    manners: Manners<'_>,
) -> Result<Rewritten, SealError> {
    let found = partition.sources();
    // Files closed since then are not among the merged ones, and a live one never is.
    let sources: Vec<Source> = found
        .sources
        .into_iter()
        .filter(|source| matches!(source, Source::Sealed(_)))
        .take(merged.len())
        .collect();
    let intact = sources.iter().all(|source| source.lost() == crate::load::Lost::default());
    let is_whole = found.errors.is_empty() && intact && sources.len() == merged.len();
    if !is_whole && !takes_damaged {
        return Ok(Rewritten::LeftAlone);
    }
    let number = partition.next_number();
    let path = partition.path(FileKind::Unfinished(number));
    let written = write(&path, partition, &sources, takes_damaged, manners);
    drop(sources);
    if !matches!(written, Ok(Rewritten::Done)) {
        remove(&path)?;
        return written;
    }
    partition
        .replace(merged, FileKind::Final(number))
        .map_err(|source| SealError::File { path, source })?;
    Ok(Rewritten::Done)
}

/// Where series are in several files.
pub(crate) type Places = BTreeMap<Labels, Vec<(usize, u32)>>;

pub(crate) fn places(sources: &[Source]) -> Places {
    let mut places = Places::new();
    for (index, source) in sources.iter().enumerate() {
        for (id, labels) in source.select(&[]) {
            places.entry(labels).or_default().push((index, id));
        }
    }
    places
}

fn write(
    path: &Path,
    partition: &Partition,
    sources: &[Source],
    takes_damaged: bool,
    manners: Manners<'_>,
) -> Result<Rewritten, SealError> {
    let places = places(sources);
    let labels: Vec<Labels> = places.keys().cloned().collect();
    let mut output = Output::create(path, partition.span, None, &labels, manners)?;
    let mut readers = Readers::new(sources);
    let mut columns = Columns::default();
    for (series, (labels, places)) in (0..).zip(&places) {
        if manners.stopped() {
            return Ok(Rewritten::Stopped);
        }
        columns::clear(&mut columns);
        for place in places {
            let damage = readers.read(*place, labels, ALL_TIMES, &mut columns);
            if damage != Damage::default() && !takes_damaged {
                return Ok(Rewritten::LeftAlone);
            }
        }
        columns::normalise(&mut columns);
        output.push(series, labels, &columns)?;
    }
    output.finish(&[])?;
    Ok(Rewritten::Done)
}
