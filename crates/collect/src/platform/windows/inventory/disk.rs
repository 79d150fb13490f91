//! Physical disks.

use std::ffi::{CStr, c_void};
use std::fs::{File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::ptr;

use windows_sys::Win32::Storage::FileSystem::{FILE_SHARE_READ, FILE_SHARE_WRITE};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{
    DEVICE_SEEK_PENALTY_DESCRIPTOR, DISK_GEOMETRY_EX, IOCTL_DISK_GET_DRIVE_GEOMETRY_EX,
    IOCTL_STORAGE_QUERY_PROPERTY, PropertyStandardQuery, STORAGE_DEVICE_DESCRIPTOR,
    STORAGE_PROPERTY_ID, STORAGE_PROPERTY_QUERY, StorageDeviceProperty,
    StorageDeviceSeekPenaltyProperty,
};

use crate::readings::DiskFacts;

/// Disks are numbered from 0, with holes where one was taken out.
const HIGHEST_NUMBER: u32 = 63;

pub(super) fn disks() -> Vec<DiskFacts> {
    (0..=HIGHEST_NUMBER).filter_map(disk).collect()
}

fn disk(number: u32) -> Option<DiskFacts> {
    let name = format!("PhysicalDrive{number}");
    let path = format!(r"\\.\{name}");
    // No access is asked for: that is enough for questions, and needs no rights.
    let device = OpenOptions::new()
        .access_mode(0)
        .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
        .open(path)
        .ok()?;
    let mut descriptor = [0_u64; 128];
    let described = property(&device, StorageDeviceProperty, &mut descriptor);
    let text = |offset: u32| described.then(|| text_at(&descriptor, offset)).flatten();
    // SAFETY: plain numbers, which may be all zeros.
    let head = unsafe { descriptor.as_ptr().cast::<STORAGE_DEVICE_DESCRIPTOR>().read() };
    let model = [text(head.VendorIdOffset), text(head.ProductIdOffset)];
    let model = model.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(DiskFacts {
        name,
        model: Some(model).filter(|model| !model.is_empty()),
        serial: text(head.SerialNumberOffset),
        size_bytes: size(&device)?,
        is_rotational: is_rotational(&device),
        is_removable: described.then_some(head.RemovableMedia),
    })
}

fn ask(
    device: &File,
    code: u32,
    question: Option<&STORAGE_PROPERTY_QUERY>,
    answer: &mut [u64],
) -> bool {
    let (question, length) = match question {
        Some(question) => {
            (ptr::from_ref(question).cast::<c_void>(), size_of::<STORAGE_PROPERTY_QUERY>())
        }
        None => (ptr::null(), 0),
    };
    let mut filled = 0;
    // SAFETY: the call is told the sizes of both.
    let done = unsafe {
        DeviceIoControl(
            device.as_raw_handle(),
            code,
            question,
            u32::try_from(length).unwrap_or_default(),
            answer.as_mut_ptr().cast(),
            u32::try_from(size_of_val(answer)).unwrap_or_default(),
            &raw mut filled,
            ptr::null_mut(),
        )
    };
    done != 0
}

fn property(device: &File, id: STORAGE_PROPERTY_ID, answer: &mut [u64]) -> bool {
    let question = STORAGE_PROPERTY_QUERY {
        PropertyId: id,
        QueryType: PropertyStandardQuery,
        ..STORAGE_PROPERTY_QUERY::default()
    };
    ask(device, IOCTL_STORAGE_QUERY_PROPERTY, Some(&question), answer)
}

/// A text that ends with a zero, at this place of an answer; 0 is no place.
fn text_at(answer: &[u64], offset: u32) -> Option<String> {
    let bytes: Vec<u8> = answer.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let start = usize::try_from(offset).ok().filter(|start| *start > 0)?;
    let text = CStr::from_bytes_until_nul(bytes.get(start..)?).ok()?.to_string_lossy();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn size(device: &File) -> Option<u64> {
    let mut answer = [0_u64; 32];
    let told = ask(device, IOCTL_DISK_GET_DRIVE_GEOMETRY_EX, None, &mut answer);
    // SAFETY: plain numbers, which the call has filled.
    let geometry = unsafe { answer.as_ptr().cast::<DISK_GEOMETRY_EX>().read() };
    u64::try_from(geometry.DiskSize).ok().filter(|size| told && *size > 0)
}

fn is_rotational(device: &File) -> Option<bool> {
    let mut answer = [0_u64; 4];
    let told = property(device, StorageDeviceSeekPenaltyProperty, &mut answer);
    // SAFETY: plain numbers, which may be all zeros.
    let penalty = unsafe { answer.as_ptr().cast::<DEVICE_SEEK_PENALTY_DESCRIPTOR>().read() };
    told.then_some(penalty.IncursSeekPenalty)
}
