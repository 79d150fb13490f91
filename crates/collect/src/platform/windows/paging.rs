//! Paging files.
#![expect(unsafe_code, reason = "calls to kernel32, which calls back")]

use std::ffi::c_void;

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, SetLastError};
use windows_sys::Win32::System::ProcessStatus::{ENUM_PAGE_FILE_INFORMATION, K32EnumPageFilesW};
use windows_sys::core::{BOOL, PCWSTR};

use super::wide::narrow;
use super::{failure, memory};
use crate::Error;
use crate::readings::PagingFile;
use crate::roots::Roots;
use crate::rows::Rows;

const WHAT: &str = "the list of paging files";

/// The longest name that is read, in UTF-16 units; Windows allows no longer ones.
const LONGEST_NAME: usize = 32_768;

/// Asks Windows for its paging files.
#[derive(Debug)]
pub(crate) struct PagingReader {
    files: Rows<PagingFile>,
}

impl PagingReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { files: Rows::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<PagingFile>, Error> {
        self.files.clear();
        let page_bytes = memory::performance_information()?.PageSize as u64;
        let mut found = Found { files: &mut self.files, page_bytes };
        // SAFETY: the callback gets `found` while this call lasts, and no longer.
        let done = unsafe {
            // Where the function is empty it leaves the error of an earlier call.
            SetLastError(ERROR_SUCCESS);
            K32EnumPageFilesW(Some(take), (&raw mut found).cast())
        };
        if done == 0 {
            let error = failure::last("EnumPageFilesW", "paging files");
            if failure::is_unsupported(&error) {
                return Err(failure::absent(WHAT, "this system does not tell them"));
            }
            return Err(error);
        }
        Ok(&self.files)
    }
}

struct Found<'a> {
    files: &'a mut Rows<PagingFile>,
    page_bytes: u64,
}

unsafe extern "system" fn take(
    found: *mut c_void,
    file: *mut ENUM_PAGE_FILE_INFORMATION,
    name: PCWSTR,
) -> BOOL {
    // SAFETY: the pointer is the one that `read` passed, and only one callback runs at a time.
    let found = unsafe { &mut *found.cast::<Found<'_>>() };
    // SAFETY: the system passes a filled structure.
    let information = unsafe { *file };
    let row = found.files.add();
    row.file = strip_prefix(&text(name));
    row.size_bytes = information.TotalSize as u64 * found.page_bytes;
    row.used_bytes = information.TotalInUse as u64 * found.page_bytes;
    1
}

fn text(name: PCWSTR) -> String {
    let mut units = Vec::new();
    for at in 0..LONGEST_NAME {
        // SAFETY: the system passes a name that ends with a zero; none has been met before `at`.
        match unsafe { *name.add(at) } {
            0 => break,
            unit => units.push(unit),
        }
    }
    narrow(&units)
}

/// The name as people write it: Windows gives the kernel's.
fn strip_prefix(name: &str) -> String {
    name.strip_prefix(r"\??\").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::ERROR_INSUFFICIENT_BUFFER;

    use super::*;
    use crate::platform::windows::wine::under_wine;

    #[test]
    fn paging_files_are_listed_or_said_to_be_absent() {
        let mut reader = PagingReader::new(&Roots::default());
        // SAFETY: it takes a number and cannot fail.
        unsafe { SetLastError(ERROR_INSUFFICIENT_BUFFER) };
        match reader.read() {
            Ok(files) => assert!(files.iter().all(|file| file.used_bytes <= file.size_bytes)),
            Err(error) => assert!(error.is_absent() && under_wine(), "{}", crate::chain(&error)),
        }
    }

    #[test]
    fn a_callback_becomes_a_row_in_bytes() {
        let mut files = Rows::default();
        let mut found = Found { files: &mut files, page_bytes: 4096 };
        let mut information = ENUM_PAGE_FILE_INFORMATION {
            TotalSize: 100,
            TotalInUse: 25,
            ..ENUM_PAGE_FILE_INFORMATION::default()
        };
        let name = super::super::wide::wide(r"\??\C:\pagefile.sys");
        // SAFETY: all three point to what the callback expects.
        let more = unsafe { take((&raw mut found).cast(), &raw mut information, name.as_ptr()) };
        assert_eq!(more, 1);
        let expected = PagingFile {
            file: r"C:\pagefile.sys".to_owned(),
            size_bytes: 409_600,
            used_bytes: 102_400,
        };
        assert_eq!(files.as_slice(), [expected]);
    }
}
