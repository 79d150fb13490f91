//! What somebody has to look into: told to the log once, and as long as it lasts to whoever asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tracing_mutex::stdsync::Mutex;

use crate::sync::lock;

/// More have one cause.
const MAX_KEPT: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct Problems {
    /// Of files and folders, as long as they are there.
    of_paths: Mutex<BTreeMap<PathBuf, String>>,
    /// Why not all that is due could be done the last time.
    of_upkeep: Mutex<Option<String>>,
}

impl Problems {
    /// Whether it is told of this path for the first time.
    pub(crate) fn note(&self, path: &Path, problem: &str) -> bool {
        let mut known = lock(&self.of_paths);
        if let Some(known) = known.get_mut(path) {
            problem.clone_into(known);
            return false;
        }
        known.retain(|path, _| path.exists());
        let is_told = known.len() < MAX_KEPT;
        if is_told {
            tracing::warn!(path = %path.display(), problem, "a part of the data folder cannot be used");
            known.insert(path.to_owned(), problem.to_owned());
        }
        is_told
    }

    /// How the last round of upkeep ended.
    pub(crate) fn upkeep(&self, problem: Option<String>) {
        let mut last = lock(&self.of_upkeep);
        match &problem {
            Some(problem) if last.as_ref() != Some(problem) => {
                tracing::warn!(
                    error = problem,
                    "the history is not sealed and expired as it should be"
                );
            }
            None if last.is_some() => tracing::info!("the history is sealed and expired again"),
            _ => {}
        }
        *last = problem;
    }

    pub(crate) fn list(&self) -> Vec<String> {
        let mut known = lock(&self.of_paths);
        known.retain(|path, _| path.exists());
        // A problem tells the path where it is not the file itself that is damaged.
        let of_paths = known.iter().map(|(path, problem)| {
            let shown = path.display().to_string();
            if problem.contains(&shown) { problem.clone() } else { format!("{shown}: {problem}") }
        });
        of_paths.chain(lock(&self.of_upkeep).clone()).collect()
    }
}
