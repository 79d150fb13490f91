//! Fixed drives. Removable and network drives are left out: asking one that is gone can block.
#![expect(unsafe_code, reason = "calls to kernel32")]

use std::ptr;

use windows_sys::Win32::Storage::FileSystem::{
    GetDiskFreeSpaceExW, GetDriveTypeW, GetLogicalDrives, GetVolumeInformationW,
    GetVolumeNameForVolumeMountPointW, QueryDosDeviceW,
};
use windows_sys::Win32::System::SystemInformation::GetSystemWindowsDirectoryW;
use windows_sys::Win32::System::WindowsProgramming::DRIVE_FIXED;

use super::failure;
use super::wide::{narrow, wide};
use crate::Error;
use crate::readings::Drive;
use crate::roots::Roots;
use crate::rows::Rows;

/// Room for the names that volumes and file systems have, in UTF-16 units.
const LONGEST_NAME: u32 = 261;

/// Asks each fixed drive for its space.
#[derive(Debug)]
pub(crate) struct DriveReader {
    drives: Rows<Drive>,
    system_letter: Option<char>,
}

impl DriveReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { drives: Rows::default(), system_letter: system_letter() }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Drive>, Error> {
        self.drives.clear();
        for letter in fixed_letters()? {
            let root = wide(&format!("{letter}:\\"));
            // A drive without a usable volume (locked, raw) has no space to tell.
            let Some([available, size, free]) = space(&root) else { continue };
            let drive = self.drives.add();
            drive.mount_point = format!("{letter}:");
            drive.device = volume_name(&root).unwrap_or_default();
            drive.file_system = file_system(&root).unwrap_or_default();
            drive.is_system = Some(letter) == self.system_letter;
            drive.size_bytes = size;
            drive.free_bytes = free;
            drive.available_bytes = available;
        }
        Ok(&self.drives)
    }
}

/// The letters of fixed drives, in order.
pub(super) fn fixed_letters() -> Result<impl Iterator<Item = char>, Error> {
    // SAFETY: it takes nothing.
    let present = unsafe { GetLogicalDrives() };
    if present == 0 {
        return Err(failure::last("GetLogicalDrives", "drives"));
    }
    Ok(('A'..='Z')
        .enumerate()
        .filter(move |(bit, letter)| {
            let root = wide(&format!("{letter}:\\"));
            // SAFETY: the path ends with a zero.
            present & (1 << bit) != 0 && unsafe { GetDriveTypeW(root.as_ptr()) } == DRIVE_FIXED
        })
        .map(|(_, letter)| letter))
}

/// What the kernel calls the volumes of fixed drives (`\Device\HarddiskVolume3`), with their
/// letters.
pub(super) fn letters_by_device() -> Vec<(String, char)> {
    let Ok(letters) = fixed_letters() else { return Vec::new() };
    let device = |letter: char| {
        let name = wide(&format!("{letter}:"));
        let mut target = [0_u16; LONGEST_NAME as usize];
        // SAFETY: the name ends with a zero; the call is told the buffer's length.
        let units = unsafe { QueryDosDeviceW(name.as_ptr(), target.as_mut_ptr(), LONGEST_NAME) };
        (units > 0).then(|| (narrow(&target), letter))
    };
    letters.filter_map(device).collect()
}

/// Bytes that are available to us, in all, and free.
fn space(root: &[u16]) -> Option<[u64; 3]> {
    let (mut available, mut size, mut free) = (0, 0, 0);
    // SAFETY: the path ends with a zero; three places for numbers.
    let done = unsafe {
        GetDiskFreeSpaceExW(root.as_ptr(), &raw mut available, &raw mut size, &raw mut free)
    };
    (done != 0 && size > 0).then_some([available, size, free])
}

fn volume_name(root: &[u16]) -> Option<String> {
    let mut name = [0; LONGEST_NAME as usize];
    // SAFETY: the path ends with a zero; the call is told the buffer's length.
    let done = unsafe {
        GetVolumeNameForVolumeMountPointW(root.as_ptr(), name.as_mut_ptr(), LONGEST_NAME)
    };
    (done != 0).then(|| narrow(&name))
}

fn file_system(root: &[u16]) -> Option<String> {
    let mut name = [0; LONGEST_NAME as usize];
    let none = ptr::null_mut();
    // SAFETY: the path ends with a zero; nothing is asked but the last, whose length is told.
    let done = unsafe {
        GetVolumeInformationW(
            root.as_ptr(),
            ptr::null_mut(),
            0,
            none,
            none,
            none,
            name.as_mut_ptr(),
            LONGEST_NAME,
        )
    };
    (done != 0).then(|| narrow(&name))
}

fn system_letter() -> Option<char> {
    let mut folder = [0; LONGEST_NAME as usize];
    // SAFETY: the call is told the buffer's length.
    let length = unsafe { GetSystemWindowsDirectoryW(folder.as_mut_ptr(), LONGEST_NAME) };
    let first = narrow(&folder).chars().next()?;
    (length > 0).then_some(first.to_ascii_uppercase())
}

/// File systems are not asked by `statvfs` here.
pub(crate) fn statvfs_table(_: &Roots) -> Result<String, Error> {
    Err(failure::absent("statvfs", "Windows has drives instead"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_drive_is_listed_once_with_plausible_space() {
        let mut reader = DriveReader::new(&Roots::default());
        let drives = reader.read().unwrap().clone();
        let [system] = drives.iter().filter(|drive| drive.is_system).collect::<Vec<_>>()[..] else {
            panic!("{drives:?}")
        };
        assert_eq!(system.mount_point, "C:");
        assert!(!system.file_system.is_empty(), "{system:?}");
        for drive in &drives {
            assert!(drive.size_bytes > 0, "{drive:?}");
            assert!(drive.available_bytes <= drive.free_bytes, "{drive:?}");
            assert!(drive.free_bytes <= drive.size_bytes, "{drive:?}");
        }
    }

    #[test]
    fn reading_again_lists_the_same_drives() {
        let mut reader = DriveReader::new(&Roots::default());
        let names = |drives: &Rows<Drive>| {
            drives.iter().map(|drive| drive.mount_point.clone()).collect::<Vec<_>>()
        };
        let first = names(reader.read().unwrap());
        assert_eq!(names(reader.read().unwrap()), first);
    }

    #[test]
    fn a_drive_that_is_not_there_has_no_space() {
        assert_eq!(space(&wide("?:\\")), None);
    }
}
