//! Where the machine is read from.

use std::path::{Path, PathBuf};

use crate::FileSystems;

/// The places that the kernel's answers come from: the live machine, or a recorded one. Windows
/// has no such places and does not look at them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// `/proc`
    pub proc: PathBuf,
    /// `/sys`
    pub sys: PathBuf,
    /// `/`: what mount points and `/etc` are relative to. In a container that watches its host
    /// this is where the host's root is mounted.
    pub root: PathBuf,
    /// A recorded machine's answers to `statvfs`, one file system a line
    /// ([`crate::parse::statvfs`]); absent means that the file systems are asked.
    pub statvfs: Option<PathBuf>,
    /// File systems that are drives beside the local, fixed ones. Windows has the fixed ones only.
    pub file_systems: FileSystems,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            sys: "/sys".into(),
            root: "/".into(),
            statvfs: None,
            file_systems: FileSystems::default(),
        }
    }
}

impl Roots {
    /// A recorded machine: `proc`, `sys`, `etc` and `statvfs` in one folder.
    pub fn recorded(folder: &Path) -> Self {
        Self {
            proc: folder.join("proc"),
            sys: folder.join("sys"),
            root: folder.to_owned(),
            statvfs: Some(folder.join("statvfs")),
            file_systems: FileSystems::default(),
        }
    }
}
