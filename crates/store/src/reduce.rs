//! Writes a file anew without the series whose time is over.

use std::sync::Arc;

use barograph_model::{Buckets, Labels};

use crate::blocks::Damage;
use crate::buckets;
use crate::columns::{self, ALL_TIMES, Columns};
use crate::error::SealError;
use crate::folder::FileKind;
use crate::output::{Manners, Output, remove};
use crate::partition::Partition;
use crate::sealed::Sealed;
use crate::source::{Readers, Source};
use crate::tiers::{Cover, Tier};

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduced {
    /// There are no series to leave out.
    AllKept,
    /// There are no others.
    NoneKept,
    Done,
    /// The store is being closed, or late samples came: another time.
    Stopped,
    /// There is damage in the file.
    LeftAlone,
}

/// The new file has the identity of the old one.
pub(crate) fn reduce(
    partition: &Partition,
    tier: Tier,
    covers: &[Cover],
    keeps: &dyn Fn(&Labels) -> bool,
    manners: Manners<'_>,
) -> Result<Reduced, SealError> {
    let sources = partition.sources().sources;
    let [Source::Sealed(sealed)] = &sources[..] else { return Ok(Reduced::LeftAlone) };
    let sealed = Arc::clone(sealed);
    if sealed.lost != crate::load::Lost::default() {
        return Ok(Reduced::LeftAlone);
    }
    let all = sources[0].select(&[]);
    let total = all.len();
    let kept: Vec<(u32, Labels)> = all.into_iter().filter(|(_, labels)| keeps(labels)).collect();
    match kept.len() {
        0 => return Ok(Reduced::NoneKept),
        kept if kept == total => return Ok(Reduced::AllKept),
        _ => {}
    }
    // Before anything is left out, so that nothing late comes between.
    if tier == Tier::Raw && !partition.settle_unless_live() {
        return Ok(Reduced::Stopped);
    }
    let merged = partition.kinds();
    let number = partition.next_number();
    let path = partition.path(FileKind::Unfinished(number));
    let work = Work { sealed: &sealed, sources: &sources, tier, kept, manners };
    let written = work.write(&path, covers);
    drop((sources, sealed));
    if !matches!(written, Ok(Reduced::Done)) {
        remove(&path)?;
        return written;
    }
    partition
        .replace(&merged, FileKind::Reduced(number))
        .map_err(|source| SealError::File { path, source })?;
    Ok(Reduced::Done)
}

struct Work<'a> {
    sealed: &'a Sealed,
    sources: &'a [Source],
    tier: Tier,
    kept: Vec<(u32, Labels)>,
    manners: Manners<'a>,
}

impl Work<'_> {
    fn write(&self, path: &std::path::Path, covers: &[Cover]) -> Result<Reduced, SealError> {
        let labels: Vec<Labels> = self.kept.iter().map(|(_, labels)| labels.clone()).collect();
        let meta = &self.sealed.meta;
        let mut output = Output::create(path, meta.span, Some(meta.uuid), &labels, self.manners)?;
        let mut readers = Readers::new(self.sources);
        let (mut samples, mut rolled_up) = (Columns::default(), Buckets::default());
        for (series, (id, labels)) in (0..).zip(&self.kept) {
            if self.manners.stopped() {
                return Ok(Reduced::Stopped);
            }
            let damage = if self.tier == Tier::Raw {
                columns::clear(&mut samples);
                let damage = readers.read((0, *id), labels, ALL_TIMES, &mut samples);
                columns::normalise(&mut samples);
                output.push(series, labels, &samples)?;
                damage
            } else {
                buckets::clear(&mut rolled_up);
                let damage = readers.read_buckets((0, *id), labels, ALL_TIMES, &mut rolled_up);
                output.push_buckets(series, labels, &rolled_up)?;
                damage
            };
            if damage != Damage::default() {
                return Ok(Reduced::LeftAlone);
            }
        }
        output.finish(covers)?;
        Ok(Reduced::Done)
    }
}
