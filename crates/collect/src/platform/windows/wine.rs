//! Whether this Windows is Wine, which fills some structures with zeros.
#![expect(unsafe_code, reason = "asks the loader for a function's address")]

use std::sync::LazyLock;

use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::s;

use super::wide::wide;

/// Whether Wine runs this program.
pub(super) fn under_wine() -> bool {
    static ANSWER: LazyLock<bool> = LazyLock::new(|| {
        let ntdll = wide("ntdll.dll");
        // SAFETY: both names end with a zero; ntdll is part of every process and stays loaded.
        unsafe {
            let module = GetModuleHandleW(ntdll.as_ptr());
            GetProcAddress(module, s!("wine_get_version")).is_some()
        }
    });
    *ANSWER
}

/// For tests under Wine: what the Linux below says, such as `/proc/meminfo`.
#[cfg(test)]
pub(super) fn linux_file(path: &str) -> Option<String> {
    under_wine().then(|| std::fs::read_to_string(format!("Z:{path}")).unwrap())
}
