//! Local file systems and how full they are.

use std::fs;
use std::path::{Path, PathBuf};

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::mountinfo::{self, Mount};
use crate::parse::statvfs::{self, Space};
use crate::readings::Drive;
use crate::roots::Roots;
use crate::rows::Rows;

/// Reads `/proc/self/mountinfo` and asks each local file system. A file system whose disk hangs
/// blocks the call, for as long as the disk hangs.
#[derive(Debug)]
pub(crate) struct DriveReader {
    mountinfo: KeptFile,
    spaces: Spaces,
    drives: Rows<Drive>,
}

/// Where the sizes come from.
#[derive(Debug)]
enum Spaces {
    /// Mount points are relative to this folder.
    Live(PathBuf),
    Recorded(KeptFile),
}

impl DriveReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        let spaces = match &roots.statvfs {
            None => Spaces::Live(roots.root.clone()),
            Some(table) => Spaces::Recorded(KeptFile::new(table.clone())),
        };
        Self {
            mountinfo: KeptFile::new(roots.proc.join("self/mountinfo")),
            spaces,
            drives: Rows::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Drive>, Error> {
        let mounts = mountinfo::local_disks(self.mountinfo.read(mountinfo::parse)?);
        self.drives.clear();
        let mut first_error = None;
        match &mut self.spaces {
            Spaces::Live(root) => {
                for mount in &mounts {
                    match live_space(root, &mount.mount_point) {
                        Ok(Some(space)) => fill(self.drives.add(), mount, &space),
                        Ok(None) => {}
                        Err(error) => first_error = first_error.or(Some(error)),
                    }
                }
            }
            Spaces::Recorded(table) => {
                let table = table.read(statvfs::parse)?;
                for mount in &mounts {
                    let space = table.iter().find(|space| space.mount_point == mount.mount_point);
                    if let Some(space) = space {
                        fill(self.drives.add(), mount, space);
                    }
                }
            }
        }
        // One drive that cannot be asked, say for lack of rights, must not hide the others.
        match first_error {
            Some(error) if self.drives.as_slice().is_empty() => Err(error),
            _ => Ok(&self.drives),
        }
    }
}

fn fill(drive: &mut Drive, mount: &Mount, space: &Space) {
    let bytes = |blocks: u64| blocks.saturating_mul(space.block_bytes);
    drive.mount_point.clone_from(&mount.mount_point);
    drive.device.clone_from(&mount.source);
    drive.file_system.clone_from(&mount.file_system);
    drive.is_system = mount.mount_point == "/";
    drive.size_bytes = bytes(space.blocks);
    drive.free_bytes = bytes(space.free_blocks);
    drive.available_bytes = bytes(space.available_blocks);
    drive.files = space.files;
    drive.is_read_only = space.is_read_only;
}

/// Nothing for what is no folder (containers mount single files) or has no size.
fn live_space(root: &Path, mount_point: &str) -> Result<Option<Space>, Error> {
    let path = root.join(mount_point.trim_start_matches('/'));
    let is_folder =
        fs::metadata(&path).map_err(|source| Error::Read { path: path.clone(), source })?.is_dir();
    let answer = rustix::fs::statvfs(&path).map_err(|errno| Error::Call {
        call: "statvfs",
        object: path.display().to_string(),
        source: errno.into(),
    })?;
    Ok((is_folder && answer.f_blocks > 0).then(|| Space {
        mount_point: mount_point.to_owned(),
        block_bytes: answer.f_frsize,
        blocks: answer.f_blocks,
        free_blocks: answer.f_bfree,
        available_blocks: answer.f_bavail,
        files: (answer.f_files > 0).then_some([answer.f_files, answer.f_ffree]),
        is_read_only: Some(answer.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY)),
    }))
}

/// The table for [`Roots::statvfs`], of the machine as it is.
pub(crate) fn statvfs_table(roots: &Roots) -> Result<String, Error> {
    let mut file = KeptFile::new(roots.proc.join("self/mountinfo"));
    let mounts = mountinfo::local_disks(file.read(mountinfo::parse)?);
    let spaces: Vec<Space> = mounts
        .iter()
        .filter_map(|mount| live_space(&roots.root, &mount.mount_point).transpose())
        .collect::<Result<_, _>>()?;
    Ok(statvfs::print(&spaces))
}
