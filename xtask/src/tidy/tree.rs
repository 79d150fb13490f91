//! What the rules look at: the repository's text files and what cargo knows of its packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The repository.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Every text file, sorted by path.
    pub files: Vec<File>,
    /// Every folder, by path.
    pub folders: BTreeSet<String>,
    /// The workspace's own crates.
    pub crates: Vec<Crate>,
    /// Every package that the lock file names.
    pub locked: BTreeSet<String>,
    /// Texts that only this machine's paths have, such as the checkout's own folder.
    pub machine_paths: Vec<String>,
}

/// A text file.
#[derive(Debug)]
pub(super) struct File {
    /// From the repository's top, with `/` on every system.
    pub path: String,
    pub text: String,
}

impl File {
    /// The lines, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Whether its name ends in `.` and one of `endings`.
    pub(super) fn is(&self, endings: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    }
}

/// A crate of the workspace.
#[derive(Debug)]
pub(super) struct Crate {
    pub name: String,
    /// The crates of the workspace that it uses, and whether only its tests do.
    pub uses: Vec<(String, Usage)>,
    /// All packages that its code, not its tests, is built from, on any system.
    pub built_from: BTreeSet<String>,
}

/// What one crate uses another for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// It is part of what is built.
    Code,
    /// Only tests and benchmarks have it.
    Tests,
}

/// Folders that hold what was made, not written.
const MADE: &[&str] = &["target", "node_modules", "dist", ".git", "barograph-data"];

/// Files longer than this are data.
const LONGEST_BYTES: u64 = 4 * 1024 * 1024;

impl Tree {
    /// Reads the repository at `root`.
    pub(super) fn read(root: &Path, cargo: &Command) -> Result<Tree> {
        let mut tree = Tree::default();
        tree.read_folder(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        let metadata = MetadataCommand::new()
            .cargo_path(cargo.get_program())
            .current_dir(root)
            // A lock file that does not fit the manifests is an error.
            .other_options(["--locked".to_owned()])
            .exec()
            .context("cargo cannot describe the workspace")?;
        tree.crates = crates(&metadata);
        tree.locked = metadata.packages.iter().map(|package| package.name.to_string()).collect();
        tree.machine_paths = machine_paths(root);
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, name: &str) -> Result<()> {
        let listing =
            fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in listing {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
            let own = entry.file_name().to_string_lossy().into_owned();
            let path = if name.is_empty() { own.clone() } else { format!("{name}/{own}") };
            let metadata = entry.metadata().with_context(|| format!("cannot look at {path}"))?;
            if metadata.is_dir() {
                if !MADE.contains(&own.as_str()) {
                    self.read_folder(&entry.path(), &path)?;
                    self.folders.insert(path);
                }
            } else if metadata.is_file() && metadata.len() <= LONGEST_BYTES {
                let bytes =
                    fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
                // What is not text is a picture or a recording.
                if let Ok(text) = String::from_utf8(bytes) {
                    self.files.push(File { path, text });
                }
            }
        }
        Ok(())
    }
}

fn machine_paths(root: &Path) -> Vec<String> {
    let homes = std::env::home_dir();
    [Some(root.to_path_buf()), homes]
        .into_iter()
        .flatten()
        // `/root` or `/src` alone is a word that anyone may write.
        .filter(|path| path.components().count() > 2)
        .map(|path| path.display().to_string())
        .collect()
}

fn crates(metadata: &Metadata) -> Vec<Crate> {
    let members = metadata.workspace_packages();
    let own: BTreeSet<&str> = members.iter().map(|package| package.name.as_str()).collect();
    let edges = edges(metadata);
    members
        .iter()
        .map(|package| Crate {
            name: package.name.to_string(),
            uses: package
                .dependencies
                .iter()
                .filter(|dependency| own.contains(dependency.name.as_str()))
                .map(|dependency| {
                    let usage = match dependency.kind {
                        DependencyKind::Development => Usage::Tests,
                        _ => Usage::Code,
                    };
                    (dependency.name.clone(), usage)
                })
                .collect(),
            built_from: reachable(&package.id.repr, &edges)
                .into_iter()
                .filter_map(|id| metadata.packages.iter().find(|package| package.id.repr == id))
                .map(|package| package.name.to_string())
                .collect(),
        })
        .collect()
}

/// For each package what its code needs, by the packages' ids.
fn edges(metadata: &Metadata) -> BTreeMap<&str, Vec<&str>> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    nodes
        .map(|node| {
            let needs = node
                .deps
                .iter()
                .filter(|dependency| {
                    dependency.dep_kinds.iter().any(|it| it.kind != DependencyKind::Development)
                })
                .map(|dependency| dependency.pkg.repr.as_str())
                .collect();
            (node.id.repr.as_str(), needs)
        })
        .collect()
}

fn reachable<'a>(from: &str, edges: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<&str> = edges.get(from).cloned().unwrap_or_default();
    while let Some(next) = waiting.pop() {
        if seen.insert(next) {
            waiting.extend(edges.get(next).into_iter().flatten());
        }
    }
    seen
}

/// For the rules' tests: a tree with these files.
#[cfg(test)]
pub(super) fn with_files(files: &[(&str, &str)]) -> Tree {
    let files = files
        .iter()
        .map(|&(path, text)| File { path: path.to_owned(), text: text.to_owned() })
        .collect();
    Tree { files, ..Tree::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_by_what_is_used_counts_once() {
        let edges = BTreeMap::from([("a", vec!["b"]), ("b", vec!["c", "a"]), ("d", vec!["e"])]);
        let found: Vec<_> = reachable("a", &edges).into_iter().collect();
        assert_eq!(found, ["a", "b", "c"]);
    }

    #[test]
    fn endings_are_whole() {
        let file = File { path: "a/b.d.ts".to_owned(), text: String::new() };
        assert!(file.is(&["rs", "ts"]));
        assert!(!file.is(&["s"]));
    }
}
