//! `/proc/self/mountinfo`: what is mounted where.

use super::ParseError;
use super::fields::{lines, unescape_into};
use crate::FileSystems;

/// One mounted file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    /// `major:minor`, the same for all mounts of one file system.
    pub device_number: String,
    pub mount_point: String,
    pub file_system: String,
    /// `/dev/sda1`
    pub source: String,
}

/// All mounts, in the order in which they were made.
///
/// # Errors
/// A line without its fields.
pub fn parse(text: &[u8]) -> Result<Vec<Mount>, ParseError> {
    lines(text)
        .map(|line| {
            let mut words = line.words();
            let mut mount = Mount::default();
            let _id = words.number("a mount's number")?;
            let _parent = words.number("the parent's number")?;
            unescape_into(&mut mount.device_number, words.word("major:minor")?);
            let _root = words.word("the root of the mount")?;
            unescape_into(&mut mount.mount_point, words.word("a mount point")?);
            // Options, and then none to several optional fields up to a lone hyphen.
            while words.word("a hyphen before the file system's type")? != b"-" {}
            unescape_into(&mut mount.file_system, words.word("a file system's type")?);
            unescape_into(&mut mount.source, words.word("the mounted device")?);
            Ok(mount)
        })
        .collect()
}

/// The mounts that hold this machine's data: local disk file systems and whatever `/` is, unless
/// it comes over the network. A file system that is mounted in several places is listed once, at
/// its shortest mount point; one that another mount hides is left out.
pub fn local_disks(mounts: Vec<Mount>) -> Vec<Mount> {
    drives(mounts, &FileSystems::default())
}

/// The same, and file systems of more types.
pub fn drives(mounts: Vec<Mount>, more: &FileSystems) -> Vec<Mount> {
    let mut kept: Vec<Mount> = Vec::new();
    // Backwards, since of two mounts at one place the later one is seen.
    let mut seen = std::collections::HashSet::new();
    for mount in mounts.into_iter().rev() {
        if !seen.insert(mount.mount_point.clone()) || !is_wanted(&mount, more) {
            continue;
        }
        match kept.iter_mut().find(|other| other.device_number == mount.device_number) {
            Some(other) if mount.mount_point.len() <= other.mount_point.len() => *other = mount,
            Some(_) => {}
            None => kept.push(mount),
        }
    }
    kept.sort_by(|a, b| a.mount_point.cmp(&b.mount_point));
    kept
}

fn is_wanted(mount: &Mount, more: &FileSystems) -> bool {
    let file_system = mount.file_system.as_str();
    // To look at a place where something is mounted on demand would mount it.
    if file_system == "autofs" {
        return false;
    }
    more.contains(file_system)
        || LOCAL_DISK.contains(&file_system)
        || (mount.mount_point == "/" && !REMOTE.contains(&file_system) && file_system != "rootfs")
}

/// File systems that live on a disk of this machine and can fill up. Images that are always full
/// (`squashfs`, `iso9660`) are none of them.
const LOCAL_DISK: [&str; 24] = [
    "apfs", "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "gfs2", "hfs",
    "hfsplus", "jffs2", "jfs", "minix", "nilfs2", "ntfs", "ntfs3", "ocfs2", "reiserfs", "ubifs",
    "vfat", "xfs", "zfs",
];

/// File systems whose server can be gone: asking them for their size may never come back.
const REMOTE: [&str; 12] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "coda",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];
