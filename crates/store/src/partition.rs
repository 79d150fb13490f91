//! A partition: its live file, if it is written to, and the files that are not any more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tracing_mutex::stdsync::Mutex;

use crate::db::is_corruption;
use crate::error::OpenError;
use crate::folder::{FileKind, PartitionFile, is_in_use, sync_dir};
use crate::live::{Live, Opening};
use crate::room::Patience;
use crate::sealed::Sealed;
use crate::sequence;
use crate::source::Source;
use crate::span::Span;
use crate::sync::lock;
use crate::tiers::ASIDE;

#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) span: Span,
    dir: PathBuf,
    /// Locked before `sealed`, and never while something is read: the writer waits for it.
    live: Mutex<Option<Arc<Live>>>,
    sealed: Mutex<SealedFiles>,
    /// Samples of it have expired, so it takes no more: what came late would be all that there
    /// is, and take the place of the buckets. Set while `live` is locked.
    settled: AtomicBool,
}

#[derive(Debug, Default)]
struct SealedFiles {
    /// In the order in which they were closed: what is later wins.
    files: Vec<SealedFile>,
    /// There is damage in them: they stay as they are.
    left_alone: bool,
    /// Files that do not count any more and could not be removed yet.
    replaced: Vec<(FileKind, Weak<Sealed>)>,
}

impl SealedFiles {
    fn add(&mut self, kind: FileKind) {
        let (opened, known, facts, problem) = (None, Weak::new(), None, None);
        self.files.push(SealedFile { kind, opened, known, facts, problem, passed_ages: 0 });
        self.files.sort_by_key(|file| number(file.kind));
    }

    /// Files that do not count any more wait for their removal.
    fn retire(&mut self, files: Vec<SealedFile>) {
        for file in files {
            if let Some(sealed) = file.known.upgrade() {
                sealed.replace();
            }
            self.replaced.push((file.kind, file.known));
        }
    }

    fn next_number(&self) -> u32 {
        self.files.iter().map(|file| number(file.kind)).max().unwrap_or(0) + 1
    }
}

/// A file that is not written to any more.
#[derive(Debug)]
pub(crate) struct SealedFile {
    pub(crate) kind: FileKind,
    /// Kept open for the next reader.
    opened: Option<Arc<Sealed>>,
    /// The same, as long as any reader has it.
    known: Weak<Sealed>,
    facts: Option<Facts>,
    /// Why those cannot be read.
    problem: Option<String>,
    /// How many of the ages in the retention were looked at for it.
    passed_ages: usize,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    pub(crate) samples: u64,
    pub(crate) head_samples: u64,
    pub(crate) series: u64,
    pub(crate) range_ms: Option<(i64, i64)>,
    /// What it takes on disk.
    pub(crate) bytes: u64,
    /// The identity of a file that is not written to any more.
    pub(crate) uuid: Option<u64>,
}

/// What readers get of a partition: its files, oldest first, and why others cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) sources: Vec<Source>,
    pub(crate) errors: Vec<OpenError>,
}

impl Partition {
    pub(crate) fn new(span: Span, dir: PathBuf) -> Self {
        let (live, sealed) = (Mutex::default(), Mutex::default());
        Self { span, dir, live, sealed, settled: AtomicBool::new(false) }
    }

    pub(crate) fn path(&self, kind: FileKind) -> PathBuf {
        self.dir.join(PartitionFile { span: self.span, kind }.name())
    }

    /// Moves a file of an import among the closed ones: what is in it wins over them. `false`
    /// when the partition takes no more.
    pub(crate) fn take_in(&self, from: &Path) -> io::Result<bool> {
        let _live = lock(&self.live);
        if self.is_settled() {
            return Ok(false);
        }
        let mut sealed = lock(&self.sealed);
        let kind = FileKind::Closed(sealed.next_number());
        fs::rename(from, self.path(kind))?;
        sync_dir(&self.dir)?;
        sealed.add(kind);
        Ok(true)
    }

    /// Takes up a file that was found in the folder.
    pub(crate) fn add_sealed(&self, kind: FileKind) {
        if matches!(kind, FileKind::Reduced(_)) {
            self.settle();
        }
        lock(&self.sealed).add(kind);
    }

    /// Takes no more samples.
    pub(crate) fn settle(&self) {
        self.settled.store(true, Ordering::Release);
    }

    /// Whether it takes no more samples.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    /// Takes no more samples from now on. `false` when it is written to.
    pub(crate) fn settle_unless_live(&self) -> bool {
        let live = lock(&self.live);
        if live.is_none() {
            self.settle();
        }
        live.is_none()
    }

    /// Deletes all files; who reads them reads on. `false` when it is written to.
    pub(crate) fn expire(&self) -> bool {
        if !self.settle_unless_live() {
            return false;
        }
        let mut sealed = lock(&self.sealed);
        let all = std::mem::take(&mut sealed.files);
        sealed.retire(all);
        drop(sealed);
        self.remove_replaced();
        true
    }

    /// Whether so many of the retention's ages were looked at for the newest file.
    pub(crate) fn has_passed(&self, ages: usize) -> bool {
        lock(&self.sealed).files.last().is_none_or(|file| file.passed_ages >= ages)
    }

    /// So many of the retention's ages were looked at.
    pub(crate) fn pass(&self, ages: usize) {
        if let Some(file) = lock(&self.sealed).files.last_mut() {
            file.passed_ages = ages;
        }
    }

    /// What all files take.
    pub(crate) fn bytes(&self) -> u64 {
        self.learn_facts();
        self.facts().iter().map(|facts| facts.bytes).sum()
    }

    /// The live file, opened when it is not, and made when there is none. One that is too damaged
    /// to be written to is set aside for readers first. Nothing when the partition takes no more.
    pub(crate) fn live(&self, opening: Opening<'_>) -> Result<Option<Arc<Live>>, OpenError> {
        let mut slot = lock(&self.live);
        if let Some(live) = &*slot {
            return Ok(Some(Arc::clone(live)));
        }
        if self.is_settled() {
            return Ok(None);
        }
        let path = self.path(FileKind::Live);
        let opened = match Live::open(path.clone(), self.span, opening) {
            Ok(live) if live.lost.tables > 0 => {
                drop(live);
                None
            }
            Ok(live) => Some(live),
            Err(OpenError::Foreign { .. }) => None,
            Err(OpenError::Database { source, .. }) if is_corruption(&source) => None,
            Err(error) => return Err(error),
        };
        let live = if let Some(live) = opened {
            live
        } else {
            self.set_aside()
                .map_err(|source| OpenError::Folder { dir: self.dir.clone(), source })?;
            Live::open(path, self.span, opening)?
        };
        let live = Arc::new(live);
        *slot = Some(Arc::clone(&live));
        Ok(Some(live))
    }

    /// The live file, if it is open.
    pub(crate) fn open_live(&self) -> Option<Arc<Live>> {
        lock(&self.live).clone()
    }

    /// Ends the live file when nobody uses it and everything in it is sealed: from then on it is
    /// read-only, under another name. `false` if somebody does use it.
    pub(crate) fn close(&self, opening: Opening<'_>) -> io::Result<bool> {
        let mut slot = lock(&self.live);
        // Nobody can get at it while it is locked, so alone now is alone until the end.
        let alone = |live: &mut Arc<Live>| {
            !live.has_head() && Arc::get_mut(live).is_some_and(Live::end_journal)
        };
        let Some(live) = slot.take_if(alone) else { return Ok(false) };
        drop(live);
        let Err(error) = self.set_aside() else { return Ok(true) };
        // What is in it is still asked for, and it can be tried again. Where only the folder could
        // not be synced it has its new name: opening the old one would make an empty file.
        let path = self.path(FileKind::Live);
        if path.exists() {
            *slot = Live::open(path, self.span, opening).ok().map(Arc::new);
        }
        if is_in_use(&error) { Ok(false) } else { Err(error) }
    }

    /// Gives up a live file that turned out to be damaged. `false` while readers use it.
    pub(crate) fn abandon(&self) -> io::Result<bool> {
        let mut slot = lock(&self.live);
        let alone = |live: &mut Arc<Live>| Arc::get_mut(live).is_some();
        let Some(live) = slot.take_if(alone) else { return Ok(false) };
        drop(live);
        self.set_aside()?;
        Ok(true)
    }

    /// Renames the live file, which is not open, to a closed one. After an error it has its old
    /// name, or its new one and counts as closed: only a power cut could still take that back, and
    /// whoever opens the folder then finds the live file.
    fn set_aside(&self) -> io::Result<()> {
        let mut sealed = lock(&self.sealed);
        let kind = FileKind::Closed(sealed.next_number());
        let (from, to) = (self.path(FileKind::Live), self.path(kind));
        // The journal first: without it the file alone would be an older state.
        let suffixes = ["-wal", sequence::SUFFIX, ""];
        for (at, suffix) in suffixes.into_iter().enumerate() {
            match fs::rename(with_suffix(&from, suffix), with_suffix(&to, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    for suffix in suffixes.into_iter().take(at).rev() {
                        drop(fs::rename(with_suffix(&to, suffix), with_suffix(&from, suffix)));
                    }
                    return Err(error);
                }
                _ => {}
            }
        }
        sealed.add(kind);
        sync_dir(&self.dir)
    }

    /// All files, for readers.
    pub(crate) fn sources(&self) -> Sources {
        // The live one first: while a reader has it, it is not closed, so nothing is missed
        // between the two.
        let live = self.open_live();
        let mut sources = Sources::default();
        for file in &mut lock(&self.sealed).files {
            match self.open_sealed(file) {
                Ok(sealed) => sources.sources.push(Source::Sealed(sealed)),
                Err(error) => sources.errors.push(error),
            }
        }
        sources.sources.extend(live.map(Source::Live));
        sources
    }

    fn open_sealed(&self, file: &mut SealedFile) -> Result<Arc<Sealed>, OpenError> {
        if let Some(sealed) = &file.opened {
            return Ok(Arc::clone(sealed));
        }
        let sealed = match file.known.upgrade() {
            Some(sealed) => sealed,
            None => Arc::new(Sealed::open(self.path(file.kind))?),
        };
        file.known = Arc::downgrade(&sealed);
        file.opened = Some(Arc::clone(&sealed));
        Ok(sealed)
    }

    /// Forgets what was read of the files that are not written to.
    pub(crate) fn forget(&self) {
        for file in &mut lock(&self.sealed).files {
            file.opened = None;
        }
    }

    /// The files to be rewritten into one final form, or nothing when that is done.
    pub(crate) fn to_rewrite(&self, even_damaged: bool) -> Option<Vec<FileKind>> {
        let sealed = lock(&self.sealed);
        if sealed.left_alone && !even_damaged {
            return None;
        }
        let kinds: Vec<FileKind> = sealed.files.iter().map(|file| file.kind).collect();
        let done = matches!(kinds[..], [] | [FileKind::Final(_) | FileKind::Reduced(_)]);
        (!done).then_some(kinds)
    }

    /// Blocks that were read lately are not kept for ever.
    pub(crate) fn tire(&self, patience: Patience) {
        if let Some(live) = self.open_live() {
            live.database.blocks.tire(patience);
        }
        for opened in lock(&self.sealed).files.iter().filter_map(|file| file.opened.as_ref()) {
            opened.database.blocks.tire(patience);
        }
    }

    /// The files that are not written to any more.
    pub(crate) fn kinds(&self) -> Vec<FileKind> {
        lock(&self.sealed).files.iter().map(|file| file.kind).collect()
    }

    /// Does not offer the files for rewriting any more.
    pub(crate) fn leave_alone(&self) {
        lock(&self.sealed).left_alone = true;
    }

    /// Whether there are files that are not written to any more.
    pub(crate) fn was_closed(&self) -> bool {
        !lock(&self.sealed).files.is_empty()
    }

    /// The number of the next file.
    pub(crate) fn next_number(&self) -> u32 {
        lock(&self.sealed).next_number()
    }

    /// Gives all closed and final files names by which they do not count any more.
    pub(crate) fn keep_aside(&self) -> io::Result<Vec<PathBuf>> {
        let mut sealed = lock(&self.sealed);
        let mut aside = Vec::new();
        while let Some(file) = sealed.files.pop() {
            let name = format!("{}.{}{ASIDE}", self.span.name(), number(file.kind));
            let to = self.dir.join(name);
            if let Err(error) = fs::rename(self.path(file.kind), &to) {
                sealed.files.push(file);
                return Err(error);
            }
            aside.push(to);
        }
        sync_dir(&self.dir)?;
        Ok(aside)
    }

    /// Lets a final form take the place of the files that were merged into it.
    pub(crate) fn replace(&self, merged: &[FileKind], kind: FileKind) -> io::Result<()> {
        let mut sealed = lock(&self.sealed);
        fs::rename(self.path(FileKind::Unfinished(number(kind))), self.path(kind))?;
        sync_dir(&self.dir)?;
        let is_merged = |file: &mut SealedFile| merged.contains(&file.kind);
        let merged: Vec<_> = sealed.files.extract_if(.., is_merged).collect();
        sealed.retire(merged);
        sealed.add(kind);
        drop(sealed);
        self.remove_replaced();
        Ok(())
    }

    /// Takes up a file that a final form has replaced: it only waits for its removal.
    pub(crate) fn add_replaced(&self, kind: FileKind) {
        lock(&self.sealed).replaced.push((kind, Weak::new()));
        self.remove_replaced();
    }

    /// Removes what was replaced and is read no more. What another process has open, where that
    /// prevents it, is tried again.
    pub(crate) fn remove_replaced(&self) {
        lock(&self.sealed).replaced.retain(|(kind, known)| {
            if known.strong_count() > 0 {
                return true;
            }
            let path = self.path(*kind);
            drop(fs::remove_file(sequence::path(&path)));
            fs::remove_file(path).is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
        });
    }

    /// What is known of how much there is.
    pub(crate) fn facts(&self) -> Vec<Facts> {
        let live = self.open_live();
        let sealed = lock(&self.sealed);
        let known = sealed.files.iter().filter_map(|file| file.facts);
        known.chain(live.map(|live| live.facts())).collect()
    }

    /// Looks into the files whose facts are not known; gives those that cannot be read.
    pub(crate) fn learn_facts(&self) -> Vec<(PathBuf, String)> {
        let mut damaged = Vec::new();
        for file in &mut lock(&self.sealed).files {
            self.learn(file);
            damaged.extend(file.problem.clone().map(|problem| (self.path(file.kind), problem)));
        }
        damaged
    }

    fn learn(&self, file: &mut SealedFile) -> Facts {
        let problem = &mut file.problem;
        *file.facts.get_or_insert_with(|| {
            let path = self.path(file.kind);
            let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            let facts = Sealed::meta(path).map(|meta| Facts {
                samples: meta.samples,
                head_samples: 0,
                series: u64::from(meta.series),
                range_ms: (meta.samples > 0).then_some(meta.range_ms),
                bytes,
                uuid: Some(meta.uuid),
            });
            facts.unwrap_or_else(|error| {
                // It counts as empty.
                *problem = Some(barograph_model::chain(&error));
                Facts { bytes, ..Facts::default() }
            })
        })
    }

    /// Whether anything is in it, and the identity of its final form, if that is all there is.
    pub(crate) fn state(&self) -> PartitionState {
        if lock(&self.live).is_some() {
            return PartitionState::Open;
        }
        match &mut lock(&self.sealed).files[..] {
            [] => PartitionState::Empty,
            [file] => match (file.kind, self.learn(file).uuid) {
                (FileKind::Final(_), Some(uuid)) => PartitionState::Final(uuid),
                (FileKind::Reduced(_), Some(uuid)) => PartitionState::Reduced(uuid),
                _ => PartitionState::Open,
            },
            _ => PartitionState::Open,
        }
    }
}

/// How far a partition is on its way to its final form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartitionState {
    Empty,
    /// It is written to, or has several files, or one that cannot be read.
    Open,
    /// It has its final form, with this identity.
    Final(u64),
    /// As before, without the series whose time is over.
    Reduced(u64),
}

impl PartitionState {
    /// The identity of a final form.
    pub(crate) fn uuid(self) -> Option<u64> {
        match self {
            Self::Final(uuid) | Self::Reduced(uuid) => Some(uuid),
            Self::Empty | Self::Open => None,
        }
    }
}

fn number(kind: FileKind) -> u32 {
    match kind {
        FileKind::Unfinished(number)
        | FileKind::Closed(number)
        | FileKind::Final(number)
        | FileKind::Reduced(number) => number,
        FileKind::Live => u32::MAX,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
