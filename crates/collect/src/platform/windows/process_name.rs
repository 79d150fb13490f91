//! The name of a process.
#![expect(unsafe_code, reason = "calls to kernel32")]

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};

use super::wide::narrow;

/// `nginx.exe`; nothing if the process is gone or not ours to ask.
pub(super) fn process_name(pid: u32) -> Option<String> {
    // The system's own process has no file.
    if pid == 4 {
        return Some("System".into());
    }
    // SAFETY: it takes numbers.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    let process = Some(process).filter(|handle| !handle.is_null()).map(Open)?;
    let mut path = [0_u16; 1024];
    let mut length = 1024;
    // SAFETY: the call is told the buffer's length.
    let done =
        unsafe { QueryFullProcessImageNameW(process.0, 0, path.as_mut_ptr(), &raw mut length) };
    let path = narrow(&path);
    let name = path.rsplit('\\').next()?;
    (done != 0 && !name.is_empty()).then(|| name.to_owned())
}

/// Closed when dropped.
struct Open(HANDLE);

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: the handle is ours.
        unsafe { CloseHandle(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_name_and_a_missing_one_has_none() {
        let name = process_name(std::process::id()).unwrap();
        assert!(name.starts_with("barograph"), "{name}");
        assert_eq!(process_name(0xFFFF_FFF0), None);
    }
}
