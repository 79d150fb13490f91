//! Local file systems and how full they are.

use super::kept_file::KeptFile;
use super::space::{Asked, SpaceAsker, space};
use crate::parse::mountinfo::{self, Mount};
use crate::parse::statvfs::{self, Space};
use crate::readings::Drive;
use crate::roots::Roots;
use crate::rows::Rows;
use crate::{Error, FileSystems};

/// Reads `/proc/self/mountinfo` and asks each local file system.
#[derive(Debug)]
pub(crate) struct DriveReader {
    mountinfo: KeptFile,
    /// What counts beside the local, fixed ones.
    more: FileSystems,
    spaces: Spaces,
    drives: Rows<Drive>,
}

/// Where the sizes come from.
#[derive(Debug)]
enum Spaces {
    Live(SpaceAsker),
    Recorded(KeptFile),
}

impl DriveReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        let spaces = match &roots.statvfs {
            None => Spaces::Live(SpaceAsker::new(roots.root.clone())),
            Some(table) => Spaces::Recorded(KeptFile::new(table.clone())),
        };
        Self {
            mountinfo: KeptFile::new(roots.proc.join("self/mountinfo")),
            more: roots.file_systems.clone(),
            spaces,
            drives: Rows::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Drive>, Error> {
        let mounts = mountinfo::drives(self.mountinfo.read(mountinfo::parse)?, &self.more);
        self.drives.clear();
        let mut first_error = None;
        match &mut self.spaces {
            Spaces::Live(asker) => {
                asker.begin();
                for mount in &mounts {
                    match asker.ask(&mount.mount_point) {
                        Asked::Answered(Ok(Some(space))) => {
                            fill(self.drives.add(), mount, Some(&space));
                        }
                        Asked::Answered(Ok(None)) => {}
                        Asked::Answered(Err(error)) => first_error = first_error.or(Some(error)),
                        Asked::Hangs => fill(self.drives.add(), mount, None),
                    }
                }
            }
            Spaces::Recorded(table) => {
                let table = table.read(statvfs::parse)?;
                for mount in &mounts {
                    let space = table.iter().find(|space| space.mount_point == mount.mount_point);
                    if let Some(space) = space {
                        fill(self.drives.add(), mount, Some(space));
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

/// Without a space, the file system hangs.
fn fill(drive: &mut Drive, mount: &Mount, space: Option<&Space>) {
    drive.mount_point.clone_from(&mount.mount_point);
    drive.device.clone_from(&mount.source);
    drive.file_system.clone_from(&mount.file_system);
    drive.is_system = mount.mount_point == "/";
    drive.hangs = space.is_none();
    let none = Space::default();
    let space = space.unwrap_or(&none);
    let bytes = |blocks: u64| blocks.saturating_mul(space.block_bytes);
    drive.size_bytes = bytes(space.blocks);
    drive.free_bytes = bytes(space.free_blocks);
    drive.available_bytes = bytes(space.available_blocks);
    drive.files = space.files;
    drive.is_read_only = space.is_read_only;
}

/// The table for [`Roots::statvfs`], of the machine as it is.
pub(crate) fn statvfs_table(roots: &Roots) -> Result<String, Error> {
    let mut file = KeptFile::new(roots.proc.join("self/mountinfo"));
    let mounts = mountinfo::local_disks(file.read(mountinfo::parse)?);
    let spaces: Vec<Space> = mounts
        .iter()
        .filter_map(|mount| space(&roots.root, &mount.mount_point).transpose())
        .collect::<Result<_, _>>()?;
    Ok(statvfs::print(&spaces))
}
