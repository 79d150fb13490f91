//! Samples from elsewhere, all or nothing.
//!
//! ```text
//! DIR/import/NAME.unfinished/   a store of its own, which is filled; worth nothing after a kill
//! DIR/import/NAME.ready/        complete: whoever has the folder takes its files into its own
//! ```
//!
//! The rename from one to the other is the moment at which an import counts. Taking up moves file
//! after file, and goes on after a kill where it was.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Batch, Clock};

use crate::error::{AppendError, OpenError, SealError};
use crate::folder::{FileKind, Folder, PartitionFile, read_marker, sync_dir};
use crate::maintenance;
use crate::retention::millis;
use crate::sealed::Sealed;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::span::Span;
use crate::stats::count;
use crate::store::{Appended, Store};
use crate::view::StoreView;

pub(crate) const IMPORTS: &str = "import";
const UNFINISHED: &str = "unfinished";
const READY: &str = "ready";
/// For a folder that was killed before it had a length of its own.
const DAY_MS: i64 = 86_400_000;
/// Partitions that are written to at the same time: each takes three open files and a head.
const MAX_OPEN: usize = 64;

/// Why an import came to nothing. The data folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("it has more than {max} series; import a part of them at a time")]
    TooManySeries { max: usize },
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("cannot use {}", path.display())]
    File { path: PathBuf, source: io::Error },
}

/// Whether the data folder is there for this import only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Not,
    Folder,
}

/// An import that is going on. Dropped before [`Import::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Import {
    store: Option<Store>,
    data: PathBuf,
    made: Made,
    clock: Arc<dyn Clock>,
    imports: PathBuf,
    name: String,
    samples: u64,
    partition_ms: i64,
    /// Partitions of the data folder whose samples have expired.
    settled: BTreeSet<Span>,
}

impl Import {
    /// Begins an import into a data folder, which is made when it does not exist. A server may be
    /// working in it.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn begin(data: &Path, clock: Arc<dyn Clock>) -> Result<Self, ImportError> {
        // A folder is made at the end only: what comes to nothing leaves none.
        let made = if data.exists() { Made::Not } else { Made::Folder };
        let (partition_ms, settled) = match read_marker(data)? {
            Some(marker) => {
                (marker.partition_ms, StoreView::open(data, Arc::clone(&clock))?.settled())
            }
            None => (millis(Settings::new(data).partition), BTreeSet::new()),
        };
        let imports = data.join(IMPORTS);
        sweep(data);
        let name = format!("{}-{}", clock.now_ms(), std::process::id());
        let settings = Settings {
            partition: Duration::from_millis(partition_ms.unsigned_abs()),
            late_window: None,
            future_window: Duration::MAX,
            // They are closed all at once below, where nobody waits.
            live_partitions: usize::MAX,
            ..Settings::new(imports.join(format!("{name}.{UNFINISHED}")))
        };
        let mut import = Self {
            store: None,
            data: data.to_owned(),
            made,
            imports,
            name,
            samples: 0,
            partition_ms,
            settled,
            clock: Arc::clone(&clock),
        };
        // From here on its end cleans up.
        import.store = Some(Store::open(settings, clock)?);
        Ok(import)
    }

    /// As [`Store::append`], at any time but where samples have expired: there the buckets that
    /// are left of them would be replaced by ones that know only of these.
    ///
    /// # Errors
    /// The disk is full or fails, or there are too many series.
    pub fn append(&mut self, batches: &[Batch]) -> Result<Appended, ImportError> {
        let store = self.store.as_ref().ok_or(AppendError::Closed)?;
        let is_settled = |batch: &&Batch| {
            let span = Span::holding(batch.time_ms, self.partition_ms);
            span.is_some_and(|span| self.settled.contains(&span))
        };
        let too_old: usize = batches.iter().filter(is_settled).map(|one| one.samples.len()).sum();
        let others: Vec<Batch>;
        let batches = if too_old == 0 {
            batches
        } else {
            others = batches.iter().filter(|batch| !is_settled(batch)).cloned().collect();
            &others
        };
        let mut appended = match store.append(batches) {
            // Nobody else waits for it, so its heads can be sealed at once.
            Err(AppendError::Busy { .. }) => {
                store.seal()?;
                store.append(batches)?
            }
            appended => appended?,
        };
        if appended.refused > 0 {
            return Err(ImportError::TooManySeries { max: store.settings().max_series });
        }
        appended.too_old += too_old as u64;
        self.samples += appended.stored;
        if store.open_partitions() > MAX_OPEN {
            store.close_partitions()?;
        }
        Ok(appended)
    }

    /// Samples that were appended.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Makes the import count. When it returns, it survives a power cut; who has the data folder
    /// takes it up: [`Store::open`] at once, an open store within a second or two.
    ///
    /// # Errors
    /// The disk is full or fails; the import has come to nothing.
    pub fn finish(mut self) -> Result<Finished, ImportError> {
        if let Some(store) = &self.store {
            store.close_partitions()?;
        }
        // Before the import's own folder is unlocked: who opens a data folder sweeps what is not.
        self.make_data_folder()?;
        self.store = None;
        let ready = self.folder(READY);
        let failed = |source| ImportError::File { path: ready.clone(), source };
        fs::rename(self.folder(UNFINISHED), &ready).map_err(failed)?;
        sync_dir(&self.imports).map_err(failed)?;
        Ok(Finished { folder: ready, samples: self.samples })
    }

    /// Unless it is one already.
    fn make_data_folder(&mut self) -> Result<(), ImportError> {
        if read_marker(&self.data)?.is_none() {
            drop(Store::open(Settings::new(&self.data), Arc::clone(&self.clock))?);
        }
        // Somebody else may have made it meanwhile, with other days.
        match read_marker(&self.data)? {
            Some(marker) if marker.partition_ms == self.partition_ms => {
                self.made = Made::Not;
                Ok(())
            }
            _ => {
                let problem = "it was made while the import went on; import again".to_owned();
                Err(OpenError::Foreign { path: self.data.clone(), problem }.into())
            }
        }
    }

    fn folder(&self, state: &str) -> PathBuf {
        self.imports.join(format!("{}.{state}", self.name))
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        self.store = None;
        // After finish() there is none of this name.
        drop(fs::remove_dir_all(self.folder(UNFINISHED)));
        drop(fs::remove_dir(&self.imports));
        if self.made == Made::Folder {
            drop(fs::remove_dir(&self.data));
        }
    }
}

/// An import that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    folder: PathBuf,
    pub samples: u64,
}

impl Finished {
    /// Whether its samples are in the data folder's own files by now.
    pub fn is_taken_up(&self) -> bool {
        !self.folder.exists()
    }
}

/// Removes what killed imports left over; one that is going on has its folder locked.
pub(crate) fn sweep(data: &Path) {
    let imports = data.join(IMPORTS);
    for folder in folders(&imports, UNFINISHED).unwrap_or_default() {
        if let Ok(owned) = Folder::open(&folder, DAY_MS) {
            drop(owned);
            drop(fs::remove_dir_all(folder));
        }
    }
    // Only when it is empty.
    drop(fs::remove_dir(imports));
}

/// Takes the files of complete imports into the store's own. One that cannot be taken up (by its
/// owner, say, or cut short by hand) is told, waits where it is, and keeps nothing else waiting.
pub(crate) fn take_up(shared: &Shared) {
    let imports = shared.folder.dir.join(IMPORTS);
    match folders(&imports, READY) {
        Ok(folders) => {
            for folder in folders {
                if let Err(error) = take_one_up(shared, &folder) {
                    let problem =
                        format!("an import cannot be taken up: {}", barograph_model::chain(&error));
                    if shared.problems.note(&folder, &problem) {
                        count(&shared.counters.failed_imports, 1);
                    }
                }
            }
        }
        Err(error) => {
            shared.problems.note(&imports, &barograph_model::chain(&error));
        }
    }
    // Only when it is empty.
    drop(fs::remove_dir(&imports));
}

fn take_one_up(shared: &Shared, folder: &Path) -> Result<(), SealError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| SealError::File { path, source }
    };
    let raw = folder.join("raw");
    for entry in fs::read_dir(&raw).map_err(failed(&raw))? {
        let entry = entry.map_err(failed(&raw))?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        let file = PartitionFile::from_name(name, shared.folder.partition_ms);
        let Some(PartitionFile { span, kind: FileKind::Closed(_) | FileKind::Final(_) }) = file
        else {
            continue;
        };
        let partition = shared.partition(span);
        // What is written to is later than all files, and would win over what is imported.
        if partition.open_live().is_some() && !maintenance::end_live(shared, &partition)? {
            return Ok(());
        }
        let taken_in = partition.take_in(&entry.path()).map_err(failed(&entry.path()))?;
        if !taken_in {
            // Its time expired since the import looked.
            let samples = Sealed::meta(entry.path()).map_or(0, |meta| meta.samples);
            count(&shared.counters.too_old_samples, samples);
        }
    }
    // It is complete no more: what a kill leaves of it now is swept.
    let rest = folder.with_extension(UNFINISHED);
    fs::rename(folder, &rest).map_err(failed(folder))?;
    fs::remove_dir_all(&rest).map_err(failed(&rest))
}

/// Folders of imports in a state, oldest first.
fn folders(imports: &Path, state: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(imports) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == state) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
